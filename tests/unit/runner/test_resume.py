"""A run that was ended and goes on ends as one that was not: to the last bit."""

from pathlib import Path

import pytest

from recipeforge.runner.packages import Need
from recipeforge.schemas.errors import RunError

pytest.importorskip("torch")
import torch

EVERY_STEP = "{strategy: steps, every: 2}"
needs_bnb = pytest.mark.skipif(Need("bitsandbytes", "").installed is None, reason="needs bitsandbytes")
needs_schedule_free = pytest.mark.skipif(Need("schedulefree", "").installed is None, reason="needs schedulefree")


def of(component: str, *more: str) -> str:
    return f"{{use: {component}, learning_rate: 5.0e-3{''.join(', ' + word for word in more)}}}"


CASES = {
    "lora": {},
    "dropout": {"technique": "{use: lora, rank: 4, dropout: 0.2}"},
    "accumulation": {"technique": "{use: lora, rank: 4, dropout: 0.2}", "batch": "{micro: 2, accumulate: 3}"},
    "full": {"technique": "full"},
    "full-bf16": {"technique": "full", "precision": "bf16"},
    "pure-bf16": {"technique": "full", "precision": "pure-bf16", "optimizer": of("sgd", "momentum: 0.9")},
    "dora-packed": {"technique": "dora", "data": "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1, packing: true}"},
    "embeddings": {"technique": "{use: rslora, rank: 4, train_embeddings: true}", "memory": "gradient-checkpointing"},
    "adafactor": {"optimizer": of("adafactor")},
    "muon": {"technique": "full", "optimizer": of("muon", "auxiliary: adamw")},
    "schedule-free": {"technique": "full", "optimizer": of("schedule-free-adamw"), "eval": EVERY_STEP},
    "schedule-free-lora": {"optimizer": of("schedule-free-adamw"), "eval": EVERY_STEP},
    "adamw-8bit": {"technique": "full", "optimizer": of("adamw-8bit")},
    "paged-adamw-8bit": {"technique": "full", "optimizer": of("paged-adamw-8bit")},
    "lion-8bit": {"technique": "full", "optimizer": of("lion-8bit")},
    "ademamix-8bit": {"technique": "full", "optimizer": of("ademamix-8bit")},
    "qlora": {"technique": "qlora", "quantization": "bnb-4bit"},
    "bnb-8bit": {"quantization": "bnb-8bit"},
    "cosine": {"scheduler": "{use: cosine, warmup_steps: 2}"},
    "wsd": {"scheduler": "{use: wsd, warmup_steps: 1, decay_steps: 2}"},
    "one-cycle": {"scheduler": "one-cycle"},
    "plateau": {"scheduler": "{use: reduce-on-plateau, patience: 0}", "eval": EVERY_STEP},
    "greedy": {"scheduler": "{use: greedy, patience: 0}", "eval": EVERY_STEP},
    "dlrs": {"scheduler": "{use: dlrs, window: 3}"},
}
MARKS = {name: (needs_bnb,) for name in CASES if "8bit" in name or name == "qlora"} | {
    name: (needs_schedule_free,) for name in CASES if "schedule-free" in name
}


def numbers(heard) -> dict[tuple[int, str], float]:
    """What a ledger would hold: the last number told of each step."""
    return {(f["step"], f["name"]): f["value"] for f in heard.of("metric")}


@pytest.mark.parametrize("case", [pytest.param(name, marks=MARKS.get(name, ())) for name in CASES])
def test_a_run_goes_on_as_if_it_had_not_been_stopped(train, case: str) -> None:
    lines = {"train": "{steps: 6}", **CASES[case]}
    whole = train(**lines)[0]
    first, folder, done = train(stop_after=3, **lines)
    assert not done
    second, _, done = train(go_on_in=folder, **lines)
    assert done
    assert second.of("resume") == [{"step": 3, "folder": str(folder / "checkpoint-3")}]
    assert [f["step"] for f in second.of("step")] == [4, 5, 6]
    assert numbers(first) | numbers(second) == numbers(whole)
    told = ("train_loss_first", "train_loss_last", "heldout_loss_before", "heldout_loss_after", "trainable_parameters")
    assert {name: second.summary()[name] for name in told} == {name: whole.summary()[name] for name in told}
    assert not list(folder.glob("checkpoint-*"))  # the result is there, and nobody asked for them


