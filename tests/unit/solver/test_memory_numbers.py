"""The memory formula on recipes whose numbers can be checked by hand, and against published measurements."""

import json
import sys
from pathlib import Path

import pytest

from recipeforge.api import check_document
from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.case import case_of
from recipeforge.solver.memory import GIB, LAVISH, THRIFTY
from recipeforge.solver.memory_budget import Moments, estimate, moments

CATALOG = load()
MEASURED = Path(__file__).parents[4] / "shared/reference/runner/memory_truth.jsonl"
BENCHMARKS = str(Path(__file__).parents[3] / "benchmarks")


def terms(text: str) -> dict[str, int]:
    """Every term of a recipe of SmolLM2-135M: 30 layers, width 576, 134,515,008 weights."""
    found = at(text)
    return {**found.terms, **found.process}


def at(text: str) -> Moments:
    """What a recipe of SmolLM2-135M holds, moment by moment."""
    loadout = read(parse("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\n" + text, "x.yaml"), CATALOG).loadout
    assert loadout is not None
    found = moments(CATALOG, loadout)
    assert found is not None
    return found


def test_full_fine_tuning_in_fp32_keeps_four_four_and_eight_bytes_a_weight():
    found = terms("technique: full\n")
    assert found["weights"] == found["gradients"] == 4 * 134_515_008
    assert found["optimizer"] == 8 * 134_515_008
    assert found["adapter"] == 0


def test_autocast_s_copies_of_the_weights_live_until_the_loss():
    found = terms("technique: full\nprecision: bf16\n")
    assert found["weights"] == 4 * 134_515_008
    assert found["copies"] == 0
    assert found["casts"] == 2 * 134_515_008
    head = terms("technique: full\nprecision: bf16\nmemory: [gradient-checkpointing]\n")["casts"]
    assert head == 2 * 49_152 * 576


def test_states_in_host_memory_take_none_of_the_gpu():
    kept = terms("technique: full\nprecision: bf16\n")
    moved = terms("technique: full\nprecision: bf16\nmemory: [optimizer-offloading]\n")
    assert moved["optimizer"] == 0
    assert {**moved, "optimizer": kept["optimizer"]} == kept


def test_frozen_layers_in_host_memory_leave_one_and_the_embeddings():
    layer = (134_515_008 - 49_152 * 576) // 30
    assert terms("technique: lora\nprecision: bf16\nmemory: [layer-offloading]\n")["weights"] == 2 * (134_515_008 - 29 * layer)
    trained = "technique: full\nprecision: bf16\n"
    assert terms(trained + "memory: [layer-offloading]\n")["weights"] == terms(trained)["weights"]


