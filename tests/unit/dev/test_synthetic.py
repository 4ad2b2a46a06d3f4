"""Synthetic catalogs: as announced, the same every time, with budgets whose cuts are sound."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.models.sums import Sum
from dev.models.synthetic import KINDS, SLOTS, loadouts, synthetic
from recipeforge.solver.clauses import bits
from recipeforge.solver.formula import Formula


@pytest.mark.parametrize("components", [50, 200, 1_000])
def test_a_catalog_is_as_announced(components: int) -> None:
    catalog = synthetic(components, seed=3)
    formula = catalog.model.formula
    assert catalog == synthetic(components, seed=3)
    assert catalog.model.formula.clauses != synthetic(components, seed=4).model.formula.clauses
    assert len(formula.limits) == 3
    assert 2.5 < len(formula.clauses) / components < 6
    assert len(formula.groups) == pytest.approx(1 + SLOTS[components] * sum(k != "many" for k in KINDS) / len(KINDS), abs=2)
    for recipe in catalog.planted:
        assert not formula.violated(sum(1 << v for v in recipe))


def test_budgets_do_not_change_the_rest() -> None:
    with_budgets, without = synthetic(50).model.formula, synthetic(50, budgets=0).model.formula
    assert Formula(with_budgets.size, with_budgets.clauses, with_budgets.groups) == without


def test_every_second_loadout_has_more_than_a_recipe() -> None:
    catalog = synthetic(200)
    picks = loadouts(catalog, 40)
    assert picks == loadouts(catalog, 40)
    foreign = [not any(set(p) <= recipe for recipe in catalog.planted) for p in picks]
    assert not any(foreign[::2])
    assert sum(foreign[1::2]) > 15


WEIGHTS = st.dictionaries(st.integers(0, 6), st.integers(-4, 6).filter(bool), max_size=6)


@given(WEIGHTS, st.integers(-5, 12), st.integers(0, 127))
def test_a_cut_is_broken_by_what_exceeds_and_kept_by_all_that_does_not(weights: dict[int, int], most: int, true: int) -> None:
    limit = Sum(weights, most)

    def total(held: int) -> int:
        return sum(w for v, w in weights.items() if held >> v & 1)

    if limit.keeps(limit.start(true), (), ()):
        assert total(true) <= most
        return
    assert total(true) > most
    cut = limit.cut(true)
    assert not cut.holds(true)
    for held in range(128):
        if total(held) <= most:
            assert cut.holds(held)


@given(WEIGHTS, st.integers(-5, 12), st.integers(0, 127), st.integers(0, 127))
def test_neighbours_are_judged_like_the_assignments_that_they_are(weights: dict[int, int], most: int, here: int, there: int) -> None:
    limit = Sum(weights, most)
    plain = limit.keeps(limit.start(there), (), ())
    assert limit.keeps(limit.start(here), bits(there & ~here), bits(here & ~there)) == plain


def test_a_cut_names_no_more_than_it_needs() -> None:
    cut = Sum({0: 10, 1: 1, 2: 1, 3: -1}, 8).cut(0b111)  # 12: beyond by 4, and all but the first are worth 3 together
    assert (cut.positive, cut.negative) == (0, 0b1)


def test_a_sum_is_a_limit_of_the_formula() -> None:
    formula = Formula(3, (), (), (Sum({0: 2, 1: 2, 2: -1}, 3),))
    kept = [held for held in product((0, 1), repeat=3) if not formula.violated(sum(1 << v for v, x in enumerate(held) if x))]
    assert kept == [h for h in product((0, 1), repeat=3) if 2 * h[0] + 2 * h[1] - h[2] <= 3]
