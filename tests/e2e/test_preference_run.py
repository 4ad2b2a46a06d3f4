"""`recipeforge run` of DPO as a person runs it: the ledger, an interrupt, and going on."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(
        any(Need(n, "").installed is None for n in ("torch", "transformers", "peft", "trl")), reason="needs the rl packages"
    ),
]


@pytest.fixture
def recipe(tmp_path: Path, tiny_model: Path) -> Path:
    """`r.yaml`: DPO over sixty pairs."""
    rows = [{"prompt": f"{n}?", "chosen": " yes", "rejected": f" no {n}"} for n in range(60)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "r.yaml"
    path.write_text(
        f"recipeforge: 1\nname: tiny-dpo\nmodel: {tiny_model}\ntechnique: {{use: lora, rank: 4}}\nobjective: {{use: dpo, beta: 0.1}}\n"
        "optimizer: {use: adamw, learning_rate: 3.0e-3}\nscheduler: cosine\nbatch: {micro: 4}\nhardware: {gpu: cpu}\nseed: 3\n"
        "data: {source: pairs.jsonl, format: preference, sequence_length: 32, validation: 0.2}\ntrain: {steps: 12, save_every: 5}\n"
        "budget: {wall_clock: 1h}\n"
    )
    return path


def test_dpo_leaves_its_row_and_goes_on(recipe: Path, forge: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    folder = recipe.parent
    text = recipe.read_text()
    recipe.write_text(text.replace("wall_clock: 1h", "wall_clock: 0.01s"))
    done = forge(folder, "run", "r.yaml", "--format", "json")
    assert done.returncode == 130, done.stdout + done.stderr
    first = json.loads(done.stdout)["run"]
    assert first["state"] == "interrupted"
    recipe.write_text(text)
    done = forge(folder, "run", "r.yaml", "--resume", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(done.stdout)["run"]
    assert (row["id"], row["state"], row["steps"]) == (first["id"], "finished", 12)
    assert row["metrics"]["heldout_reward_margin_after"] > row["metrics"]["heldout_reward_margin_before"] + 0.1
    assert "held-out pairs in order after 12 steps: 1.0000" in done.stderr
    shown = forge(folder, "runs", "show", "last").stdout
    assert "held-out pairs in order 0.0000 → 1.0000" in shown
    told = json.loads(forge(folder, "runs", "show", "last", "--format", "json").stdout)
    assert len(told["series"]["train_reward_margin"]) == 12
    events = [event["detail"] for event in told["events"]]
    assert events
    assert not [text for text in events if text.startswith("odd:")]
