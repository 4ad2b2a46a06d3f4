"""A recipe small enough to run many times, in a folder of its own, and the command line there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def tiny_recipe(tmp_path: Path, tiny_model: Path, rows: Path) -> Path:
    """`r.yaml`: LoRA with dropout over forty steps, a checkpoint every seven."""
    path = tmp_path / "r.yaml"
    path.write_text(
        f"recipeforge: 1\nname: tiny\nmodel: {tiny_model}\ntechnique: {{use: lora, rank: 4, dropout: 0.1}}\n"
        "optimizer: {use: adamw, learning_rate: 1.0e-2}\nscheduler: {use: cosine, warmup_steps: 3}\n"
        f"data: {{source: {rows.name}, format: text, sequence_length: 64, validation: 0.1}}\nbatch: {{micro: 2, accumulate: 2}}\n"
        "train: {steps: 40, save_every: 7}\neval: {strategy: steps, every: 10}\nhardware: {gpu: cpu}\nseed: 3\n"
    )
    return path


@pytest.fixture
def forge() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call `recipeforge` in a folder, with arguments."""

    def called(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recipeforge", *arguments], capture_output=True, text=True, cwd=folder, timeout=300, check=False
        )

    return called
