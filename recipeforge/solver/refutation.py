"""Why unit propagation refutes some variables: the rules that it went by, and which of the variables it needed.

Neither set is minimal, but both are small, and a minimal one lies within them: what is asked of the search is asked of few.
"""

from collections import deque
from collections.abc import Iterator

from recipeforge.schemas.record import record
from recipeforge.solver.clauses import bits
from recipeforge.solver.world import World

Literal = tuple[int, bool]
"""A variable, and whether it is true."""


@record
class Refutation:
    """A contradiction that follows from some variables."""

    rules: frozenset[str]
    given: frozenset[int]
    """The variables that it rests on, of those that were supposed true."""


def refutation(world: World, true: int, ignored: frozenset[str] = frozenset()) -> Refutation | None:
    """Return a contradiction to which unit propagation comes from these variables alone; `None` when it comes to none."""
    reasons: dict[Literal, tuple[str, list[Literal]]] = {}
    known = dict.fromkeys(bits(true), True)
    pending = deque(known)
    while pending:
        v = pending.popleft()
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


def _implied(world: World, v: int, known: dict[int, bool], ignored: frozenset[str]) -> Iterator[tuple[str, list[Literal]]]:
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


def _traced(reasons: dict[Literal, tuple[str, list[Literal]]], rule: str, because: list[Literal]) -> Refutation:
    """Return what is behind a contradiction."""
    rules, given = {rule}, set[int]()
    pending, seen = list(because), set[Literal]()
    while pending:
        fact = pending.pop()
        if fact in seen:
            continue
        seen.add(fact)
        if fact not in reasons:
            given.add(fact[0])
            continue
        behind, earlier = reasons[fact]
        rules.add(behind)
        pending += earlier
    return Refutation(frozenset(rules), frozenset(given))
