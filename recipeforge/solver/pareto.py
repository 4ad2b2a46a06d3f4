"""The Pareto front of memory against changes: for every step down in memory, the cheapest changes that reach it."""

import time
from collections.abc import Mapping
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.case import case_of
from recipeforge.solver.complete import memory_of, other_checkpoints, with_budgets
from recipeforge.solver.costs import prices
from recipeforge.solver.memory_budget import GIB
from recipeforge.solver.preferences import kept
from recipeforge.solver.repair import Ranking, preferred, repair_of

STEP = 0.05
"""Each point takes at least this share less memory than the one before, and at least a tenth of a GiB: smaller steps are no choice."""
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
    """Return recipes that run, the fewest changes first, each later one of less memory at more cost; none where memory is unknown.

    Nothing that costs less than a point takes as little memory. The recipe as written is a point where it runs.
    """
    deadline = time.monotonic() + limit_s
    case = case_of(catalog, with_budgets(loadout, within or {}))
    memory = memory_of(case)
    if memory is None:
        return Ranking(())
    from recipeforge.solver.exact import Exact

    exact, price = Exact(case.world, soft=True), preferred(case, prices(case), prefer)
    true, false = kept(case, prefer), other_checkpoints(case)
    found: list[Repair] = []
    refused = 0
    while len(found) < count and refused < REFUSED:
        answer = exact.solve(true, false, price=price, limit_s=deadline - time.monotonic())
        if answer.status != "sat":
            return Ranking(tuple(found), answer.status == "unsat")
        point = repair_of(case, answer.true, price)
        if point is None:
            refused += 1
            exact.forbid(answer.true)
            continue
        if found and found[-1].cost == point.cost:
            found.pop()
        title = point.title or "as written"
        found.append(replace(point, title=title, proved=answer.proved))
        taken = memory.amount(answer.true)
        exact.bound(replace(memory, limit=taken - max(int(taken * STEP), GIB // 10), hard=True))
    return Ranking(tuple(found), refused < REFUSED)
