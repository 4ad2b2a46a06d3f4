"""The best completion: what to add so that the recipe runs and costs least of what one wants to save."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.verdict import Repair
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.budgets import Budget
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.costs import TAGGED, changes_between, cost_of, prices, safety_of
from recipeforge.solver.differences import of_memory, of_time
from recipeforge.solver.memory_budget import estimate, memory_budget
from recipeforge.solver.preferences import avoided
from recipeforge.solver.repair import Ranking, rank
from recipeforge.solver.speed_budget import pace_budget
from recipeforge.solver.speed_estimate import speed_of
from recipeforge.solver.titles import title_of

if TYPE_CHECKING:
    from recipeforge.solver.cpsat import Answer
    from recipeforge.solver.exact import Exact

Objective = Literal["changes", "memory", "time"]


def complete(
    catalog: Catalog,
    loadout: Loadout,
    minimize: Objective = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
    limit_s: float = 5.0,
    prefer: Preferences = NO_PREFERENCES,
) -> Ranking:
    """Return the best ways to make the recipe run within extra budgets, such as `{"memory_gib": 16}`.

    `changes`: the cheapest repairs. `memory`: one completion of least peak memory that only adds to the recipe, knobs
    left as they are; where no addition makes it run, the cheapest repair is made first. `time`: the same of least time a token.
    """
    deadline = time.monotonic() + limit_s
    bounded = with_budgets(loadout, within or {})
    ranking = rank(catalog, bounded, count, limit_s, prefer)
    if minimize == "changes":
        return ranking
    found = ranking.repairs
    base = apply_changes(catalog, bounded, found[0].changes) if found else bounded
    case = case_of(catalog, base)
    if case.broken_hard:
        return ranking
    amount = memory_of(case) if minimize == "memory" else pace_budget(case.world)
    best = _least(case, amount, prefer, deadline) if amount else None
    if best is None:
        return replace(ranking, repairs=found[:1])
    true, proved = best
    changes = (*(found[0].changes if found else ()), *changes_between(case, true))
    cured = apply_changes(catalog, bounded, changes)
    after, speed = estimate(catalog, cured), speed_of(catalog, cured)
    numbers = of_memory(estimate(catalog, bounded), after) | of_time(bounded, speed_of(catalog, bounded), speed)
    numbers.pop("saves", None)
    cost = cost_of(true, prices(case)) + (found[0].cost if found else 0)
    title = title_of(catalog, bounded, changes) if changes else f"nothing to add: this is the least {minimize}"
    rate = speed.tokens_per_s[1] if speed else None
    told = Repair(changes, cost, safety_of(case, changes), title, proved, after, rate, numbers)
    return Ranking((told,), proved)


def with_budgets(loadout: Loadout, within: Mapping[str, float]) -> Loadout:
    """Return the loadout with extra `budget.*` settings; a tighter one that is there already stays."""
    settings = {s.knob: s for s in loadout.settings}
    for name, value in within.items():
        knob = f"budget.{name}"
        held = settings.get(knob)
        if held is None or (isinstance(held.value, int | float) and value < held.value):
            settings[knob] = Setting(knob, value, held.span if held else START_OF_FILE)
    return replace(loadout, settings=tuple(settings.values()))


def _least(case: Case, budget: Budget, prefer: Preferences, deadline: float) -> tuple[int, bool]:
    """Return the completion of the least amount with the fewest additions, and whether that is proved.

    Descends: each answer sets the limit for the next, until CP-SAT proves that nothing is lower. Parts that only read a
    checkpoint prepared for them are left out: they would change the model, not add to it.
    """
    from recipeforge.solver.exact import Exact
    from recipeforge.solver.sought import Sought

    world = case.world
    fixed = case.picks | sum(1 << v for domain in world.domains.values() for _, v in domain if case.written >> v & 1)
    left_out = out_of_reach(case) | avoided(case, prefer) | _other_purposes(case)
    best, lowest = case.written, budget.amount(case.written)
    exact = Exact(world)
    while (answer := _below(exact, budget, lowest - 1, fixed, left_out, deadline)).status == "sat":
        best, lowest = answer.true, budget.amount(answer.true)
    if answer.status == "unknown":
        return best, False
    sought = Sought(case, prices(case), fixed, left_out)
    sought.bound(replace(budget, limit=lowest, hard=True))
    final = sought.next(deadline - time.monotonic())
    return (final.true, final.proved) if final.status == "sat" else (best, False)


def memory_of(case: Case) -> Budget | None:
    """Return peak memory as a budget without a limit; `None` when it cannot be judged."""
    rule = next((r for r in case.world.catalog.rules.values() if r.budget == "memory"), None)
    return memory_budget(case.world, rule, 1 << 62) if rule else None


def out_of_reach(case: Case) -> int:
    """Return the parts not in the recipe that no addition reaches: they ask for another checkpoint, or another program."""
    components = case.world.catalog.components
    return sum(1 << v for c, v in case.world.component_var.items() if TAGGED.keys() & components[c].tags) & ~case.written


def _other_purposes(case: Case) -> int:
    """Return what would make the run about something else."""
    slots = (slot for slot in case.world.catalog.slots.values() if slot.purpose)
    members = (case.world.slot_members[slot.id] for slot in slots)
    return sum(mask for mask in members if mask & case.written) & ~case.written


def _below(exact: "Exact", budget: Budget, limit: int, fixed: int, left_out: int, deadline: float) -> "Answer":
    """Return an assignment whose amount is at most `limit`; the cuts found on the way stay in the model."""
    while True:
        answer = exact.solve(fixed, left_out, limit_s=deadline - time.monotonic())
        if answer.status != "sat" or budget.amount(answer.true) <= limit:
            return answer
        exact.add(budget.cut(answer.true, limit))
