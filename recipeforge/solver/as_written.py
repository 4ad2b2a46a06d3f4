"""What the rules say of a recipe as it is written, by plain evaluation: nothing is ground, so that one check is quick.

The world of `case.py` gives the same answer (a property test holds the two against each other) and many more; it is built
when somebody asks for cures.
"""

from collections.abc import Iterable

from recipeforge.catalog.subject_walk import subjects_of
from recipeforge.catalog.subjects import CONFIG_PREFIX
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import Condition
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.record import record
from recipeforge.solver.budget_rules import BUDGET_SLACK, TIME_KINDS, TIME_LIMITS, limit_bytes, limiting
from recipeforge.solver.candidates import candidates
from recipeforge.solver.evaluate import evaluate
from recipeforge.solver.latest import Latest
from recipeforge.solver.view import View, view_of

TOO_MANY = "RF0020"
"""Code of the rule that a slot holds at most one component."""
MISSING = "RF0021"
"""Code of the rule that a slot holds at least one component."""


@record
class AsWritten:
    """Which rules a recipe breaks, and which facts would decide others."""

    view: View
    broken: frozenset[str]
    unknown: frozenset[str]
    """Facts that nobody gave and on which some rule's outcome hangs."""


def makes_fail(catalog: Catalog, code: str) -> bool:
    """Return whether a recipe that breaks this rule fails: a slot's own rules do, and all that are errors."""
    return ":" in code or catalog.rules[code].effective_severity == "error"


@Latest
def as_written(catalog: Catalog, loadout: Loadout) -> AsWritten:
    """Return what the rules say of a loadout."""
    view = view_of(catalog, loadout)
    broken, unknown = {*_slots(view), *_memory(loadout, view)}, set[str]()
    for rule in candidates(view):
        pattern = rule.violated_when
        truth = pattern is not None and evaluate(pattern, view)
        if pattern is not None and truth is None:
            unknown.update(_lacking(pattern, view))
        elif truth:
            broken.add(rule.code)
    if any(view.known(limit) is not None for limit in TIME_LIMITS):
        lacking = _lacking_for_time(view)
        unknown.update(lacking)
        broken |= set() if lacking else _time(catalog, loadout)
    return AsWritten(view, frozenset(broken), frozenset(unknown))


def _lacking(pattern: Condition, view: View) -> tuple[str, ...]:
    """Return what a pattern asks for and nobody gave; nothing of a pattern about another tool's keys, which a recipe cannot have."""
    lacking = tuple(s for s in subjects_of(pattern) if view.may_be(s) and view.known(s) is None and s not in view.catalog.slots)
    return () if any(s.startswith(CONFIG_PREFIX) for s in lacking) else lacking


def _slots(view: View) -> Iterable[str]:
    """Return the slots' own rules that are broken: one component at most, one at least."""
    members = {c.slot for c in view.catalog.components.values()}
    for slot in view.catalog.slots.values():
        held = frozenset(view.slots.get(slot.id, ()))
        if slot.cardinality != "many" and len(held) > 1:
            yield f"{TOO_MANY}:{slot.id}"
        if slot.cardinality == "one" and slot.id in members and not held:
            yield f"{MISSING}:{slot.id}"


def _memory(loadout: Loadout, view: View) -> Iterable[str]:
    """Return the limits on memory that the estimate exceeds."""
    for rule in limiting(view.catalog, view.facts):
        limit = limit_bytes(rule, view.knobs, view.facts) if rule.budget in BUDGET_SLACK else None
        if limit is not None:
            from recipeforge.solver.memory_budget import peak

            if peak(str(rule.budget), loadout, view) > limit:
                yield rule.code


def _time(catalog: Catalog, loadout: Loadout) -> set[str]:
    """Return the limits on time and money that are exceeded; their terms are known to budgets only."""
    from recipeforge.solver.case import case_of

    case = case_of(catalog, loadout)
    timed = {rule.code for rule in catalog.rules.values() if rule.budget in TIME_KINDS}
    return {b.rule for b in case.world.budgets if b.rule in timed and not b.holds(case.written)}


def _lacking_for_time(view: View) -> tuple[str, ...]:
    from recipeforge.solver.speed_budget import lacking

    return lacking(view.facts)
