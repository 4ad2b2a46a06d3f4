"""Minimal joint conflicts: which given things, under which rules, no additions can reconcile."""

from collections.abc import Iterator

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
    everything = (world.hard_rules | ignored) - {""}
    refuting = _refuting(world, true, ignored)
    rules = sorted((world.hard_rules if refuting is None else refuting) - ignored - {""})

    def clash(part: list[str]) -> bool:
        return find_model(world, default, true, everything - frozenset(part), learned) is None

    return minimal_subset(rules, lambda part: clash(list(part)))


def _refuting(world: World, true: int, ignored: frozenset[str]) -> set[str] | None:
    """Return the rules by which unit propagation refutes these variables; `None` when it does not."""
    reasons: dict[tuple[int, bool], tuple[str, list[tuple[int, bool]]]] = {}
    known = dict.fromkeys(bits(true), True)
    pending = list(known)
    while pending:
        v = pending.pop(0)
        for rule, literals in _implied(world, v, known, ignored):
            open_literals = [(u, value) for u, value in literals if known.get(u) is None]
            because = [(u, not value) for u, value in literals if known.get(u) is (not value)]
            if not open_literals:
                return _traced(reasons, rule, because)
            u, value = open_literals[0]
            known[u] = value
            reasons[u, value] = rule, because
            pending.append(u)
    return None


def _implied(world: World, v: int, known: dict[int, bool], ignored: frozenset[str]) -> Iterator[tuple[str, list[tuple[int, bool]]]]:
    """Yield the clauses that are unit or broken now that `v` is known, with their literals."""
    if known[v]:
        for rivals, rule in world.rivals[v]:
            yield from ((rule, [(v, False), (u, False)]) for u in bits(rivals) if rule not in ignored and known.get(u) is not False)
    for index in (world.at_risk_when_true if known[v] else world.at_risk_when_false)[v]:
        clause = world.hard[index]
        literals = [(u, True) for u in bits(clause.positive)] + [(u, False) for u in bits(clause.negative)]
        unknown = sum(known.get(u) is None for u, _ in literals)
        if clause.rule not in ignored and unknown < 2 and all(known.get(u) in (None, not value) for u, value in literals):
            yield clause.rule, literals


def _traced(reasons: dict[tuple[int, bool], tuple[str, list[tuple[int, bool]]]], rule: str, because: list[tuple[int, bool]]) -> set[str]:
    """Return the rules behind a contradiction."""
    rules, pending, seen = {rule}, list(because), set[tuple[int, bool]]()
    while pending:
        fact = pending.pop()
        if fact in seen or fact not in reasons:
            continue
        seen.add(fact)
        behind, earlier = reasons[fact]
        rules.add(behind)
        pending += earlier
    return rules


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
