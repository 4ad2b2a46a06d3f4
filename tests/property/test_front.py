"""The descent of the Pareto front against brute force: every recipe of a small catalog, with its price and its memory."""

import time
from collections import Counter
from dataclasses import replace

import pytest
from catalogs import DIMS, cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle
from test_best_repairs import MANY, WARNING, cost, holds_up, warnings_after

from recipeforge.schemas.loadout import Context, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.preferences import NO_PREFERENCES
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.case import case_of
from recipeforge.solver.complete import memory_of, out_of_reach
from recipeforge.solver.pareto import STEP, descent
from recipeforge.solver.world import same

SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def told(saw):
    """Tell what the random catalogs covered, and insist that there was something to choose."""
    yield
    saw(f"fronts against brute force: {dict(sorted(SEEN.items()))}")
    assert SEEN["fronts"] > 20, SEEN
    assert SEEN["points"] > 1.2 * SEEN["fronts"], SEEN


@settings(MANY, max_examples=MANY.max_examples // 2)
@given(cases(6, always_budget=True, always_batch=True), st.sampled_from([2, 4, 8]))
def test_each_point_is_the_cheapest_of_its_memory(case, micro):
    catalog, loadout = case
    given_anyway = tuple(s for s in loadout.settings if s.knob != "batch.micro")
    loadout = replace(loadout, settings=(*given_anyway, Setting("batch.micro", micro, START_OF_FILE)))
    facts = {**loadout.context.facts, "gpu.memory_gib": 1000.0, **{f"model.{k}": v for k, v in DIMS.items()}}  # there is a way down
    loadout = replace(loadout, context=Context(facts))
    known = case_of(catalog, loadout)
    memory, oracle = memory_of(known), Oracle(catalog, loadout)
    if memory is None or out_of_reach(known):
        return
    ranking = descent(known, memory, 0, 50, time.monotonic() + 20, NO_PREFERENCES)
    assert ranking.complete
    options = [
        (cost(oracle, full) + WARNING * len(broken), memory.amount(mask_of(known.world, full.components, dict(full.values))))
        for full, broken in oracle.judged
        if holds_up(oracle, full, broken)
    ]
    bound = max((taken for _, taken in options), default=0)
    for point in ranking.repairs:
        cured = apply_changes(catalog, loadout, point.changes)
        assert not oracle.hard(oracle.broken(cured))
        assert point.proved
        taken = memory.amount(written(known, cured))
        assert taken <= bound
        assert point.cost + warnings_after(oracle, point) == min(price for price, other in options if other <= bound)
        bound = taken - max(int(taken * STEP), 1)
        SEEN["points"] += 1
    assert not [option for option in options if option[1] <= bound]
    SEEN["fronts" if options else "beyond repair"] += 1


def written(known, cured) -> int:
    """Return the assignment that a changed recipe amounts to, in the world of the recipe before."""
    catalog, world = known.world.catalog, known.world
    held = {e.component for e in cured.equipped}
    filled = {e.slot for e in cured.equipped}
    held |= {s.default for s in catalog.slots.values() if s.default and s.id not in filled}
    values = {knob: catalog.knobs[knob].default for knob in world.domains} | {s.knob: s.value for s in cured.settings}
    return mask_of(world, held, values)


def mask_of(world, held, values) -> int:
    """Return the assignment in which these components are held and these values set."""
    true = sum(1 << world.component_var[c] for c in held)
    for knob, domain in world.domains.items():
        true |= 1 << next(v for value, v in domain if same(value, values[knob]))
    return true
