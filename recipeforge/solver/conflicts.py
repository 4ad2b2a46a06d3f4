"""All minimal conflicts: every smallest set of things that clash, and every smallest set whose removal leaves no clash.

Each minimal conflict meets each minimal correction, so the one is found while the other is (Reiter 1987): remove something from
every conflict known so far; either the rest clashes and holds a new conflict, or what was removed is a correction.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from recipeforge.schemas.record import record
from recipeforge.solver.case import Case
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.engine import Undecided, find_model, minimal_subset
from recipeforge.solver.patience import asking, check
from recipeforge.solver.refutation import refutation
from recipeforge.solver.world import World

T = TypeVar("T")
MOST_CONFLICTS = 8
"""Beyond this many a list helps nobody; the first ones found are shown."""
MOST_REMOVALS = 300
"""Sets removed before the search for further conflicts is given up."""


@record
class Minimal(Generic[T]):
    """What was found among some items."""

    conflicts: tuple[frozenset[T], ...]
    """Sets that clash."""
    proved: tuple[bool, ...]
    """Of each, whether no part of it clashes; where not, the time was over."""
    corrections: tuple[frozenset[T], ...]
    """Minimal sets without which nothing clashes."""
    complete: bool
    """Whether these are all conflicts and all corrections."""


def minimal_conflicts(
    items: Sequence[T],
    clash: Callable[[Sequence[T]], bool],
    most: int = MOST_CONFLICTS,
    shrink: Callable[[Sequence[T]], Sequence[T]] | None = None,
) -> Minimal[T]:
    """Return the minimal conflicts among `items`, up to `most`. `clash` says whether some of them cannot stand together.

    `shrink` returns a minimal part of clashing items; without it that is found by asking `clash` about ever smaller parts.

    Raises:
        Undecided: `clash` raised it before a first conflict was known.
    """
    found: dict[frozenset[T], bool] = {}
    corrections: list[frozenset[T]] = []
    pending: list[frozenset[T]] = [frozenset()]
    tried: set[frozenset[T]] = set()
    patience, complete = asking(), True
    while pending and len(found) < most and len(tried) < MOST_REMOVALS:
        removed = pending.pop(0)
        if removed in tried:
            continue
        tried.add(removed)
        check(patience)
        conflict = next((c for c in found if not c & removed), None)
        if conflict is None:
            rest = [item for item in items if item not in removed]
            try:
                if not clash(rest):
                    corrections.append(removed)
                    continue
            except Undecided:
                if not found:
                    raise
                complete = False
                continue
            conflict, proved = _shrunk(rest, shrink or (lambda some: minimal_subset(some, clash)))
            found[conflict] = proved
        pending += [removed | {item} for item in items if item in conflict]
    least = tuple(c for c in corrections if not any(other < c for other in corrections))
    complete = complete and not pending and all(found.values())
    return Minimal(tuple(found), tuple(found.values()), least, complete)


def _shrunk(items: Sequence[T], shrink: Callable[[Sequence[T]], Sequence[T]]) -> tuple[frozenset[T], bool]:
    """Return a minimal part of items that clash, and whether it is proved so."""
    try:
        return frozenset(shrink(items)), True
    except Undecided:
        return frozenset(items), False


def among_picks(case: Case, learned: list[Clause], most: int = MOST_CONFLICTS) -> Minimal[int]:
    """Return the minimal conflicts among a recipe's picks: which no additions can reconcile."""

    def clash(part: Sequence[int]) -> bool:
        kept = _mask(part)
        written = case.written & ~(case.picks & ~kept)
        return find_model(case.world, written, kept, learned=learned) is None

    def shrink(part: Sequence[int]) -> Sequence[int]:
        refuted = refutation(case.world, _mask(part))
        return minimal_subset([v for v in part if v in refuted.given] if refuted else part, clash)

    return minimal_conflicts(bits(case.picks), clash, most, shrink)


def among_rules(world: World, default: int, true: int, most: int = MOST_CONFLICTS) -> Minimal[str]:
    """Return the minimal sets of rules that forbid these variables to be true together."""
    rules = sorted(world.hard_rules - {""})
    learned: list[Clause] = []

    def clash(part: Sequence[str]) -> bool:
        return find_model(world, default, true, world.hard_rules - {"", *part}, learned) is None

    return minimal_conflicts(rules, clash, most)


def _mask(variables: Iterable[int]) -> int:
    return sum(1 << v for v in variables)
