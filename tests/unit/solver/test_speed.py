"""The time model on recipes whose operations can be counted by hand; what is unknown stays so; budgets of time and money."""

from dataclasses import replace

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.case import case_of
from recipeforge.solver.diagnose import diagnose
from recipeforge.solver.limits import duration_words, usd_words
from recipeforge.solver.memory import Dims, Trains
from recipeforge.solver.prices import price_of
from recipeforge.solver.repair import rank
from recipeforge.solver.resolve import resolve
from recipeforge.solver.speed import (
    CEILING,
    PACES,
    PLAIN,
    Device,
    Options,
    Pass,
    adapter,
    attained,
    attention,
    attention_backward,
    backward,
    forward,
    peak_tflops,
    recomputed,
    reference,
    seconds_an_operation,
)
from recipeforge.solver.speed_budget import FEATURES, SPEEDS
from recipeforge.solver.speed_estimate import LENGTH_UNKNOWN, speed_of, why_unknown

CATALOG = load()
SMALL = Dims(2 * 104 + 80, 2, 8, 2, 1, 4, 16, 5, False)
"""Two layers: q and o 8×8, k and v 8×4, three matrices 8×16: 576 weights each. Vocabulary of 5: 40 weights each way."""
LAYERS = 2 * (2 * 64 + 2 * 32 + 3 * 128)
A100 = Device(312, 19.5, 2000)

RECIPE = """recipeforge: 1
model: meta-llama/Llama-3.1-8B
technique: full
precision: pure-bf16
memory: [gradient-checkpointing, fused-cross-entropy]
attention: flash-attention-2
data: {format: text, sequence_length: 4096, packing: true}
batch: {micro: 1, accumulate: 16}
train: {steps: 2000}
hardware: {gpu: a100-80gb}
"""


def loadout_of(text: str) -> Loadout:
    loadout = read(parse(text, "x.yaml"), CATALOG).loadout
    assert loadout is not None
    return loadout


def small(sequence: int = 10, **more) -> Pass:
    return Pass(replace(SMALL, parameters=LAYERS + 80), LAYERS + 80, sequence, **more)


def test_a_product_and_a_sum_for_each_weight_and_the_head_but_no_embedding():
    assert small().layers == LAYERS
    assert forward(small()) == 2 * (LAYERS + 40)
    assert forward(small(scores_vocabulary=False)) == 2 * LAYERS


def test_backward_is_twice_forward_where_all_trains_and_once_over_a_frozen_base():
    one = small()
    assert backward(one, Trains("base")) == 2 * forward(one)
    assert backward(one, Trains("adapter")) == backward(one, Trains("vectors")) == backward(one, Trains("prompt")) == forward(one)
    assert backward(one, Trains("adapter", embeddings=True)) == forward(one) + 2 * 40
    assert backward(one, Trains("layers", layers=1)) == 4 * LAYERS / 2 + 2 * 40  # one layer of two, and the frozen head


def test_scores_and_sums_of_half_the_sequence_unless_written_out():
    assert attention(small(10)) == 2 * 8 * 10 * 2  # layers × width of queries × sequence × (two products × two / half)
    assert attention(small(10, eager=True)) == 2 * attention(small(10))
    assert attention_backward(small(10), Trains("base")) == 2 * attention(small(10))


def test_an_adapter_has_three_passes_over_its_own_weights():
    of_attention = 2 * 4 * ((8 + 8) + (8 + 4) + (8 + 4) + (8 + 8))
    assert adapter(SMALL, Trains("adapter", rank=4, targets="attention")) == 6 * of_attention
    assert adapter(SMALL, Trains("base")) == 0


def test_recomputing_is_a_pass_forward_without_the_head_and_a_reference_one_with_it():
    one = small()
    assert recomputed(one, Trains("base")) == 2 * LAYERS + attention(one)
    assert reference(one) == forward(one) + attention(one)


