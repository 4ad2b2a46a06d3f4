"""Why one component cannot join the recipe, and the cheapest changes after which it is in it and the recipe runs."""

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Blocked
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.clauses import bits
from recipeforge.solver.costs import changes_between, prices
from recipeforge.solver.explain import steps_from, subject_of
from recipeforge.solver.statuses import Statuses
from recipeforge.solver.titles import title_of

MOST_ANSWERS = 10
"""Cheapest answers that plain resolution may refuse before the search is given up."""


def why_not(catalog: Catalog, loadout: Loadout, component: str, limit_s: float = 5.0) -> Blocked:
    """Return a component's status; where it is blocked, with the steps that show it; where it cannot simply be added, with a cure."""
    case = case_of(catalog, loadout)
    judges = Statuses(case)
    status = next(s for s in judges.all() if s.component == component)
    if status.kind in ("equipped", "available"):
        return Blocked(status)
    bit = 1 << case.world.component_var[component]
    cure = _cure(case, bit, limit_s)
    title = title_of(catalog, loadout, cure) if cure else ""
    if status.kind != "blocked":
        return Blocked(status, (), cure, title)
    judge = judges.without.get(catalog.components[component].slot, judges)
    in_the_way = sum(1 << v for v in bits(judge.case.picks) if subject_of(case.world, v) in status.blockers)
    seats = {g.rule for g in case.world.groups} - judge.ignored  # a status does not name the rule that a seat is taken
    return Blocked(status, steps_from(judge.case, seats.union(status.rules), in_the_way, bit), cure, title)


def _cure(case: Case, wanted: int, limit_s: float) -> tuple[Change, ...] | None:
    """Return the cheapest changes after which the recipe runs with this component in it; `None` where none were found."""
    from recipeforge.solver.sought import Sought

    sought = Sought(case, prices(case), wanted)
    for _ in range(MOST_ANSWERS):
        answer = sought.next(limit_s)
        if answer.status != "sat":
            return None
        changes = changes_between(case, answer.true)
        if not case_of(case.world.catalog, apply_changes(case.world.catalog, case.loadout, changes)).broken_hard:
            return changes
        sought.forbid(answer.true)
    return None
