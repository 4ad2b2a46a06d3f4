"""A set of rules as sparse clauses: what propagation over thousands of variables needs, and feature models are read into.

A literal is a variable's index, or `~index` for its negation, as in CP-SAT. Masks (`clauses.py`) are faster for the few hundred
variables of one recipe's world; beyond a few thousand their zeros cost more than their ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from recipeforge.schemas.record import record
from recipeforge.solver.clauses import Clause

Literals = tuple[int, ...]


class Limit(Protocol):
    """An amount that must not be exceeded; it follows from the assignment in some way that clauses do not say."""

    @property
    def variables(self) -> int:
        """Every variable that the amount can depend on, as a mask."""
        ...

    @property
    def sum_of(self) -> tuple[Mapping[int, int], int] | None:
        """Weights of variables and the bound of their sum, if the limit is a plain sum, which CP-SAT can be told as it is."""
        ...

    def start(self, true: int) -> Any:
        """Return whatever makes judging the neighbours of an assignment quick."""
        ...

    def keeps(self, start: Any, appeared: Sequence[int], gone: Sequence[int]) -> bool:
        """Return whether the neighbour of `start` in which these variables became true, and those false, stays within the limit."""
        ...

    def cut(self, true: int) -> Clause:
        """Return a clause that `true`, which is beyond the limit, breaks and every assignment within it satisfies."""
        ...


@record
class Formula:
    """What has to hold over `size` Booleans. Nothing here changes after it was made."""

    size: int
    clauses: tuple[Literals, ...]
    """At least one literal of each holds."""
    groups: tuple[Literals, ...] = ()
    """At most one of these variables is true. No negations."""
    limits: tuple[Limit, ...] = ()

    def violated(self, true: int) -> bool:
        """Return whether a full assignment breaks anything: plain evaluation, the check on every other way to find out."""
        held = [bool(true >> v & 1) for v in range(self.size)]
        if any(not any(held[x] if x >= 0 else not held[~x] for x in clause) for clause in self.clauses):
            return True
        if any(sum(held[v] for v in group) > 1 for group in self.groups):
            return True
        return any(not limit.keeps(limit.start(true), (), ()) for limit in self.limits)