def test_peaks_by_format():
    assert peak_tflops(A100, Options()) == 312
    assert peak_tflops(A100, Options(half=False)) == 19.5
    assert peak_tflops(A100, Options(half=False, tf32=True)) == 156
    assert peak_tflops(Device(312), Options(half=False)) == 312  # bounded from above


def test_a_typical_plain_run_on_an_a100_attains_the_plain_share_and_others_less():
    assert attained(A100, Options(), "typical") == pytest.approx(PLAIN)
    assert attained(Device(989, None, 2000 / 312 * 989 / 4), Options(), "typical") == pytest.approx(PLAIN / 2)
    assert seconds_an_operation(A100, Options(), "typical") == pytest.approx(1 / (312e12 * PLAIN))
    for worse in (Options(eager=True), Options(quantized=True), Options(several=True)):
        assert attained(A100, worse, "typical") < PLAIN < attained(A100, Options(kernels=1.2), "typical")
    assert attained(A100, Options(kernels=3), "fast") == CEILING
    assert [attained(A100, Options(), p) for p in PACES] == sorted(attained(A100, Options(), p) for p in PACES)


def test_every_gain_of_a_kernel_is_known_to_the_ranking():
    gains = {float(c.effects["speed"]) for c in CATALOG.members("kernels") if "speed" in c.effects}
    assert gains <= set(SPEEDS)
    assert sorted(SPEEDS, reverse=True) == list(SPEEDS)
    assert len({f.name for f in FEATURES}) == len(FEATURES) == 25


def test_an_8b_run_by_hand():
    found = speed_of(CATALOG, loadout_of(RECIPE))
    assert found is not None
    inside, head = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336), 128256 * 4096
    scores = 32 * 2 * 4096 * 4096
    operations = 8 * inside + 6 * head + 4 * scores
    assert found.operations == pytest.approx(operations, rel=1e-4)  # norms are counted with the matrices
    assert found.tokens_per_s[1] == pytest.approx(312e12 * PLAIN / operations, rel=1e-4)
    assert found.seconds is not None and found.usd is not None
    assert found.seconds[1] == pytest.approx(2000 * 16 * 4096 / found.tokens_per_s[1])
    assert found.seconds[0] > found.seconds[1] > found.seconds[2]
    assert found.usd[0] > found.usd[1] > found.usd[2]
    price = price_of(CATALOG, {"gpu.id": "a100-80gb"}, {})
    assert price is not None and found.price == price
    assert found.usd[1] == pytest.approx(found.seconds[1] / 3600 * price.typical)


def test_several_devices_share_the_work_and_all_are_paid():
    one, two = (speed_of(CATALOG, loadout_of(RECIPE.replace("80gb}", f"80gb, count: {n}}}"))) for n in (1, 2))
    assert one and two and one.seconds and two.seconds and one.usd and two.usd
    assert two.tokens_per_s[1] == pytest.approx(2 * 0.95 * one.tokens_per_s[1])
    assert two.seconds[1] == pytest.approx(one.seconds[1] / 0.95)  # as many steps, of twice the tokens
    assert two.usd[1] == pytest.approx(2 * one.usd[1] / 0.95)


def test_rows_that_do_not_share_a_sequence_are_slower_a_token_and_shorter_a_step():
    packed, alone = (speed_of(CATALOG, loadout_of(RECIPE.replace("packing: true", f"packing: {p}"))) for p in ("true", "false"))
    assert packed and alone and packed.seconds and alone.seconds
    assert alone.tokens_per_s[0] == pytest.approx(0.3 * packed.tokens_per_s[0])
    assert alone.tokens_per_s[2] == packed.tokens_per_s[2]
    assert alone.seconds[0] == packed.seconds[0]
    assert alone.seconds[2] == pytest.approx(0.05 * packed.seconds[2])


