"""Minimal joint conflicts: which given things, under which rules, no additions can reconcile."""

from recipeforge.schemas.verdict import Conflict
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.engine import Undecided, find_model, minimal_subset
from recipeforge.solver.world import World

MOST_CONFLICTS = 8
"""Beyond this many a list helps nobody; the first ones found are shown."""


def conflicts(case: Case) -> tuple[Conflict, ...]:
    """Return the minimal conflicts among the picks, by hitting-set enumeration (Reiter 1987).

    Each one is minimal in its picks; its rules are a minimal set that forbids them.
    """
    learned: list[Clause] = []
    found: list[int] = []
    pending: list[int] = [0]
    tried: set[int] = set()
    while pending and len(found) < MOST_CONFLICTS:
        removed = pending.pop(0)
        if removed in tried:
            continue
        tried.add(removed)
        conflict = next((c for c in found if not c & removed), None)
        if conflict is None:
            left = case.picks & ~removed
            if find_model(case.world, case.written & ~removed, left, learned=learned) is not None:
                continue
            conflict = _minimal_picks(case, left, learned)
            found.append(conflict)
        pending += [removed | 1 << v for v in bits(conflict)]
    return tuple(sorted((_told(case, c, learned) for c in found), key=lambda c: (len(c.picks), c.picks)))


def _minimal_picks(case: Case, picks: int, learned: list[Clause]) -> int:
    """Return a minimal part of `picks` that cannot be completed."""

    def clash(part: list[int] | tuple[int, ...]) -> bool:
        return find_model(case.world, case.written, sum(1 << v for v in part), learned=learned) is None

    return sum(1 << v for v in minimal_subset(bits(picks), lambda part: clash(list(part))))


def minimal_rules(
    world: World, default: int, true: int, ignored: frozenset[str] = frozenset(), learned: list[Clause] | None = None
) -> list[str]:
    """Return a minimal set of rules under which these variables cannot all be true."""
    rules = sorted(world.hard_rules - ignored - {""})
    everything = frozenset(rules) | ignored

    def clash(part: list[str]) -> bool:
        return find_model(world, default, true, everything - frozenset(part), learned) is None

    return minimal_subset(rules, lambda part: clash(list(part)))


def _told(case: Case, picks: int, learned: list[Clause]) -> Conflict:
    """Return a conflict in the recipe's own names."""
    names = tuple(subject_of(case.world, v) for v in bits(picks))
    try:
        return Conflict(names, tuple(minimal_rules(case.world, case.written, picks, learned=learned)), minimal=True)
    except Undecided:
        return Conflict(names, tuple(sorted(case.broken_hard)), minimal=False)


def subject_of(world: World, variable: int) -> str:
    """Return the component or knob that a variable speaks of."""
    named = world.named[variable]
    return named if isinstance(named, str) else named[0]
