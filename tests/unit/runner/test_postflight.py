"""What is looked at when the training is over."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipeforge.cli.run import _speed_said

pytest.importorskip("torch")
import torch

from recipeforge.runner.postflight import of_files, of_losses, of_settings


def checks(heard) -> dict[str, tuple[bool, str]]:
    return {f["name"]: (f["good"], f["text"]) for f in heard.of("check")}


def test_a_run_that_did_all_is_told_so(train) -> None:
    heard, folder, _ = train(memory="gradient-checkpointing", train="{steps: 6, save_every: 3}")
    found = checks(heard)
    assert set(found) == {"attention", "precision", "checkpointing", "finite", "learnt", "size", "resumable"}
    assert all(good for good, _ in found.values()), found
    assert found["attention"][1] == "attention `sdpa` was used"
    assert "checkpoint-6 is whole, and of step 6" in found["resumable"][1]
    assert heard.summary()["result_bytes"] == sum(p.stat().st_size for p in (folder / "adapter").iterdir())


def test_settings_that_a_library_did_not_take_are_named(make, recipe) -> None:
    model = torch.nn.Linear(2, 2).to(torch.bfloat16)
    model.config = SimpleNamespace(_attn_implementation="eager")  # type: ignore[assignment]
    made = make(recipe(technique="qlora", quantization="bnb-4bit", memory="gradient-checkpointing"))
    found = {check.name: check for check in of_settings(made.plan, model)}
    assert not any(check.good for check in found.values())
    assert found["attention"].said == "attention `eager` was used, and `sdpa` asked for"
    assert found["precision"].said == "2 weights train in another format than float32: weight in bfloat16"
    assert found["checkpointing"].said == "activations were not recomputed"
    assert found["quantization"].said == "0 layers are stored as bnb-4bit says"


def test_a_loss_that_did_not_fall_is_told() -> None:
    (_, learnt) = of_losses([1.0], {"heldout_loss_before": 1.0, "heldout_loss_after": 1.5})
    assert (learnt.good, learnt.said) == (False, "the held-out loss did not fall: 1.0000 to 1.5000")
    (_, learnt) = of_losses([4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.0, 2.0], {})
    assert (learnt.good, learnt.said) == (True, "the training loss fell: 3.5000 to 2.0000")
    assert [check.name for check in of_losses([2.0, 3.0], {})] == ["finite"]  # two steps are no trend
    assert not next(of_losses([float("nan")], {})).good


def test_a_checkpoint_that_is_broken_by_then_is_told(train) -> None:
    _, folder, _ = train(train="{steps: 2, save_every: 2}")
    (folder / "checkpoint-2" / "training_state.pt").write_bytes(b"")
    found = {check.name: check for check in of_files(folder / "adapter", folder)}
    assert not found["resumable"].good
    assert "has 0 bytes" in found["resumable"].said


@pytest.mark.parametrize(("speed", "said"), [(3.0, "slower"), (1e12, "faster"), (None, "")])
def test_a_speed_out_of_the_band_is_told(speed: float | None, said: str, tmp_path: Path) -> None:
    from recipeforge import api
    from recipeforge.schemas.run import Run

    text = (
        "recipeforge: 1\nmodel: meta-llama/Llama-3.1-8B\ntechnique: lora\nprecision: bf16\nbatch: {micro: 2}\n"
        "data: {sequence_length: 1024, packing: true}\nhardware: {gpu: a100-80gb}\n"
    )
    told = api.speed(text)
    assert told is not None
    row = Run("id", "n", "finished", "r", "0", "1", 0, "now", metrics={} if speed is None else {"tokens_per_second": speed})
    found = _speed_said(api.check(text), row)
    assert said in found and bool(found) == bool(said)
    middle = replace(row, metrics={"tokens_per_second": sum(told.tokens_per_s) / 3})
    assert _speed_said(api.check(text), middle) == ""
    assert _speed_said(api.check(text), replace(row, hardware={"device": "cpu"})) == ""
