import json
import math
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from recipeforge.runner.packages import Need
from recipeforge.schemas.errors import RunError

pytest.importorskip("torch")
import torch

from recipeforge.runner.loop import Pace, planned_steps

needs_bnb = pytest.mark.skipif(Need("bitsandbytes", "").installed is None, reason="needs bitsandbytes")


@pytest.mark.parametrize(
    "lines",
    [
        {"technique": "{use: lora, rank: 4}"},
        {"technique": "full", "precision": "bf16", "optimizer": "{use: adamw, learning_rate: 1.0e-2}"},
        {"technique": "dora", "attention": "eager", "memory": "gradient-checkpointing", "batch": "{micro: 2, accumulate: 2}"},
        {"technique": "rslora", "precision": "pure-bf16", "optimizer": "{use: muon, learning_rate: 2.0e-2}"},
        pytest.param(
            {"technique": "qlora", "quantization": "bnb-4bit", "optimizer": "{use: adamw-8bit, learning_rate: 1.0e-2}"}, marks=needs_bnb
        ),
    ],
    ids=lambda lines: lines["technique"],
)
def test_loss_falls_and_the_saved_result_says_the_same(train, lines: dict[str, str]) -> None:
    data = "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1, packing: true}"
    heard, output, done = train(data=data, train="{steps: 8}", **lines)
    numbers = heard.summary()
    assert done
    assert numbers["heldout_loss_after"] < numbers["heldout_loss_before"] - 0.05
    assert numbers["reload_difference"] <= 1e-3
    assert len(heard.losses()) == 8
    assert heard.of("peak")[-1]["bytes"] >= 0
    assert (Path(heard.of("result")[0]["folder"]) / "tokenizer.json").is_file()
    if lines["technique"] != "full":
        config = json.loads((output / "adapter" / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"].startswith("/")


def test_the_seed_decides_everything(train) -> None:
    first, again, other = train()[0], train()[0], train(seed="4")[0]
    assert first.losses() == again.losses()
    assert first.summary()["heldout_loss_after"] == again.summary()["heldout_loss_after"]
    assert first.losses() != other.losses()


def test_accumulation_is_the_same_step_in_smaller_pieces(train) -> None:
    whole = train(batch="{micro: 8}", train="{steps: 3}")[0].losses()
    pieces = train(batch="{micro: 2, accumulate: 4}", train="{steps: 3}")[0].losses()
    assert whole == pytest.approx(pieces, abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_run(train) -> None:
    with pytest.raises(RunError, match=r"(loss|gradient norm) became (nan|inf) at step \d"):
        train(technique="full", optimizer="{use: sgd, learning_rate: 10.0}", train="{steps: 60, gradient_clip: 0}")


def test_stopping_leaves_a_checkpoint_of_the_last_whole_step(train) -> None:
    heard, output, done = train(stop_after=2, train="{steps: 50}")
    assert not done
    assert len(heard.losses()) == 2
    assert heard.of("checkpoint") == [{"folder": str(output / "checkpoint-2"), "step": 2}]
    state = torch.load(output / "checkpoint-2" / "training_state.pt", weights_only=False)
    assert state["progress"]["step"] == 2
    assert state["optimizers"][0]["state"]
    assert (output / "checkpoint-2" / "adapter_model.safetensors").is_file()
    assert not list(output.glob("*.unfinished"))
    assert heard.of("result") == []


def test_checkpoints_and_evaluations_come_when_they_should(train) -> None:
    heard, output, _ = train(train="{steps: 6, save_every: 2, log_every: 3}", eval="{strategy: steps, every: 4}")
    assert sorted(p.name for p in output.glob("checkpoint-*")) == ["checkpoint-2", "checkpoint-4", "checkpoint-6"]
    assert [f["step"] for f in heard.of("step")] == [3, 6]
    assert [f["step"] for f in heard.of("metric") if f["name"] == "heldout_loss"] == [0, 4, 6]


def test_epochs_are_counted_and_evaluated(train) -> None:
    heard, _, _ = train(train="{epochs: 2}", batch="{micro: 16}", eval="{strategy: epoch}")
    assert heard.of("total") == [{"steps": 8}]  # 54 rows make 4 batches of 16
    assert [f["step"] for f in heard.of("metric") if f["name"] == "heldout_loss"] == [0, 4, 8]


@pytest.mark.parametrize(("steps", "epochs", "wanted"), [(7, 3.0, 7), (None, 1.0, 2), (None, 0.5, 1), (None, 1.5, 3), (None, 0.01, 1)])
def test_how_many_steps(steps: int | None, epochs: float, wanted: int) -> None:
    assert planned_steps(13, 4, 2, steps, epochs) == wanted  # 4 batches, 2 to a step


def test_the_memory_budget_holds(train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recipeforge.runner.memory_peak.PeakMeter.read", lambda meter: (2**31, "rss-delta"))
    assert train(budget="{memory_gib: 2}")[2]
    with pytest.raises(RunError, match=r"took 2\.00 GiB, more than its budget of 1\.5 GiB"):
        train(budget="{memory_gib: 1.5}")


def test_the_time_budget_holds(train) -> None:
    heard, _, done = train(budget="{wall_clock: 0.01s}", train="{steps: 500}")
    assert not done
    assert len(heard.losses()) == 1
    assert heard.of("checkpoint")


def test_without_held_out_rows_the_reload_is_still_checked(train) -> None:
    heard, _, done = train(data="{source: rows.jsonl, format: text, sequence_length: 64}")
    assert done
    assert "heldout_loss_before" not in heard.summary()
    assert heard.summary()["reload_difference"] <= 1e-3


def test_conversations_train(train, tmp_path: Path) -> None:
    line = json.dumps({"prompt": "say yes", "completion": "yes yes"})
    (tmp_path / "talk.jsonl").write_text(f"{line}\n" * 20)
    data = "{source: talk.jsonl, format: instruct, sequence_length: 64, validation: 0.1}"
    heard, _, done = train(data=data, objective="{use: sft, completion_only: true}", train="{steps: 10}")
    assert done
    assert heard.summary()["heldout_loss_after"] < heard.summary()["heldout_loss_before"] - 0.5


def test_a_result_that_does_not_load_as_trained_fails(train, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipeforge.runner import postflight

    real = postflight.reload

    def spoiled(*args):
        model = real(*args)
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "lora_B" in name:
                    p.zero_()
        return model

    monkeypatch.setattr(postflight, "reload", spoiled)
    with pytest.raises(RunError, match="is not what was trained"):
        train()


def test_attention_dropout_reaches_the_model(make, recipe) -> None:
    from recipeforge.runner.loading import load_base

    model = load_base(make(recipe(attention="{use: sdpa, dropout: 0.25}")).plan, torch.device("cpu"))
    assert model.model.layers[0].self_attn.attention_dropout == 0.25


def test_losses_are_plausible(train) -> None:
    heard, _, _ = train(train="{steps: 1}")
    assert heard.losses()[0] == pytest.approx(math.log(257), abs=0.2)


@needs_bnb
def test_measuring_does_not_stop_a_4_bit_base_from_passing_gradients(make, recipe) -> None:
    from recipeforge.runner.loading import load_base

    model = load_base(make(recipe(technique="qlora", quantization="bnb-4bit")).plan, torch.device("cpu"))
    ids = torch.arange(20).view(1, 20)
    gradients = []
    for _ in range(2):
        inputs = model.get_input_embeddings()(ids).detach().requires_grad_()
        model.train()
        model(inputs_embeds=inputs, labels=ids).loss.backward()
        gradients.append(inputs.grad)
        model.eval()
        with torch.no_grad():
            model(input_ids=ids)
    assert gradients[0].abs().max() > 0
    assert torch.equal(gradients[0], gradients[1])


def test_the_child_tells_a_diverging_run_and_a_crash_as_failed(
    make, recipe, heard_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recipeforge.runner import child

    text = recipe(technique="full", optimizer="{use: sgd, learning_rate: 10.0}", train="{steps: 60, gradient_clip: 0}")
    heard = heard_of()
    child._run(make(text).plan, tmp_path, heard, [""])
    (end,) = heard.of("end")
    assert (end["state"], end["steps"]) == ("failed", len(heard.losses()))
    assert "became" in end["message"]
    assert len(heard.of("peak")) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried …"), True),
        (RuntimeError("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation'"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
    ],
    ids=["allocator", "driver", "cublas", "another"],
)
def test_out_of_memory_is_told_with_the_peak(
    make, recipe, heard_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: bool
) -> None:
    from recipeforge.runner import child

    def crash(*args):
        raise error

    monkeypatch.setattr("recipeforge.runner.train.held_out_loss", crash)
    heard = heard_of()
    child._run(make(recipe()).plan, tmp_path, heard, [""])
    (end,) = heard.of("end")
    assert end["message"].startswith("out of memory on the GPU, while measuring held-out loss;") == said
    assert (end["cause"] == "out-of-memory") == said
    assert len(heard.of("peak")) == 1


@pytest.mark.parametrize(("free", "wanted"), [(10.0, ", of whose 80.0 GiB other processes hold about 62.0"), (70.0, "")])
def test_out_of_memory_names_the_others_where_they_hold_much(monkeypatch: pytest.MonkeyPatch, free: float, wanted: str) -> None:
    from recipeforge.runner import devices, endings

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 8 * 2**30)
    monkeypatch.setattr(devices, "visible_gpu", lambda: devices.Gpu("a GPU", 80.0, free, 8.0))
    assert endings._others() == wanted


def test_speed_is_that_of_training_alone(train, monkeypatch: pytest.MonkeyPatch) -> None:
    from recipeforge.runner import train as module

    real = module.held_out_loss

    def slow(*args):
        time.sleep(0.3)
        return real(*args)

    monkeypatch.setattr(module, "held_out_loss", slow)
    before = time.monotonic()
    numbers = train(train="{steps: 6}", eval="{strategy: steps, every: 1}")[0].summary()
    assert time.monotonic() - before > 5 * 0.3
    # 4 rows of a few dozen tokens take milliseconds; with the pauses it would be a few hundred tokens a second.
    assert numbers["tokens_per_second"] > 600


def test_the_first_step_counts_only_where_it_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("recipeforge.runner.loop.time.monotonic", lambda: now[0])
    pace = Pace()
    now[0] = 10.0
    assert pace.step(100) == 10.0
    now[0] = 50.0  # a measurement
    pace.go_on()
    now[0] = 51.0
    assert pace.step(100) == 100.0
    pace.go_on()
    now[0] = 54.0
    assert pace.step(100) == 50.0


def test_a_gpus_allocator_is_told_beside_its_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    from recipeforge.runner.memory_peak import PeakMeter
    from recipeforge.runner.train import hardware

    device = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda d: 5)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda d: 7)
    about = SimpleNamespace(name="NVIDIA H200", total_memory=140 * 2**30, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda d: about)
    meter = PeakMeter(device)
    assert (meter.read(), meter.reserved()) == ((5, "cuda-max-allocated"), 7)
    assert PeakMeter(torch.device("cpu")).reserved() is None
    names = hardware(device)
    assert (names["gpu"], names["gpu_memory_gib"], names["capability"]) == ("NVIDIA H200", "140.0", "9.0")


def test_a_stop_before_the_first_step_is_told_as_such(make, recipe, heard_of, tmp_path: Path) -> None:
    from recipeforge.runner import child

    heard = heard_of()
    child._run(make(recipe()).plan, tmp_path, heard, ["stopped by SIGINT"])
    assert heard.of("end") == [{"state": "interrupted", "message": "stopped by SIGINT", "cause": "", "steps": 0, "seconds": 0.0}]
    assert heard.of("checkpoint") == []
