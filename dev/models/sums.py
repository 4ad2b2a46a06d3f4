"""A linear budget: the weights of what is true must not add up to more than a bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recipeforge.solver.clauses import Clause, bits


@dataclass(frozen=True)
class Sum:
    """A limit that is a plain sum."""

    weights: Mapping[int, int]
    """Variable → what it adds while true; below zero, it relieves."""
    most: int

    @property
    def variables(self) -> int:
        """Every variable with a weight."""
        return self._mask

    @cached_property
    def _mask(self) -> int:
        return sum(1 << v for v in self.weights)

    @property
    def sum_of(self) -> tuple[Mapping[int, int], int]:
        """The weights and the bound."""
        return self.weights, self.most

    def start(self, true: int) -> int:
        """Return the sum."""
        return sum(self.weights[v] for v in bits(true & self.variables))

    def keeps(self, start: int, appeared: Sequence[int], gone: Sequence[int]) -> bool:
        """Return whether the sum stays within the bound once these became true, and those false."""
        weight = self.weights.get
        return start + sum(weight(v, 0) for v in appeared) - sum(weight(v, 0) for v in gone) <= self.most

    def cut(self, true: int) -> Clause:
        """Return "one of these goes, or one of those that relieve comes": no shorter clause of this kind is sound."""
        adding = [(weight, v) for v in bits(true & self.variables) if (weight := self.weights[v]) > 0]
        absent = [(-weight, v) for v, weight in self.weights.items() if weight < 0 and not true >> v & 1]
        spare = self.start(true) - self.most - 1
        positive = negative = 0
        for weight, v in sorted(adding + absent):
            if weight <= spare:
                spare -= weight  # beyond the bound even without this one
            elif self.weights[v] > 0:
                negative |= 1 << v
            else:
                positive |= 1 << v
        return Clause(positive, negative, "", hard=True)
