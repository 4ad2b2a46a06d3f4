"""The cheapest changes after which the recipe runs: CP-SAT finds and proves them, plain resolution checks them."""

import time

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.costs import Prices, changes_between, prices, safety_of, unchanged
from recipeforge.solver.memory_budget import GIB, estimate
from recipeforge.solver.titles import title_of

FRUITLESS = 10
"""Answers that plain resolution may refuse before the search for one repair is given up."""


def repairs(catalog: Catalog, loadout: Loadout, count: int = 3, limit_s: float = 5.0) -> tuple[Repair, ...]:
    """Return up to `count` repairs, cheapest first, none containing all ideas of an earlier one; none if it is valid.

    Every repair was applied and resolved again. `proved` is false only where the time ran out.
    """
    case = case_of(catalog, loadout)
    if not case.broken_hard:
        return ()
    from recipeforge.solver.exact import Exact

    exact = Exact(case.world, soft=True)
    price = prices(case)
    deadline = time.monotonic() + limit_s
    found: list[Repair] = []
    for _ in range(count + FRUITLESS):
        left = deadline - time.monotonic()
        if len(found) == count or left <= 0:
            break
        answer = exact.solve(costs=price.of, offset=price.offset, limit_s=left)
        if answer.status != "sat":
            break
        exact.demand_other_ideas(unchanged(case, answer.true))
        repair = _repair(case, answer.true, price)
        if repair is not None:
            found.append(repair)
    return tuple(found)


def _repair(case: Case, true: int, price: Prices) -> Repair | None:
    """Return the repair that an assignment stands for, or `None` when it does not hold up."""
    catalog, loadout = case.world.catalog, case.loadout
    changes = changes_between(case, true)
    cured = apply_changes(catalog, loadout, changes)
    if case_of(catalog, cured).broken_hard:
        return None
    before, after = estimate(catalog, loadout), estimate(catalog, cured)
    numbers: dict[str, str] = {}
    if before and after and before.total != after.total:
        numbers["memory"] = f"{before.total / GIB:.1f} → {after.total / GIB:.1f} GiB"
    return Repair(
        changes,
        cost_of(true, price),
        safety_of(case, changes),
        title_of(catalog, loadout, changes),
        proved=True,
        estimate=after,
        context=numbers,
    )


def cost_of(true: int, price: Prices) -> int:
    """Return the cost of a full assignment."""
    return price.offset + sum(c for v, c in price.of.items() if true >> v & 1)
