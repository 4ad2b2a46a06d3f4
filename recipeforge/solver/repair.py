"""The cheapest changes after which the recipe runs: CP-SAT finds and proves them, plain resolution checks them."""

import time
from collections.abc import Iterator
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.record import record
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.as_written import as_written, makes_fail
from recipeforge.solver.budget_rules import BUDGET_SLACK, limit_gib
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.costs import Prices, changes_between, cost_of, prices, safety_of
from recipeforge.solver.differences import of_memory, of_time
from recipeforge.solver.ideas import unchanged
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.preferences import AVOIDED, avoided, kept
from recipeforge.solver.search import OutOfNodes, Search
from recipeforge.solver.speed_estimate import speed_of
from recipeforge.solver.titles import title_of

FRUITLESS = 10
"""Answers that plain resolution may refuse before the search for one repair is given up."""
FEW_NODES = 40
"""Choices tried for a repair once the time is over."""


@record
class Ranking:
    """Repairs, best first, and whether the search for them came to its end."""

    repairs: tuple[Repair, ...]
    complete: bool = True
    """False: the time ran out. There may be more, and one that is not `proved` may not be the cheapest."""


def repairs(
    catalog: Catalog, loadout: Loadout, count: int = 3, limit_s: float = 5.0, prefer: Preferences = NO_PREFERENCES
) -> tuple[Repair, ...]:
    """Return up to `count` repairs, cheapest first, none containing all ideas of an earlier one; none if it is valid.

    Every repair was applied and resolved again. `proved` is false only where the time ran out.
    """
    return rank(catalog, loadout, count, limit_s, prefer).repairs


def rank(catalog: Catalog, loadout: Loadout, count: int = 3, limit_s: float = 5.0, prefer: Preferences = NO_PREFERENCES) -> Ranking:
    """Return the repairs, and whether the time allowed for all of them."""
    deadline = time.monotonic() + limit_s
    case = case_of(catalog, loadout)
    if not case.broken_hard:
        return Ranking(())
    from recipeforge.solver.sought import Sought

    price = preferred(case, prices(case), prefer)
    sought = Sought(case, price, kept(case, prefer))
    found: list[Repair] = []
    for _ in range(count + FRUITLESS):
        if len(found) == count:
            break
        answer = sought.next(deadline - time.monotonic())
        if answer.status != "sat":
            found += [] if found or answer.status == "unsat" else _best_known(case, price, kept(case, prefer))
            return Ranking(tuple(found), answer.status == "unsat")
        repair = repair_of(case, answer.true, price)
        if repair is None:
            sought.forbid(answer.true)
            continue
        found.append(repair if answer.proved else replace(repair, proved=False))
        sought.demand_other_ideas(unchanged(case, answer.true))
    return Ranking(tuple(found))


def _best_known(case: Case, price: Prices, keep: int) -> list[Repair]:
    """Return a repair that is not proved cheapest, if one lies near the recipe as written; none otherwise."""
    try:
        true = Search(case.world, case.written, nodes=FEW_NODES).model(keep)
    except OutOfNodes:
        return []
    repair = None if true is None else repair_of(case, true, price)
    return [] if repair is None else [replace(repair, proved=False)]


def preferred(case: Case, price: Prices, prefer: Preferences) -> Prices:
    """Return the prices with what the project avoids made dear."""
    dear, of = avoided(case, prefer), price.of
    if not dear:
        return price
    return replace(price, of=of | {v: of.get(v, 0) + AVOIDED for v in range(case.world.size) if dear >> v & 1})


def repair_of(case: Case, true: int, price: Prices) -> Repair | None:
    """Return the repair that an assignment stands for, or `None` when it does not hold up."""
    catalog, loadout = case.world.catalog, case.loadout
    changes = changes_between(case, true)
    cured = apply_changes(catalog, loadout, changes)
    if any(makes_fail(catalog, code) for code in as_written(catalog, cured).broken):  # not the world that proposed it: a second opinion
        return None
    after, speed = estimate(catalog, cured), speed_of(catalog, cured)
    numbers = dict(_fits(case)) | of_memory(estimate(catalog, loadout), after)
    numbers |= of_time(loadout, speed_of(catalog, loadout), speed)
    return Repair(
        changes,
        cost_of(true, price),
        safety_of(case, changes),
        title_of(catalog, loadout, changes),
        proved=True,
        estimate=after,
        tokens_per_s=speed.tokens_per_s[1] if speed else None,
        context=numbers,
    )


def _fits(case: Case) -> Iterator[tuple[str, str]]:
    """Say which limit of memory a repair makes the recipe keep."""
    catalog = case.world.catalog
    limits = [
        limit_gib(r, case.world.constants, case.world.facts)
        for r in catalog.rules.values()
        if r.budget in BUDGET_SLACK and r.code in case.broken_hard
    ]
    known = [limit for limit in limits if limit is not None]
    if known:
        yield "fits", f"{min(known):g} GiB"
