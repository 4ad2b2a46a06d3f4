"""Budgets that share what they remember answer as if each had been built alone."""

from typing import Any

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.memory_budget import memory_budget

CATALOG = load()
RECIPE = "recipeforge: 1\nmodel: {model}\ntechnique: lora\ntrain: {{steps: {steps}}}\n"
RECIPE += "hardware: {{gpu: {gpu}, count: {count}}}\nbudget: {limits}\n"


def case(
    model: str = "Qwen/Qwen3-8B",
    steps: int = 1000,
    gpu: str = "a100-80gb",
    count: int = 1,
    limits: str = "{wall_clock: 2h, memory_gib: 30}",
) -> Case:
    loadout = read(parse(RECIPE.format(model=model, steps=steps, gpu=gpu, count=count, limits=limits), "recipe.yaml"), CATALOG).loadout
    assert loadout is not None
    return case_of(CATALOG, loadout)


def test_another_limit_is_another_budget_on_the_same_amount():
    tight, wide = case(), case(limits="{wall_clock: 900h, memory_gib: 60}")
    assert [b.rule for b in tight.world.budgets] == [b.rule for b in wide.world.budgets]
    assert {"RF8001", "RF8002", "RF8005", "RF8007"} <= {b.rule for b in tight.world.budgets}
    for one, other in zip(tight.world.budgets, wide.world.budgets, strict=True):
        assert one.limit < other.limit or one.rule in ("RF8001", "RF8003")  # the device's own limit is the same
        assert one.amount(tight.written) == other.amount(wide.written)
        assert one.seen is other.seen
        assert one.terms is other.terms


@pytest.mark.parametrize("change", [{"model": "Qwen/Qwen3-4B"}, {"gpu": "h100-80gb"}, {"steps": 500}, {"count": 4}])
def test_what_an_amount_depends_on_is_never_shared(change: dict[str, Any]):
    before, after = (next(b for b in c.world.budgets if b.rule == "RF8005") for c in (case(), case(**change)))
    assert before.seen is not after.seen
    assert before.amount(case().written) != after.amount(case(**change).written)


def test_shared_memory_is_what_a_budget_of_its_own_counts():
    case()  # builds what the next one shares
    shared = case(limits="{memory_gib: 11}")
    budget = next(b for b in shared.world.budgets if b.rule == "RF8002")
    alone = memory_budget(shared.world, CATALOG.rules["RF8002"], 11 * 2**30)
    assert alone is not None
    assert (budget.rule, budget.hard, budget.limit, budget.inputs) == (alone.rule, alone.hard, alone.limit, alone.inputs)
    assert budget.amount(shared.written) == alone.amount(shared.written) > 0
