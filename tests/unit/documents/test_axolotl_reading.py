"""Blocks of Axolotl's configuration that equip something by being there."""

from recipeforge.api import check

CONFIG = """base_model: HuggingFaceTB/SmolLM2-135M
datasets: [{path: ./train.jsonl, type: completion}]
sequence_len: 1024
micro_batch_size: 1
gradient_accumulation_steps: 8
num_epochs: 1
optimizer: adamw_torch
learning_rate: 0.0002
bf16: true
"""


def test_a_qat_block_is_quantization_aware_training() -> None:
    block = "qat: {weight_dtype: int4, activation_dtype: int8}\n"
    whole, adapter, without = (check(f"{CONFIG}{more}") for more in (block, f"{block}adapter: lora\n", "qat:\nadapter: lora\n"))
    assert "RF1024" in {d.code for d in adapter.diagnostics}
    assert "RF1024" not in {d.code for report in (whole, without) for d in report.diagnostics}


def test_offloaded_layer_inputs_stay_inside_checkpointing() -> None:
    block = "adapter: lora\ngradient_checkpointing: true\nselective_checkpointing: true\nactivation_offloading: "
    inputs, everything = ({d.code for d in check(f"{CONFIG}{block}{word}\n").diagnostics} for word in ("hidden_states", "legacy"))
    assert "RF5422" not in inputs
    assert "RF5422" in everything
