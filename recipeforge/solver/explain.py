"""Minimal joint conflicts: which given things, under which rules, no additions can reconcile."""

from collections.abc import Iterable
from dataclasses import replace

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.explanation import Step
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Conflict, Verdict
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.conflicts import among_picks
from recipeforge.solver.derive import prove
from recipeforge.solver.engine import Undecided, find_model, minimal_subset
from recipeforge.solver.refutation import refutation
from recipeforge.solver.tell import tell
from recipeforge.solver.world import StatedWorld, World


def with_conflicts(case: Case, verdict: Verdict) -> Verdict:
    """Return the verdict on a recipe that cannot be completed, with its conflicts: what clashes, and what may go instead.

    Each conflict is minimal in its picks; its rules are a minimal set that forbids them.
    """
    learned: list[Clause] = []
    found = among_picks(case, learned)
    conflicts = [_told(case, picks, proved, learned) for picks, proved in zip(found.conflicts, found.proved, strict=True)]
    corrections = [tuple(subject_of(case.world, v) for v in sorted(c)) for c in found.corrections]
    return replace(
        verdict,
        kind="conflicting",
        conflicts=tuple(sorted(conflicts, key=lambda c: (len(c.picks), c.picks))),
        corrections=tuple(sorted(corrections, key=lambda c: (len(c), c))),
        all_conflicts=found.complete,
    )


def explained(catalog: Catalog, loadout: Loadout, verdict: Verdict) -> Verdict:
    """Return the verdict with the steps of every conflict that takes several rules; one that takes one rule is told by its finding."""
    if all(len(c.rules) < 2 for c in verdict.conflicts):
        return verdict
    case = case_of(catalog, loadout)
    told = (replace(c, steps=steps_of(case, c)) if len(c.rules) > 1 else c for c in verdict.conflicts)
    return replace(verdict, conflicts=tuple(told))


def steps_of(case: Case, conflict: Conflict) -> tuple[Step, ...]:
    """Return why the things in a conflict cannot stand together; nothing where that would take too long to tell."""
    picked = set(conflict.picks)
    picks = sum(1 << v for v in bits(case.picks) if subject_of(case.world, v) in picked)
    return steps_from(case, conflict.rules, picks)


def steps_from(case: Case, rules: Iterable[str], picks: int, supposed: int = 0) -> tuple[Step, ...]:
    """Return why these variables contradict these rules; nothing where they do not, or where that would take too long to tell."""
    try:
        proof = prove(case.world, rules, case.written, picks | supposed)
    except Undecided:
        return ()
    return tell(case, proof, supposed) if proof else ()


def minimal_rules(
    world: World, default: int, true: int, ignored: frozenset[str] = frozenset(), learned: list[Clause] | None = None
) -> list[str]:
    """Return a minimal set of rules under which these variables cannot all be true."""
    refuted = refutation(world, true, ignored)
    refuting = refuted.rules if refuted else None
    rules = sorted((world.hard_rules if refuting is None else refuting) - ignored - {""})
    few = world if refuting is None else _with_only(world, {*rules, ""})
    everything = (few.hard_rules | ignored) - {""}

    def clash(part: list[str]) -> bool:
        return find_model(few, default, true, everything - frozenset(part), learned) is None

    return minimal_subset(rules, lambda part: clash(list(part)))


def _with_only(world: World, rules: set[str]) -> World:
    """Return the world with these rules alone."""
    return StatedWorld(
        *(world.catalog, world.facts, world.constants, world.component_var, world.domains),
        stated=tuple(c for c in world.hard if c.rule in rules),
        exclusive=tuple(g for g in world.groups if g.rule in rules),
        limited=tuple(b for b in world.budgets if b.rule in rules),
    )


def _told(case: Case, conflict: frozenset[int], proved: bool, learned: list[Clause]) -> Conflict:
    """Return a conflict in the recipe's own names."""
    picks = sum(1 << v for v in conflict)
    names = tuple(subject_of(case.world, v) for v in bits(picks))
    try:
        return Conflict(names, tuple(minimal_rules(case.world, case.written, picks, learned=learned)), proved)
    except Undecided:
        return Conflict(names, tuple(sorted(case.broken_hard)), minimal=False)


def subject_of(world: World, variable: int) -> str:
    """Return the component or knob that a variable speaks of."""
    named = world.named[variable]
    return named if isinstance(named, str) else named[0]
