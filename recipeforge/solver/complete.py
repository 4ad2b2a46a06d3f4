"""The best completion: what to add so that the recipe runs and costs least of what one wants to save."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.budgets import Budget
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.costs import changes_between, cost_of, prices, safety_of
from recipeforge.solver.memory_budget import GIB, estimate, memory_budget
from recipeforge.solver.repair import repairs
from recipeforge.solver.titles import title_of

if TYPE_CHECKING:
    from recipeforge.solver.exact import Exact

Objective = Literal["changes", "memory"]


def complete(
    catalog: Catalog,
    loadout: Loadout,
    minimize: Objective = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
    limit_s: float = 5.0,
) -> tuple[Repair, ...]:
    """Return the best ways to make the recipe run within extra budgets, such as `{"memory_gib": 16}`.

    `changes`: the cheapest repairs. `memory`: one completion of least peak memory that only adds to the recipe, knobs
    left as they are; where no addition makes it run, the cheapest repair is made first.
    """
    bounded = with_budgets(loadout, within or {})
    found = repairs(catalog, bounded, count, limit_s)
    if minimize == "changes":
        return found
    base = apply_changes(catalog, bounded, found[0].changes) if found else bounded
    case = case_of(catalog, base)
    if case.broken_hard:
        return ()
    best = _least_memory(case, limit_s)
    if best is None:
        return found[:1]
    changes = (*(found[0].changes if found else ()), *changes_between(case, best))
    cured = apply_changes(catalog, bounded, changes)
    after, before = estimate(catalog, cured), estimate(catalog, bounded)
    numbers = {"memory": f"{before.total / GIB:.1f} → {after.total / GIB:.1f} GiB"} if before and after else {}
    cost = cost_of(best, prices(case)) + (found[0].cost if found else 0)
    title = title_of(catalog, bounded, changes) if changes else "nothing to add: this is the least memory"
    return (Repair(changes, cost, safety_of(case, changes), title, proved=True, estimate=after, context=numbers),)


def with_budgets(loadout: Loadout, within: Mapping[str, float]) -> Loadout:
    """Return the loadout with extra `budget.*` settings; a tighter one that is there already stays."""
    settings = {s.knob: s for s in loadout.settings}
    for name, value in within.items():
        knob = f"budget.{name}"
        held = settings.get(knob)
        if held is None or (isinstance(held.value, int | float) and value < held.value):
            settings[knob] = Setting(knob, value, held.span if held else START_OF_FILE)
    return replace(loadout, settings=tuple(settings.values()))


def _least_memory(case: Case, limit_s: float) -> int | None:
    """Return the completion of least memory with the fewest additions; `None` when memory cannot be judged.

    Descends: each answer sets the limit for the next, until CP-SAT proves that nothing is lower. Parts that only read a
    checkpoint prepared for them are left out: they would change the model, not add to it.
    """
    from recipeforge.solver.exact import Exact

    world = case.world
    rule = next((r for r in world.catalog.rules.values() if r.budget == "memory"), None)
    budget = rule and memory_budget(world, rule, 1 << 62)
    if not budget:
        return None
    fixed = case.picks | sum(1 << v for domain in world.domains.values() for _, v in domain if case.written >> v & 1)
    other_checkpoint = (
        sum(1 << v for c, v in world.component_var.items() if "prequantized" in world.catalog.components[c].tags) & ~case.written
    )
    best, lowest = case.written, budget.amount(case.written)
    exact = Exact(world, soft=True)
    price = prices(case)
    while True:
        answer = _below(exact, budget, lowest - 1, fixed, other_checkpoint, limit_s)
        if answer is None:
            break
        best, lowest = answer, budget.amount(answer)
    cheapest = Exact(replace(world, budgets=(*world.budgets, replace(budget, limit=lowest, hard=True))), soft=True)
    final = cheapest.solve(fixed, other_checkpoint, price=price, limit_s=limit_s)
    return final.true if final.status == "sat" else best


def _below(exact: "Exact", budget: Budget, limit: int, fixed: int, left_out: int, limit_s: float) -> int | None:
    """Return an assignment whose amount is at most `limit`; the cuts found on the way stay in the model."""
    while True:
        answer = exact.solve(fixed, left_out, limit_s=limit_s)
        if answer.status != "sat":
            return None
        if budget.amount(answer.true) <= limit:
            return answer.true
        exact.add(replace(budget.cut(answer.true, limit), hard=True))
