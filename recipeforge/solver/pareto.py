"""Choices between memory, speed and changes: for every step down in memory or in time, the cheapest changes that reach it."""

import time
from collections.abc import Mapping
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.budgets import Budget
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.complete import memory_of, out_of_reach, with_budgets
from recipeforge.solver.costs import prices
from recipeforge.solver.memory import GIB
from recipeforge.solver.preferences import kept
from recipeforge.solver.repair import Ranking, preferred, repair_of
from recipeforge.solver.speed_budget import pace_budget

STEP = 0.05
"""Each point takes at least this share less than the one before, and at least a tenth of a GiB of memory: smaller steps are no choice."""
REFUSED = 20
"""Answers that plain resolution may refuse before the front is left as it is."""


def front(
    catalog: Catalog,
    loadout: Loadout,
    within: Mapping[str, float] | None = None,
    count: int = 8,
    limit_s: float = 5.0,
    prefer: Preferences = NO_PREFERENCES,
) -> Ranking:
    """Return recipes that run, the cheapest changes first: up to `count` for memory, and as many for speed where it is known.

    Nothing that costs less than a point takes as little memory, or, of the other kind, as little time a token. None is worse
    than another in memory, speed and cost together. The recipe as written is a point where it runs.
    """
    start = time.monotonic()
    case = case_of(catalog, with_budgets(loadout, within or {}))
    memory, pace = memory_of(case), pace_budget(case.world)
    if memory is None:
        return Ranking(())
    down = descent(case, memory, GIB // 10, count, start + (limit_s / 2 if pace else limit_s), prefer)
    faster = descent(case, pace, 0, count, start + limit_s, prefer) if pace else Ranking(())
    every = list({p.changes: p for p in (*down.repairs, *faster.repairs)}.values())
    points = [p for p in every if not any(_beats(other, p) for other in every)]
    return Ranking(tuple(sorted(points, key=lambda p: p.cost)), down.complete and faster.complete)


def descent(case: Case, amount: Budget, least: int, count: int, deadline: float, prefer: Preferences) -> Ranking:
    """Return the cheapest recipe for each step down in an amount."""
    from recipeforge.solver.sought import Sought

    price = preferred(case, prices(case), prefer)
    sought = Sought(case, price, kept(case, prefer), out_of_reach(case))
    found: list[Repair] = []
    refused = 0
    while len(found) < count and refused < REFUSED:
        answer = sought.next(deadline - time.monotonic())
        if answer.status != "sat":
            return Ranking(tuple(found), answer.status == "unsat")
        point = repair_of(case, answer.true, price)
        if point is None:
            refused += 1
            sought.forbid(answer.true)
            continue
        if found and found[-1].cost == point.cost:
            found.pop()
        title = point.title or "as written"
        found.append(replace(point, title=title, proved=answer.proved))
        taken = amount.amount(answer.true)
        sought.bound(replace(amount, limit=taken - max(int(taken * STEP), least, 1), hard=True))
    return Ranking(tuple(found), refused < REFUSED)


def _beats(one: Repair, other: Repair) -> bool:
    """Return whether a point is no worse in memory, speed and cost, and better in one of them."""
    mine, theirs = _worth(one), _worth(other)
    return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def _worth(point: Repair) -> tuple[float, float, float]:
    """Return memory, time and cost; the less the better."""
    return point.estimate.total if point.estimate else 0, -(point.tokens_per_s or 0), point.cost