def test_epochs_have_a_length_where_rows_are_limited():
    epochs = RECIPE.replace("steps: 2000", "epochs: 2")
    assert (found := speed_of(CATALOG, loadout_of(epochs))) and found.seconds is None and found.usd is None
    assert "train.steps" in LENGTH_UNKNOWN
    found = speed_of(CATALOG, loadout_of(epochs.replace("packing: true", "packing: true, limit: 1000")))
    assert found is not None and found.seconds is not None
    assert found.seconds[0] == pytest.approx(2 * 1000 * 4096 / found.tokens_per_s[0])
    assert found.assumed == ("the data hold 1000 rows, as many as data.limit allows",)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("technique: full", "objective: sft", "no technique says what trains"),
        ("hardware: {gpu: a100-80gb}", "", "no GPU is given (`hardware: {gpu: …}` or --gpu)"),
        ("a100-80gb", "cpu", "no source states the peak of CPU only"),
        ("a100-80gb", "t4", "NVIDIA T4 emulates bf16"),
        ("a100-80gb", "rtx-4060", "no source states the peak of NVIDIA GeForce RTX 4060"),
        ("meta-llama/Llama-3.1-8B", "acme/unheard-of", "the dimensions of `acme/unheard-of` are not known"),
        ("precision: pure-bf16", "precision: fp8", "NVIDIA A100 80 GB has no fp8 products"),
    ],
)
def test_what_nobody_knows_is_not_guessed(old: str, new: str, why: str):
    loadout = loadout_of(RECIPE.replace(old, new))
    assert speed_of(CATALOG, loadout) is None
    assert why_unknown(CATALOG, loadout) == why


def test_fp32_is_told_only_where_its_peak_is_stated():
    fp32 = RECIPE.replace("pure-bf16", "fp32")
    assert speed_of(CATALOG, loadout_of(fp32)) is not None
    assert why_unknown(CATALOG, loadout_of(fp32.replace("a100-80gb", "h200"))) == "no source states the peak of NVIDIA H200 SXM in fp32"
    assert why_unknown(CATALOG, loadout_of(fp32.replace("a100-80gb", "h200") + "kernels: [tf32]\n")) == ""


def test_a_price_of_one_s_own_replaces_published_ones():
    own = price_of(CATALOG, {"gpu.id": "h200"}, {"hardware.price_usd_hour": 0.0})
    assert own is not None and (own.low, own.typical, own.high, own.offers) == (0.0, 0.0, 0.0, ())
    assert price_of(CATALOG, {"gpu.id": "gtx-1080-ti"}, {}) is None
    published = price_of(CATALOG, {"gpu.id": "h100-80gb"}, {})
    assert published is not None and published.low < published.typical < published.high
    assert [o.usd_hour for o in published.offers] == sorted(o.usd_hour for o in published.offers)


# -- budgets -------------------------------------------------------------------------------------------------


def codes(text: str) -> set[str]:
    return {v.code for v in resolve(CATALOG, loadout_of(text)).violations if v.code in ("RF8005", "RF8006", "RF8007", "RF8008")}


def test_beyond_the_fastest_is_an_error_beyond_the_typical_a_warning_and_nothing_without_a_limit():
    found = speed_of(CATALOG, loadout_of(RECIPE))
    assert found and found.seconds
    slow, typical, fast = found.seconds
    assert codes(RECIPE) == set()
    assert codes(f"{RECIPE}budget: {{wall_clock: {fast * 0.99:.0f}s}}\n") == {"RF8005", "RF8007"}
    assert codes(f"{RECIPE}budget: {{wall_clock: {fast * 1.01:.0f}s}}\n") == {"RF8007"}
    assert codes(f"{RECIPE}budget: {{wall_clock: {typical * 1.01:.0f}s}}\n") == set()
    assert codes(f"{RECIPE}budget: {{wall_clock: {slow:.0f}s}}\n") == set()


