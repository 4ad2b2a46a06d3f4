"""`estimate` on the command line: memory, and beside it speed, time and cost."""

import json
from pathlib import Path

import pytest

from recipeforge.cli import main

RECIPE = """recipeforge: 1
model: meta-llama/Llama-3.2-3B
technique: full
precision: pure-bf16
attention: flash-attention-2
data: {sequence_length: 4096, packing: true}
batch: {micro: 2}
train: {steps: 1000}
hardware: {gpu: a100-80gb, price_usd_hour: 2}
"""


def estimated(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> tuple[int, str]:
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    code = main.outcome(["estimate", str(path), *options])
    return code, capsys.readouterr().out


def test_time_and_cost_stand_beside_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = estimated(tmp_path, capsys, RECIPE)
    assert code == 0
    assert "the peak" in out
    assert "how fast it will train: about 6,126 tokens/s (1,532 to 11,333)" in out
    assert "  the run        22 min (12 min to 89 min)" in out
    assert "  the cost         0.74 USD (0.40 to 2.97)" in out
    assert "Prices: 2 USD an hour and GPU, as the recipe says." in out


def test_what_is_not_known_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = estimated(tmp_path, capsys, RECIPE.replace("train: {steps: 1000}\n", ""))
    assert "  the run             ? set `train.steps`, or `train.epochs` with `data.limit`, to see how long the run takes" in out
    assert "the cost" not in out
    code, out = estimated(tmp_path, capsys, RECIPE, "--gpu", "cpu")
    assert code == 0
    assert "how fast it will train: not known, since no source states the peak of CPU only" in out


def test_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = estimated(tmp_path, capsys, RECIPE, "--format", "json", "--gpu", "h200", "--gpus", "2")
    told = json.loads(out)["speed"]
    assert told["devices"] == 2
    assert told["price_usd_hour"] == {"low": 2.0, "typical": 2.0, "high": 2.0}
    assert told["usd"]["typical"] == pytest.approx(told["seconds"]["typical"] / 3600 * 4, rel=1e-3)
    _, out = estimated(tmp_path, capsys, RECIPE, "--format", "json", "--gpu", "cpu")
    assert json.loads(out)["speed"] == {"unknown": "no source states the peak of CPU only"}
