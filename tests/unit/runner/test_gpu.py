"""The whole way on a CUDA device; skipped elsewhere. The same recipes train on a CPU in `test_training`."""

import pytest

from recipeforge.runner.packages import Need
from recipeforge.runner.run_child import run

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
needs_bnb = pytest.mark.skipif(Need("bitsandbytes", "").installed is None, reason="needs bitsandbytes")

DATA = "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1, packing: true}"
FULL = {"technique": "full", "data": DATA}


@pytest.mark.parametrize(
    "lines",
    [
        {"technique": "{use: lora, rank: 4}", "data": DATA, "precision": "bf16"},
        {"technique": "{use: lora, rank: 4}", "data": DATA, "precision": "fp32", "attention": "eager", "memory": "gradient-checkpointing"},
        {**FULL, "precision": "bf16"},
        {**FULL, "precision": "pure-bf16"},
        {**FULL, "precision": "bf16", "optimizer": "{use: muon, learning_rate: 2.0e-2, auxiliary: adamw}"},
        pytest.param({"technique": "qlora", "quantization": "bnb-4bit", "data": DATA, "precision": "bf16"}, marks=needs_bnb),
        pytest.param({"technique": "lora", "quantization": "bnb-8bit", "data": DATA, "precision": "bf16"}, marks=needs_bnb),
        pytest.param({**FULL, "precision": "bf16", "optimizer": "{use: adamw-8bit, learning_rate: 1.0e-2}"}, marks=needs_bnb),
        pytest.param({**FULL, "precision": "bf16", "optimizer": "{use: paged-adamw-8bit, learning_rate: 1.0e-2}"}, marks=needs_bnb),
    ],
    ids=lambda lines: "-".join(str(v) for k, v in lines.items() if k != "data"),
)
def test_a_recipe_learns_on_the_gpu_and_reloads(train, lines: dict[str, str]) -> None:
    heard, _, done = train(hardware="", train="{steps: 8}", **lines)
    numbers = heard.summary()
    assert done
    assert numbers["heldout_loss_after"] < numbers["heldout_loss_before"] - 0.05
    assert numbers["reload_difference"] <= 1e-3
    (peak,) = heard.of("peak")
    assert peak["how"] == "cuda-max-allocated"
    assert 0 < peak["bytes"] <= numbers["peak_reserved_bytes"]
    assert numbers["tokens_per_second"] > 0


def test_the_row_says_which_gpu(make, recipe, tmp_path) -> None:
    from recipeforge.runner.ledger import Ledger

    made = make(recipe(hardware=""))
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        row = run(made.plan, made.text, ledger)
    assert (row.state, row.message) == ("finished", "")
    assert row.hardware["gpu"] == torch.cuda.get_device_name(0)
    assert {"gpu_memory_gib", "capability", "cuda"} <= set(row.hardware)
    assert row.peak_memory_kind == "cuda-max-allocated"


def test_out_of_memory_is_told_with_the_peak(make, recipe, heard_of, tmp_path) -> None:
    from recipeforge.runner import child

    torch.cuda.set_per_process_memory_fraction(1e-4)
    try:
        heard = heard_of()
        text = recipe(hardware="", data="{source: rows.jsonl, format: text, sequence_length: 4096, packing: true}", batch="{micro: 64}")
        child._run(make(text).plan, tmp_path, heard, [""])
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    (end,) = heard.of("end")
    assert end["state"] == "failed"
    assert end["message"].startswith("out of memory on the GPU")