def test_money_is_judged_by_the_cheapest_offer_and_by_the_recipe_s_own_price():
    found = speed_of(CATALOG, loadout_of(RECIPE))
    assert found and found.usd
    assert codes(f"{RECIPE}budget: {{cost_usd: {found.usd[2] * 0.99}}}\n") == {"RF8006", "RF8008"}
    assert codes(f"{RECIPE}budget: {{cost_usd: {found.usd[2] * 1.01}}}\n") == {"RF8008"}
    assert codes(f"{RECIPE}budget: {{cost_usd: {found.usd[1] * 1.01}}}\n") == set()
    own = RECIPE.replace("80gb}", "80gb, price_usd_hour: 100}")
    assert codes(f"{own}budget: {{cost_usd: {found.usd[1] * 1.01}}}\n") == {"RF8006", "RF8008"}
    free = RECIPE.replace("80gb}", "80gb, price_usd_hour: 0}")
    assert codes(f"{free}budget: {{cost_usd: 0}}\n") == set()


def test_the_worse_finding_is_told_alone_with_its_numbers():
    loadout = loadout_of(f"{RECIPE}budget: {{wall_clock: 2h, cost_usd: 3}}\n")
    told = [d.message for d in diagnose(CATALOG, loadout, resolve(CATALOG, loadout), fixes=False)]
    assert told == ["at least 9.5 h needed, the budget allows 2.0 h", "at least 12.26 USD needed, the budget allows 3.00 USD"]


def test_unknown_length_or_device_breaks_no_budget():
    for unknown in (("steps: 2000", "epochs: 3"), ("a100-80gb", "cpu"), ("meta-llama/Llama-3.1-8B", "acme/unheard-of")):
        assert codes(RECIPE.replace(*unknown) + "budget: {wall_clock: 1m, cost_usd: 0.01}\n") == set()


def test_what_a_limit_would_need_to_know_is_asked_for():
    nowhere = RECIPE.replace("hardware: {gpu: a100-80gb}", "")
    asked = [set(resolve(CATALOG, loadout_of(nowhere + more)).unknown) for more in ("", "budget: {cost_usd: 1}\n")]
    assert asked[1] - asked[0] == {"gpu.bf16_tflops"}
    assert "model.hidden" in resolve(CATALOG, loadout_of(RECIPE.replace("meta-llama", "acme") + "budget: {wall_clock: 1h}\n")).unknown


def test_rows_that_the_data_may_not_have_warn_but_do_not_refuse():
    epochs = RECIPE.replace("steps: 2000", "epochs: 3").replace("packing: true", "packing: true, limit: 100000")
    assert codes(f"{epochs}budget: {{wall_clock: 1m}}\n") == {"RF8007"}


def test_repairs_keep_the_number_of_steps_and_price_what_is_learned_from():
    loadout = loadout_of(f"{RECIPE}budget: {{wall_clock: 8h}}\n")
    ranking = rank(CATALOG, loadout, 5)
    assert len(ranking.repairs) == 5
    assert not any(c.knob == "train.steps" for r in ranking.repairs for c in r.changes)
    smaller = next(r for r in ranking.repairs if r.changes[0].knob == "batch.accumulate")
    assert smaller.cost > 200_000
    assert any(c.component == "gradient-checkpointing" and c.op == "drop" for r in ranking.repairs for c in r.changes)


def test_only_a_limit_makes_a_world_of_its_own_for_what_time_alone_reads():
    def world(text: str):
        return case_of(CATALOG, loadout_of(text)).world

    one, two = (RECIPE.replace("steps: 2000", f"epochs: {n}") for n in (1, 2))
    assert world(one) is world(two)
    limit = "budget: {wall_clock: 8h}\n"
    assert world(one + limit) is not world(two + limit)
    assert not {b.rule for b in world(one).budgets} & {"RF8005", "RF8006", "RF8007", "RF8008"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0.5 s"), (45, "45 s"), (120, "2 min"), (3600, "60 min"), (7200, "2.0 h"), (400_000, "4.6 days")]
)
def test_lengths_of_time(seconds: float, words: str):
    assert duration_words(seconds) == words


def test_money():
    assert [usd_words(x) for x in (0.123, 5, 1234.5)] == ["0.12", "5.00", "1,234"]
