"""Quick fixes for one violation: the rule's own and those its pattern suggests, each tried before it is offered."""

from collections.abc import Collection, Iterable, Sequence

from recipeforge.schemas.change import Change, Safety
from recipeforge.schemas.diagnostic import Fix
from recipeforge.schemas.rule import Rule
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.as_written import makes_fail
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.costs import changes_between, safety_of
from recipeforge.solver.titles import title_of

MOST_FIXES = 4
SAFETY_ORDER: dict[Safety, int] = {"safe": 0, "unsafe": 1, "display": 2}


def fixes_for(case: Case, code: str, rule: Rule | None) -> tuple[Fix, ...]:
    """Return the cures of one broken rule that break nothing new, best first.

    Best: no new warning, then safe, then in the order the rule's author gave, then the fewest changes.
    """
    offered: dict[tuple[Change, ...], tuple[tuple[int, int, int], Fix]] = {}
    for order, (title, safety, changes) in enumerate(_candidates(case, code, rule)):
        changes = fitted(case, changes)
        if not changes or changes in offered or not all(map(case.loadout.can_say, changes)):
            continue
        new_warnings = _verified(case, code, changes)
        if new_warnings is None:
            continue
        if any(c.op == "replace" for c in changes) and safety == "safe" and not _all_slots_safe(case, changes):
            title, safety = title_of(case.world.catalog, case.loadout, changes), "unsafe"
        offered[changes] = ((new_warnings, SAFETY_ORDER[safety], order), Fix(title, safety, changes))
    ranked = sorted(offered.values(), key=lambda pair: pair[0])
    return tuple(fix for _, fix in ranked[:MOST_FIXES])


def fitted(case: Case, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return changes that fit the recipe: an addition to a slot that is taken replaces the holder, what is done already is left out."""
    catalog, loadout = case.world.catalog, case.loadout
    found: list[Change] = []
    for change in changes:
        held = loadout.components_in(change.slot) if change.slot else ()
        if change.op == "add" and change.slot and catalog.slots[change.slot].cardinality != "many" and held:
            if change.component not in held:
                found.append(Change("replace", slot=change.slot, component=change.component, previous=held[0]))
        elif change.op == "replace" and change.previous not in held:
            if not held:  # the previous one stands by default only
                found.append(Change("add", slot=change.slot, component=change.component))
        elif (change.op == "drop" and change.slot and change.component not in held) or (
            change.op == "drop" and change.knob and loadout.value_of(change.knob) is None
        ):
            continue
        else:
            found.append(change)
    return tuple(found)


def _candidates(case: Case, code: str, rule: Rule | None) -> Iterable[tuple[str, Safety, tuple[Change, ...]]]:
    """Return (title, safety, changes): the author's own fixes, then single steps out of the pattern."""
    for template in rule.fixes if rule else ():
        yield template.title, template.safety, template.changes
    excepted = rule.excepted if rule else frozenset[str]()
    for clause in case.world.clauses_of(code):
        if not clause.holds(case.written):
            yield from _steps(case, clause, excepted)


def _steps(case: Case, clause: Clause, excepted: Collection[str]) -> Iterable[tuple[str, Safety, tuple[Change, ...]]]:
    """Return the single steps that satisfy a broken clause, but for those into what its rule only sets aside."""
    world = case.world
    for v in bits(clause.positive):
        named = world.named[v]
        if (named if isinstance(named, str) else named[0]) not in excepted:
            yield _step(case, case.written & ~world.excludes[v] | 1 << v)
    for v in bits(clause.negative & case.picks):
        if isinstance(world.named[v], str):
            yield _step(case, case.written & ~(1 << v))


def _step(case: Case, true: int) -> tuple[str, Safety, tuple[Change, ...]]:
    changes = changes_between(case, true)
    return title_of(case.world.catalog, case.loadout, changes), safety_of(case, changes), changes


def _verified(case: Case, code: str, changes: tuple[Change, ...]) -> int | None:
    """Return how many new warnings the changes bring; `None` when they do not cure the rule or break a hard one."""
    try:
        cured = case_of(case.world.catalog, apply_changes(case.world.catalog, case.loadout, changes))
    except ValueError:
        return None
    new = cured.broken - case.broken
    if code in cured.broken or any(makes_fail(case.world.catalog, c) for c in new):
        return None
    return len(new)


def _all_slots_safe(case: Case, changes: Sequence[Change]) -> bool:
    slots = case.world.catalog.slots
    return all(slots[c.slot].safe for c in changes if c.slot)
