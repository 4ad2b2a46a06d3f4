"""`bench gpu`: what is measured, kept, and counted with."""

import json
import platform
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from recipeforge.api.running import measured_here
from recipeforge.cli.bench import command as bench
from recipeforge.cli.estimate import command as estimate
from recipeforge.runner.ledger import Ledger
from recipeforge.schemas.machine import Machine
from recipeforge.solver.speed import CEILING

H200 = Machine(platform.node(), "cuda", "NVIDIA H200", {"fp32": 50.0, "bf16": 780.0, "fp16": 790.0}, 4000.0, 50.0, 50.0)
RECIPE = """recipeforge: 1
model: meta-llama/Llama-3.1-8B
technique: lora
optimizer: {use: adamw, learning_rate: 1.0e-4}
precision: bf16
attention: sdpa
data: {sequence_length: 2048, packing: true}
batch: {micro: 1}
train: {steps: 100}
hardware: {gpu: h200}
"""


def test_the_processor_is_measured_and_kept(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from recipeforge.runner.machine import Sizes, measure

    found = measure("cpu", 0.01, Sizes(64, 2**16))
    assert set(found.tflops) == {"fp32", "bf16", "fp16"}
    assert all(0 < tflops < 100 for tflops in found.tflops.values())
    assert 0 < found.bandwidth_gb_s < 5000
    assert (found.kind, found.to_device_gb_s, found.versions["torch"]) == ("cpu", None, torch.__version__)
    with Ledger(tmp_path / "ledger.sqlite3") as book:
        book.measured(found)
        book.measured(replace(found, bandwidth_gb_s=1.0))
        (kept,) = book.machines()
        assert (kept.bandwidth_gb_s, kept.tflops) == (1.0, found.tflops)
        assert kept.at
        assert book.machines("elsewhere") == ()


def test_the_command_tells_what_it_kept(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    ledger = tmp_path / "ledger.sqlite3"
    done = CliRunner().invoke(bench, ["gpu", "--device", "cpu", "--seconds", "0.001", "--ledger", str(ledger), "--format", "json"])
    told = json.loads(done.output)
    assert told["format"] == "recipeforge/machine/1"
    with Ledger(ledger) as book:
        assert [machine.device for machine in book.machines()] == [told["machine"]["device"]]


def test_the_time_model_counts_with_it_where_the_recipe_is_for_this_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, recipe = tmp_path / "ledger.sqlite3", tmp_path / "r.yaml"
    recipe.write_text(RECIPE)
    monkeypatch.setenv("RECIPEFORGE_LEDGER", str(ledger))

    def tokens(*flags: str) -> float:
        done = CliRunner().invoke(estimate, [str(recipe), "--format", "json", *flags])
        return json.loads(done.stdout)["speed"]["tokens_per_s"]["typical"]

    by_sheet, other = tokens(), tokens("--gpu", "h100-80gb")
    assert measured_here({"gpu.id": "h200"}) == {}
    with Ledger(ledger) as book:
        book.measured(replace(H200, tflops={"bf16": 200.0}))
    facts = {"gpu.id": "h200", "gpu.bf16_tflops": 989, "gpu.fp32_tflops": 67}
    assert measured_here(facts) == {"gpu.bf16_tflops": 200.0 / CEILING}
    assert measured_here({**facts, "gpu.id": "a100-80gb"}) == {}
    assert tokens() < 0.7 * by_sheet
    assert tokens("--gpu", "h100-80gb") == other