def test_a_tiled_mlp_is_as_wide_as_a_slice():
    def layer(length: int, more: str) -> int:
        recipe = f"technique: lora\nprecision: bf16\ndata: {{sequence_length: {length}}}\nmemory: [gradient-checkpointing{more}]\n"
        return terms(recipe)["layer"]

    assert layer(576, ", tiled-mlp") == layer(576, "")
    sliced = layer(5760, "") - layer(5760, ", tiled-mlp")
    assert sliced == 9 * (layer(576, "") - 576 * (layer(5760, ", tiled-mlp") - layer(5184, ", tiled-mlp")) // 576)


def test_the_peak_is_the_worst_moment_and_not_the_sum_of_all():
    short = at("technique: full\nprecision: bf16\ndata: {sequence_length: 128}\n")
    assert short.worst == "the end of backward"
    assert short.estimate.total == (4 + 4 + 8) * 134_515_008 + 4 * 49_152 * 576
    long = at("technique: full\nprecision: bf16\ndata: {sequence_length: 8192}\n")
    assert long.worst == "the loss"
    assert long.estimate.terms["gradients"] == 0


def test_accumulated_gradients_are_there_when_the_loss_is_taken():
    recipe = "technique: full\nprecision: bf16\ndata: {sequence_length: 8192}\n"
    once, often = at(recipe), at(recipe + "batch: {accumulate: 4}\n")
    assert often.estimate.total - once.estimate.total == 4 * 134_515_008


def test_adamw_keeps_its_states_in_the_weights_format():
    pure = "technique: full\nprecision: pure-bf16\n"
    assert terms(pure)["optimizer"] == 4 * 134_515_008
    assert terms(pure + "optimizer: adamw-8bit\n")["optimizer"] == int(2.05 * 134_515_008)


def test_autocast_keeps_16_bit_inputs_of_adapters():
    """A layer of SmolLM2: seven wrapped matrices; what else a layer keeps is the same with rank 8 and no autocast."""
    mixed = terms("technique: {use: lora, rank: 8}\nprecision: bf16\n")["activations"]
    layer = 4 * 576 + 2 * (2 * 576 + 2 * 192) + 4 * 9 + 4 * 576 + 2 * 3 * 1536
    inputs = 2 * (3 * 576 + 576 + 2 * 576 + 1536) + 2 * 7 * 8
    assert mixed == 1024 * (30 * (layer + inputs) + 4 * 576)


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


@pytest.mark.parametrize("framework", ["axolotl", "llama-factory", "ms-swift", "trl", "unsloth"])
def test_frameworks_that_load_models_by_themselves_leave_embeddings_in_16_bits(framework: str) -> None:
    whole = 49_152 * 576 + 61 * 576
    found = terms(f"framework: {framework}\ntechnique: qlora\nquantization: bnb-4bit\nprecision: bf16\n")
    assert found["weights"] == int((134_515_008 - whole) * 0.5625 + whole * 2)


LONGEST = [  # the longest rows that Unsloth's own table gives for a card: https://unsloth.ai/docs/basics/unsloth-benchmarks
    ("meta-llama/Llama-3.1-8B", "rtx-3070", 2972),
    ("meta-llama/Llama-3.1-8B", "rtx-4080", 40724),
    ("meta-llama/Llama-3.1-8B", "rtx-4090", 78475),
    ("meta-llama/Llama-3.1-8B", "a100-80gb", 342733),
    ("meta-llama/Llama-3.3-70B-Instruct", "a6000", 12106),
    ("meta-llama/Llama-3.3-70B-Instruct", "a100-80gb", 89389),
]


@pytest.mark.parametrize("framework", ["", "framework: unsloth\n"])
@pytest.mark.parametrize(("model", "gpu", "rows"), LONGEST)
def test_the_longest_rows_that_unsloth_publishes_are_not_refused(model: str, gpu: str, rows: int, framework: str) -> None:
    text = (
        f"recipeforge: 1\n{framework}model: {model}\ntechnique: {{use: qlora, rank: 32}}\nquantization: bnb-4bit\n"
        f"kernels: [unsloth]\nprecision: bf16\nmemory: [gradient-checkpointing, offloaded-checkpointing]\noptimizer: adamw-8bit\n"
        f"data: {{sequence_length: {rows}}}\nhardware: {{gpu: {gpu}}}\n"
    )
    assert "RF8001" not in [d.code for d in check_document(parse(text, "x.yaml")).diagnostics]


def test_checkpointing_keeps_each_layer_s_input():
    found = terms("technique: lora\nprecision: bf16\nmemory: [gradient-checkpointing]\nbatch: {micro: 4}\n")
    assert found["activations"] == 30 * 4 * 1024 * 576 * 2 + 4 * 1024 * 576 * 4


def test_zero_2_keeps_16_bit_weights_whole_and_divides_the_rest():
    found = terms("technique: full\nprecision: bf16\ndistributed: zero-2\nhardware: {gpu: a100-80gb, count: 4}\n")
    assert found["copies"] == 2 * 134_515_008
    assert found["weights"] == 134_515_008
    assert found["optimizer"] == 2 * 134_515_008


def test_zero_2_with_offload_leaves_16_bit_weights_on_the_device():
    recipe = "technique: full\nprecision: bf16\ndistributed: {use: zero-2, offload: true}\nhardware: {gpu: a100-80gb, count: 4}\n"
    found = terms(recipe)
    assert found["copies"] == 2 * 134_515_008
    assert found["weights"] == 134_515_008 // 30
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


def test_logits_take_12_bytes_an_entry_and_the_head_s_output_where_it_is_held():
    for precision, output in (("bf16", 2), ("fp32", 4)):
        text = f"recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: {precision}\n"
        loadout = read(parse(text, "x.yaml"), CATALOG).loadout
        thrifty, lavish = moments(CATALOG, loadout), moments(CATALOG, loadout, practice=LAVISH)
        assert thrifty.terms["logits"] == 1024 * 49_152 * 12
        assert lavish.terms["logits"] == 1024 * 49_152 * (12 + output)


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
    sys.path.insert(0, BENCHMARKS)
    from memory import predicted_gib

    errors = []
    for row in map(json.loads, MEASURED.read_text(encoding="utf-8").splitlines()):
        predicted = predicted_gib(row, CATALOG)
        if isinstance(predicted, float) and "T4" in row["gpu"]:
            errors.append(abs(predicted / row["measured_peak_gib"] - 1))
    assert len(errors) >= 30
    assert max(errors) < 0.04
    assert sorted(errors)[len(errors) // 2] < 0.01


def test_lit_gpt_s_published_peaks_are_met_within_eight_percent():
    if not MEASURED.exists():
        pytest.skip("the measured rows are not part of the project")
    sys.path.insert(0, BENCHMARKS)
    from memory_litgpt import litgpt_gib

    rows = [r for r in map(json.loads, MEASURED.read_text(encoding="utf-8").splitlines()) if "litgpt" in r["source_url"]]
    predicted = [(litgpt_gib(row), row["measured_peak_gib"]) for row in rows]
    errors = [abs(found / measured - 1) for found, measured in predicted if isinstance(found, float)]
    assert len(errors) == 7
    assert max(errors) < 0.08


def test_a_lit_gpt_layer_keeps_what_can_be_counted_by_hand():
    """Width h: the norm's input 2h, dropout 3h, the adapter's output 4h, queries to values 6h, rotated ones 4h, attention's output 2h."""
    sys.path.insert(0, BENCHMARKS)
    from memory_litgpt import SHAPES, layer_bytes

    stable, llama = SHAPES["StableLM Alpha"], SHAPES["Llama-2-7B"]
    assert layer_bytes(stable, 8, quantized=False, wide_norms=False) == 21 * 4096 + 2 * 16384 + 2 * 2 * 8 + 4 * 32
    narrow, wide = (layer_bytes(llama, 8, quantized=True, wide_norms=w) for w in (False, True))
    assert wide - narrow == 2 * 2 * 4096


NEARLY = """recipeforge: 1
model: Qwen/Qwen2.5-1.5B
technique: full
precision: bf16
memory: [gradient-checkpointing]
batch: {micro: 1}
data: {sequence_length: 1024}
hardware: {gpu: GPU}
"""


@pytest.mark.parametrize("optimizer", ["adamw", "adamw-8bit", "lion"])
@pytest.mark.parametrize("gpu", ["l4", "rtx-4090", "a100-40gb"])
def test_the_warning_takes_the_worst_common_loop_and_the_refusal_the_thriftiest(optimizer: str, gpu: str) -> None:
    loadout = read(parse(NEARLY.replace("GPU", gpu) + f"optimizer: {optimizer}\n", "x.yaml"), CATALOG).loadout
    assert loadout is not None
    case, both = case_of(CATALOG, loadout), [moments(CATALOG, loadout, practice=p) for p in (THRIFTY, LAVISH)]
    peaks = [m.estimate.total for m in both if m]
    device = int(float(str(loadout.context.facts["gpu.memory_gib"])) * GIB)
    amounts = {b.rule: (b.amount(case.written), b.limit) for b in case.world.budgets}
    context = sum(m.process.values()) if (m := both[0]) else 0
    assert amounts["RF8001"][0] == peaks[0] - context
    assert amounts["RF8003"][0] == max(peaks) - context
    assert amounts["RF8001"][1] == int(device * 1.04) - context
    said = [d.code for d in check_document(parse(NEARLY.replace("GPU", gpu) + f"optimizer: {optimizer}\n", "x.yaml")).diagnostics]
    assert ("RF8001" in said) == (peaks[0] > device * 1.04)
    assert ("RF8003" in said) == (peaks[0] <= device * 1.04 and max(peaks) > device * 0.94)


def test_the_warning_says_what_the_worst_common_loop_needs() -> None:
    text = NEARLY.replace("GPU", "rtx-4090") + "optimizer: adamw\n"
    loadout = read(parse(text, "x.yaml"), CATALOG).loadout
    worst = moments(CATALOG, loadout, practice=LAVISH) if loadout else None
    assert worst is not None
    needed = f"up to {worst.estimate.total / GIB:.1f} GiB needed, NVIDIA GeForce RTX 4090 has 24 GiB"
    said = [d.message for d in check_document(parse(text, "x.yaml")).diagnostics if d.code == "RF8003"]
    assert said == [f"{needed}, and the allocator reserves some more than it hands out"]


def test_optimizers_with_kernels_of_their_own_and_those_in_backward_step_weight_by_weight() -> None:
    def update(text: str) -> int:
        recipe = f"recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: full\nprecision: bf16\n{text}"
        loadout = read(parse(recipe, "x.yaml"), CATALOG).loadout
        found = moments(CATALOG, loadout, practice=LAVISH) if loadout else None
        assert found is not None
        return found.terms["update"]

    assert update("optimizer: adamw\n") == 4 * 134_515_008
    assert update("optimizer: adamw\nmemory: [optimizer-in-backward]\n") == 4 * 134_515_008 // 30
    assert update("optimizer: adamw-8bit\n") == 0


def test_the_context_counts_on_nvidia_only():
    assert "context" in terms("technique: lora\nhardware: {gpu: t4}\n")
    assert "context" not in terms("technique: lora\nhardware: {gpu: cpu}\n")
    assert GIB == 2**30


@pytest.mark.parametrize("part", ["context-parallel", "ulysses"])
def test_a_split_sequence_divides_what_grows_with_tokens_and_nothing_else(part: str) -> None:
    whole, split = terms("technique: full\n"), terms(f"technique: full\ndistributed: [{{use: {part}, degree: 4}}]\n")
    assert {name: amount for name, amount in split.items() if amount != whole[name]} == {
        name: whole[name] // 4 for name in ("activations", "logits") if whole[name]
    }
