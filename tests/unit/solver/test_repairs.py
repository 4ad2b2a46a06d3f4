"""Repairs of a recipe that does not fit its card: what they trade, what they leave alone, what they say."""

from itertools import combinations

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.preferences import Preferences
from recipeforge.solver.complete import complete
from recipeforge.solver.costs import CONTENT
from recipeforge.solver.memory import GIB
from recipeforge.solver.pareto import front
from recipeforge.solver.repair import rank, repairs

TOO_LARGE = """\
recipeforge: 1
model: Qwen/Qwen2.5-7B
technique: {use: lora, rank: 16}
precision: bf16
memory: [gradient-checkpointing]
data: {source: ./train.jsonl, format: chat, sequence_length: 2048}
batch: {micro: 4, accumulate: 8}
hardware: {gpu: rtx-4090, count: 1}
budget: {memory_gib: 24}
"""
CATALOG = load()


def recipe(text: str = TOO_LARGE) -> Loadout:
    loadout = read(parse(text, "recipe.yaml"), CATALOG).loadout
    assert loadout is not None
    return loadout


def test_a_smaller_micro_batch_is_made_up_for_and_then_changes_nothing() -> None:
    traded = next(r for r in repairs(CATALOG, recipe(), 6) if any(c.knob == "batch.micro" for c in r.changes))
    values = {c.knob: c.value for c in traded.changes}
    assert int(str(values["batch.micro"])) * int(str(values["batch.accumulate"])) == 32
    assert traded.safety == "safe"
    assert traded.title.startswith("micro 4 → ")
    assert ", accumulate 8 → " in traded.title
    assert traded.context["fits"] == "24 GiB"
    assert "saves" in traded.context


def test_an_odd_batch_gets_the_accumulation_that_it_needs() -> None:
    found = repairs(CATALOG, recipe(TOO_LARGE.replace("micro: 4, accumulate: 8", "micro: 6, accumulate: 5")), 6)
    values = [{c.knob: c.value for c in r.changes} for r in found]
    assert any((v.get("batch.micro"), v.get("batch.accumulate")) in {(1, 30), (2, 15)} for v in values)


def test_where_micro_and_accumulation_move_apart_the_run_changes() -> None:
    text = TOO_LARGE.replace("memory: [gradient", "memory: [optimizer-in-backward, gradient")
    for repair in repairs(CATALOG, recipe(text), 6):
        values = {c.knob: c.value for c in repair.changes}
        batch = int(str(values.get("batch.micro", 4))) * int(str(values.get("batch.accumulate", 8)))
        assert batch == 32 or repair.safety == "unsafe", repair


def test_one_idea_is_told_once() -> None:
    titles = [r.title for r in repairs(CATALOG, recipe(), 8)]
    fused = [t for t in titles if t in ("Add Liger Kernel", "Add Unsloth", "Add chunked cross-entropy", "Add Cut Cross-Entropy")]
    assert len(fused) == 1, titles


def test_the_context_gives_way_after_the_rest() -> None:
    found = repairs(CATALOG, recipe(), 12)
    shortened = [i for i, r in enumerate(found) if any(c.knob == "data.sequence_length" for c in r.changes)]
    assert CONTENT["data.sequence_length"]
    assert not shortened or min(shortened) >= 3


def test_what_is_kept_stays_and_what_is_avoided_comes_last() -> None:
    first = repairs(CATALOG, recipe(), 1)[0]
    assert first.changes == (Change("add", slot="kernels", component="liger"),)
    kept = rank(CATALOG, recipe(), 8, prefer=Preferences(keep=("batch", "precision")))
    assert kept.repairs
    assert not [c for r in kept.repairs for c in r.changes if c.slot == "precision" or str(c.knob).startswith("batch.")]
    avoided = repairs(CATALOG, recipe(), 1, prefer=Preferences(avoid=("kernels",)))[0]
    assert not [c for c in avoided.changes if c.slot == "kernels"]
    everything = Preferences(keep=("batch", "data"), avoid=("kernels", "memory", "distributed", "quantization"))
    assert all(r.cost > 400_000 for r in repairs(CATALOG, recipe(), 3, prefer=everything))


def test_a_front_costs_more_for_each_step_down_in_memory_or_time() -> None:
    for text in (TOO_LARGE, TOO_LARGE.replace("rtx-4090", "rtx-4080")):  # of the second nobody states the peak
        ranking = front(CATALOG, recipe(text), limit_s=60)
        assert ranking.complete
        points = [(r.cost, r.estimate.total, -(r.tokens_per_s or 0)) for r in ranking.repairs if r.estimate]
        assert len(points) == len(ranking.repairs) > 3
        assert points == sorted(points, key=lambda p: p[0])
        assert all(b[1] < a[1] or b[2] < a[2] for a, b in combinations(points, 2))
        assert {r.tokens_per_s is None for r in ranking.repairs} == {"4080" in text}


def test_the_quickest_and_the_smallest_recipes_end_a_front() -> None:
    runs = recipe(TOO_LARGE.replace("rtx-4090", "h200").replace("budget: {memory_gib: 24}\n", ""))
    points = front(CATALOG, runs, count=20, limit_s=20).repairs
    quickest = complete(CATALOG, runs, "time").repairs[0]
    smallest = complete(CATALOG, runs, "memory").repairs[0]
    assert max(p.tokens_per_s or 0 for p in points) >= 0.95 * (quickest.tokens_per_s or 0) > 0
    assert smallest.estimate is not None
    assert min(p.estimate.total for p in points if p.estimate) <= 1.05 * smallest.estimate.total + GIB // 10


def test_a_recipe_that_runs_is_the_first_point_of_its_front() -> None:
    points = front(CATALOG, recipe(TOO_LARGE.replace("rtx-4090", "h200").replace("budget: {memory_gib: 24}\n", ""))).repairs
    assert (points[0].title, points[0].changes, points[0].cost) == ("as written", (), 0)


def test_without_dimensions_there_is_no_front() -> None:
    assert front(CATALOG, recipe(TOO_LARGE.replace("Qwen/Qwen2.5-7B", "nobody/knows-this"))).repairs == ()


def test_no_time_is_no_proof_and_says_so() -> None:
    ranking = rank(CATALOG, recipe(), limit_s=0)
    assert not ranking.complete
    assert not any(r.proved for r in ranking.repairs)
