"""Budgets: a cut excludes what exceeded the limit, and nothing that stays within it; a bound is none that something falls below."""

from itertools import product

from catalogs import cases
from hypothesis import HealthCheck, given, settings

from recipeforge.solver.case import case_of

SEEN = {"cuts": 0, "kept": 0, "bounds": 0, "reached": 0}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(6, always_budget=True))
def test_cuts_and_bounds_say_nothing_wrong(case):
    solved = case_of(*case)
    world = solved.world
    if world.size > 14:
        return
    assignments = [sum(1 << v for v, bit in enumerate(bits) if bit) for bits in product((0, 1), repeat=world.size)]
    orderly = [a for a in assignments if all((held := g.members & a) & (held - 1) == 0 for g in world.groups)]
    whole = [a for a in orderly if all(a & members for members in world.domain_members.values())]
    for budget in world.budgets:
        within = [a for a in whole if budget.holds(a)]
        for exceeding in [a for a in whole if not budget.holds(a)][:20]:
            cut = budget.cut(exceeding)
            assert not cut.holds(exceeding)
            assert all(cut.holds(a) for a in within)
            SEEN["cuts"] += 1
            SEEN["kept"] += len(within)
        for some, other in zip(whole[::7], whole[3::5], strict=False):
            true, false = some & other, ~(some | other)
            least, amounts = budget.least(true, false), [budget.amount(a) for a in whole if not true & ~a and not false & a]
            assert least <= min(amounts)
            SEEN["bounds"] += 1
            SEEN["reached"] += least == min(amounts) and len(set(amounts)) > 1


def test_enough_cuts_were_seen():
    assert SEEN["cuts"] >= 500, SEEN
    assert SEEN["kept"] >= 5000, SEEN
    assert SEEN["bounds"] >= 500, SEEN
    assert SEEN["reached"] >= 50, SEEN