def test_it_may_be_stopped_within_a_step(train, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers that half a step drew are drawn again."""
    from recipeforge.runner import loop

    lines = {"technique": "{use: lora, rank: 4, dropout: 0.5}", "batch": "{micro: 2, accumulate: 3}", "train": "{steps: 4}"}
    whole = train(**lines)[0]
    real, calls = loop.Bench.loss_sum, []

    def counted(bench, model, lines_):
        if model.training:
            calls.append(1)
        return real(bench, model, lines_)

    class Asked(loop.Stop):
        def __bool__(self) -> bool:
            self.reason = "within step 3" if len(calls) == 8 else ""
            return bool(self.reason)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Bench, "loss_sum", counted)
        patch.setattr(loop, "Stop", Asked)
        first, folder, done = train(**lines)
    assert (done, len(first.losses())) == (False, 2)
    second, _, _ = train(go_on_in=folder, **lines)
    assert numbers(first) | numbers(second) == numbers(whole)


def test_a_run_without_a_checkpoint_begins_again(train, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    heard, _, done = train(go_on_in=tmp_path / "empty")
    assert done
    assert heard.of("resume") == [{"step": 0, "folder": ""}]
    assert numbers(heard) == numbers(train()[0])


def test_a_run_that_was_ended_behind_its_last_step_only_saves(train) -> None:
    whole = train(train="{steps: 4, save_every: 2}")[0]
    _, folder, _ = train(train="{steps: 4, save_every: 2}")
    again = train(go_on_in=folder, train="{steps: 4, save_every: 2}")[0]
    assert again.of("step") == []
    assert again.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()


def spoil(path: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("break_", "said"),
    [
        (lambda c: spoil(c / "training_state.pt"), "training_state.pt is not what was written"),
        (lambda c: spoil(c / "adapter_model.safetensors"), "adapter_model.safetensors is not what was written"),
        (lambda c: (c / "training_state.pt").write_bytes((c / "training_state.pt").read_bytes()[:99]), "has 99 bytes instead of"),
        (lambda c: (c / "adapter_config.json").unlink(), "adapter_config.json is missing"),
        (lambda c: (c / "manifest.json").unlink(), "has no manifest.json"),
        (lambda c: (c / "manifest.json").write_text('{"format": '), "manifest.json cannot be read"),
        (lambda c: (c / "manifest.json").write_text("[]"), "manifest.json cannot be read"),
    ],
    ids=["state", "weights", "short", "gone", "unsealed", "half-a-seal", "odd-seal"],
)
def test_a_broken_checkpoint_is_named_and_the_one_before_is_taken(train, break_, said: str) -> None:
    lines = {"train": "{steps: 6, save_every: 2}"}
    whole = train(**lines)[0]
    _, folder, _ = train(stop_after=5, **lines)
    break_(folder / "checkpoint-5")
    break_(folder / "checkpoint-4")
    heard, _, done = train(go_on_in=folder, **lines)
    assert done
    notes = [f["text"] for f in heard.of("note")]
    assert len(notes) == 2
    assert all(said in note for note in notes), notes
    assert "checkpoint-5" in notes[0]
    assert heard.of("resume")[0]["step"] == 2
    assert heard.losses()[-1] == whole.losses()[-1]
    assert heard.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]


def test_where_none_is_whole_nothing_is_thrown_away(train) -> None:
    _, folder, _ = train(stop_after=2)
    spoil(folder / "checkpoint-2" / "training_state.pt")
    with pytest.raises(RunError, match=r"no checkpoint in .* is whole .*checkpoint-2 is passed over: training_state.pt is not"):
        train(go_on_in=folder)
    assert (folder / "checkpoint-2").is_dir()


def test_half_a_checkpoint_is_none(train) -> None:
    _, folder, _ = train(stop_after=2)
    (folder / "checkpoint-3.unfinished").mkdir()
    (folder / "checkpoint-3.unfinished" / "training_state.pt").write_bytes(b"half")
    heard, _, _ = train(go_on_in=folder)
    assert heard.of("resume")[0]["step"] == 2
    assert heard.of("note") == []


def test_it_does_not_go_on_with_other_data_or_another_model(train, tmp_path: Path, tiny_model: Path) -> None:
    import shutil

    from transformers import LlamaForCausalLM

    copy = tmp_path / "model"
    shutil.copytree(tiny_model, copy)
    _, folder, _ = train(stop_after=2, model=str(copy))
    rows = tmp_path / "rows.jsonl"
    text = rows.read_text()
    rows.write_text(text.replace("cat", "cow"))
    with pytest.raises(RunError, match=r"the rows of rows.jsonl changed since the checkpoint .*checkpoint-2"):
        train(go_on_in=folder, model=str(copy))
    rows.write_text(text)
    model = LlamaForCausalLM.from_pretrained(copy)
    with torch.no_grad():
        model.model.layers[1].mlp.up_proj.weight.add_(0.01)
    model.save_pretrained(copy)
    with pytest.raises(RunError, match=r"the model .* changed since"):
        train(go_on_in=folder, model=str(copy))


def test_checkpoints_of_its_own_come_now_and_then_and_only_two_stay(train, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipeforge.runner import save

    monkeypatch.setattr(save, "NOW_AND_THEN_S", -1.0)
    monkeypatch.setattr(save, "_SHARE", 0)
    heard, folder, _ = train(stop_after=5)
    assert [f["step"] for f in heard.of("checkpoint")] == [1, 2, 3, 4, 5]
    assert sorted(p.name for p in folder.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-5"]


def test_another_process_in_the_folder_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipeforge.runner import checkpoints

    pytest.importorskip("fcntl")
    monkeypatch.setattr(checkpoints, "PATIENCE_S", 0.2)
    refused = pytest.raises(RunError, match="another process still trains in")
    with checkpoints.only_writer(tmp_path), refused, checkpoints.only_writer(tmp_path):
        pass
    with checkpoints.only_writer(tmp_path):
        pass


def test_weights_that_train_lie_where_torch_would_put_them() -> None:
    """Those that a file brought may lie anywhere, and matrix products round by it."""
    from recipeforge.runner.state import align

    layer = torch.nn.Linear(8, 8, bias=False)
    layer.weight = torch.nn.Parameter(torch.randn(65)[1:].view(8, 8))
    before = layer.weight.detach().clone()
    assert layer.weight.data_ptr() % 64
    align(layer)
    assert layer.weight.data_ptr() % 64 == 0
    assert torch.equal(layer.weight, before)
