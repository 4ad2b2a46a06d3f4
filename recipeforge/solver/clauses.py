"""The solver's small alphabet: clauses and at-most-one groups over variables packed into integers."""

from functools import cached_property

from recipeforge.schemas.record import record


@record
class Clause:
    """At least one variable of `positive` is true, or one of `negative` is false."""

    positive: int
    negative: int
    rule: str
    """Code of the rule it comes from; empty for the structure of a knob's values."""
    hard: bool
    """Whether breaking it makes the recipe fail (severity error)."""

    @cached_property
    def satisfied_by(self) -> list[int]:
        """The variables of `positive`; remembered, since worlds share clauses."""
        return bits(self.positive)

    @cached_property
    def falsified_by(self) -> list[int]:
        """The variables of `negative`."""
        return bits(self.negative)

    def holds(self, true: int) -> bool:
        """Return whether a full assignment satisfies it."""
        return bool(self.positive & true or self.negative & ~true)


@record
class Group:
    """At most one of these variables is true."""

    members: int
    rule: str
    """`RF0020:<slot>`, or empty for the values of a knob."""


def bits(mask: int) -> list[int]:
    """Return the positions of the set bits, ascending."""
    found: list[int] = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found
