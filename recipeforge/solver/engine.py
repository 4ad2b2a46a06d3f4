"""One question, two engines: propagation and search answer; CP-SAT answers what they leave open."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from recipeforge.solver.clauses import Clause
from recipeforge.solver.search import OutOfNodes, Reference, Search, State
from recipeforge.solver.world import World

T = TypeVar("T")
LIMIT_S = 5.0


class Undecided(Exception):
    """Neither engine answered within its budget."""


def find_model(
    world: World,
    default: int,
    true: int,
    ignored: frozenset[str] = frozenset(),
    learned: list[Clause] | None = None,
    reference: Reference | None = None,
    known: State = (0, 0),
    limit_s: float = LIMIT_S,
) -> int | None:
    """Return an assignment that keeps the hard rules with these variables true, near `default`; `None` if none exists.

    `learned` collects what one question found out about budgets, for the next; `reference` and `known` (a state closed
    under propagation, part of `true`) save work that an earlier question did.

    Raises:
        Undecided: the time was over first.
    """
    try:
        near = reference or Reference(world, default)
        return Search(world, default, ignored, [] if learned is None else learned, near).model(true, known)
    except OutOfNodes:
        from recipeforge.solver.exact import Exact

        answer = Exact(world, ignored).solve(true, limit_s=limit_s)
        if answer.status == "unknown":
            raise Undecided(f"no answer within {limit_s:g} s") from None
        return answer.true if answer.status == "sat" else None


def minimal_subset(items: Sequence[T], conflicts: Callable[[Sequence[T]], bool]) -> list[T]:
    """Return a minimal sublist that still conflicts (Junker 2004, QuickXplain). `conflicts(items)` must hold."""

    def explain(background: list[T], changed: bool, candidates: Sequence[T]) -> list[T]:
        if changed and conflicts(background):
            return []
        if len(candidates) == 1:
            return list(candidates)
        half = len(candidates) // 2
        left, right = candidates[:half], candidates[half:]
        from_right = explain([*background, *left], bool(left), right)
        from_left = explain([*background, *from_right], bool(from_right), left)
        return [*from_left, *from_right]

    if not items or conflicts([]):
        return []
    kept = set(map(id, explain([], False, items)))
    return [item for item in items if id(item) in kept]
