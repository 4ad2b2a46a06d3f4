"""A recipe small enough to run many times, in a folder of its own."""

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
