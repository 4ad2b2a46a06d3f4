"""The memory formula on recipes whose numbers can be checked by hand, and against published measurements."""

import json
from pathlib import Path

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.memory_budget import GIB, estimate

CATALOG = load()
MEASURED = Path(__file__).parents[4] / "shared/reference/runner/memory_truth.jsonl"


def terms(text: str) -> dict[str, int]:
    """The estimate of a recipe of SmolLM2-135M: 30 layers, width 576, 134,515,008 weights."""
    loadout = read(parse("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\n" + text, "x.yaml"), CATALOG).loadout
    assert loadout is not None
    found = estimate(CATALOG, loadout)
    assert found is not None
    return dict(found.terms)


def test_full_fine_tuning_in_fp32_keeps_four_four_and_eight_bytes_a_weight():
    found = terms("technique: full\n")
    assert found["weights"] == found["gradients"] == 4 * 134_515_008
    assert found["optimizer"] == 8 * 134_515_008
    assert found["adapter"] == 0


def test_mixed_precision_keeps_a_16_bit_copy_beside_the_weights():
    assert terms("technique: full\nprecision: bf16\n")["weights"] == 6 * 134_515_008


def test_lora_trains_rank_times_inputs_plus_outputs_of_each_matrix():
    shapes = [(576, 576), (576, 192), (576, 192), (576, 576), (576, 1536), (576, 1536), (1536, 576)]
    trained = 30 * sum(8 * (i + o) for i, o in shapes)
    found = terms("technique: {use: lora, rank: 8}\nprecision: bf16\n")
    assert found["adapter"] == found["gradients"] == 4 * trained
    assert found["optimizer"] == 8 * trained
    assert found["weights"] == 2 * 134_515_008


def test_a_4_bit_base_keeps_embeddings_and_norms_whole():
    whole = 49_152 * 576 + 61 * 576
    expected = int((134_515_008 - whole) * 0.5625 + whole * 4)
    assert terms("technique: qlora\nquantization: bnb-4bit\nprecision: bf16\n")["weights"] == expected


def test_checkpointing_keeps_each_layer_s_input():
    found = terms("technique: lora\nprecision: bf16\nmemory: [gradient-checkpointing]\nbatch: {micro: 4}\n")
    assert found["activations"] == 30 * 4 * 1024 * 576 * 2


def test_zero_2_keeps_16_bit_weights_whole_and_divides_the_rest():
    found = terms("technique: full\nprecision: bf16\ndistributed: zero-2\nhardware: {gpu: a100-80gb, count: 4}\n")
    assert found["weights"] == 2 * 134_515_008 + 134_515_008
    assert found["optimizer"] == 2 * 134_515_008


def test_zero_2_with_offload_leaves_16_bit_weights_on_the_device():
    recipe = "technique: full\nprecision: bf16\ndistributed: {use: zero-2, offload: true}\nhardware: {gpu: a100-80gb, count: 4}\n"
    found = terms(recipe)
    assert found["weights"] == 2 * 134_515_008 + 134_515_008 // 30
    assert found["optimizer"] == 2 * 134_515_008 // 30


def test_a_reward_model_scores_no_vocabulary():
    assert terms("technique: lora\nprecision: bf16\nobjective: reward\n")["logits"] == 0


def test_unsloth_s_loss_never_holds_all_logits():
    whole = terms("technique: lora\nprecision: bf16\n")["logits"]
    assert terms("technique: lora\nprecision: bf16\nkernels: [unsloth]\n")["logits"] == whole // 8


def test_paged_states_need_no_device_memory():
    assert terms("technique: full\nprecision: bf16\noptimizer: paged-adamw-8bit\n")["optimizer"] == 0
    assert terms("technique: full\nprecision: bf16\noptimizer: adamw-8bit\n")["optimizer"] == int(134_515_008 * 2.05)


def test_a_layerwise_optimizer_frees_each_layer_s_gradient():
    whole = "technique: full\nprecision: pure-bf16\noptimizer: {use: galore, target_modules: all-linear"
    assert terms(whole + "}\n")["gradients"] == 2 * 134_515_008
    assert terms(whole + ", layerwise: true}\n")["gradients"] == 2 * 134_515_008 // 30


def test_logits_take_14_bytes_an_entry_in_16_bits_and_16_in_fp32():
    assert terms("technique: lora\nprecision: bf16\n")["logits"] == 1024 * 49_152 * 14
    assert terms("technique: lora\n")["logits"] == 1024 * 49_152 * 16


def test_zero_divides_what_its_stage_says():
    one = terms("technique: full\nprecision: pure-bf16\n")
    for stage, divided in ((1, {"optimizer"}), (2, {"optimizer", "gradients"}), (3, {"optimizer", "gradients", "weights"})):
        four = terms(f"technique: full\nprecision: pure-bf16\ndistributed: [zero-{stage}]\nhardware: {{count: 4}}\n")
        for term in ("optimizer", "gradients", "weights"):
            assert four[term] == one[term] // (4 if term in divided else 1), (stage, term)


def test_dpo_holds_pairs_and_a_reference_model():
    sft, dpo = terms("technique: full\n"), terms("technique: full\nobjective: dpo\ndata: {format: preference}\n")
    assert dpo["logits"] == 2 * sft["logits"]
    assert dpo["reference"] == 4 * 134_515_008


def test_an_unknown_model_is_not_estimated():
    loadout = read(parse("recipeforge: 1\nmodel: nobody/knows-this\ntechnique: lora\n", "x.yaml"), CATALOG).loadout
    assert loadout is not None
    assert estimate(CATALOG, loadout) is None


def test_measured_peaks_on_a_t4_are_met_within_five_percent():
    if not MEASURED.exists():
        pytest.skip("the measured rows are not part of the project")
    import sys

    sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
    from memory import predicted_gib

    errors = []
    for row in map(json.loads, MEASURED.read_text(encoding="utf-8").splitlines()):
        predicted = predicted_gib(row, CATALOG)
        if isinstance(predicted, float):
            errors.append(abs(predicted / row["measured_peak_gib"] - 1))
    assert len(errors) >= 30
    assert max(errors) < 0.05
    assert sorted(errors)[len(errors) // 2] < 0.01


def test_the_context_counts_on_nvidia_only():
    assert "context" in terms("technique: lora\nhardware: {gpu: t4}\n")
    assert "context" not in terms("technique: lora\nhardware: {gpu: cpu}\n")
    assert GIB == 2**30
