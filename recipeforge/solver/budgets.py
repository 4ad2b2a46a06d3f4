"""Budgets: an amount that follows from a few inputs must stay within a limit.

An amount like peak memory multiplies its inputs (batch × sequence × hidden), so it does not fit a sum of
literals. Instead a full assignment that exceeds the limit is answered by a clause that every assignment within
the limit satisfies and this one breaks (a cut). Search and CP-SAT add cuts until none is broken; both stay exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

from recipeforge.solver.clauses import Clause, bits

MAX_COMBINATIONS = 64
"""How many combinations of other choices may be tried to show that an input does not matter."""


@dataclass(frozen=True)
class Input:
    """One thing an amount depends on, as a partition of the assignments into classes."""

    name: str
    classes: tuple[int, ...]
    """Masks. The first class whose mask meets the assignment counts; a last mask of 0 means "none of the others"."""
    ascending: bool = False
    """Whether the amount never falls from one class to the next, whatever the other inputs are."""

    def class_of(self, true: int) -> int:
        """Return the index of the class that holds."""
        for index, mask in enumerate(self.classes):
            if mask & true or not mask:
                return index
        return len(self.classes) - 1


@dataclass(frozen=True)
class Budget:
    """The amount must not exceed the limit."""

    rule: str
    hard: bool
    limit: int
    inputs: tuple[Input, ...]
    amount_at: Callable[[tuple[int, ...]], int]
    """Class index of every input → amount. Pure."""
    seen: dict[tuple[int, ...], int] = field(default_factory=dict[tuple[int, ...], int], compare=False, repr=False)

    def key(self, true: int) -> tuple[int, ...]:
        """Return the classes that hold under a full assignment."""
        return tuple(i.class_of(true) for i in self.inputs)

    def at(self, key: tuple[int, ...]) -> int:
        """Return the amount for these classes, remembered."""
        amount = self.seen.get(key)
        if amount is None:
            amount = self.seen[key] = self.amount_at(key)
        return amount

    def amount(self, true: int) -> int:
        """Return the amount under a full assignment."""
        return self.at(self.key(true))

    def holds(self, true: int) -> bool:
        """Return whether a full assignment stays within the limit."""
        return self.amount(true) <= self.limit

    def cut(self, true: int, limit: int | None = None) -> Clause:
        """Return a clause that `true` breaks and every assignment within `limit` satisfies.

        Starts from "some input must change" and drops inputs that cannot help: an ascending input is lowered as
        far as the amount stays too high, any other is freed when all of its classes leave the amount too high.
        """
        bound = self.limit if limit is None else limit
        admitted = [[k] for k in self.key(true)]  # classes under which the amount is known to be too high
        for index, one in enumerate(self.inputs):
            if one.ascending:
                lowest = admitted[index][0]
                while lowest and self._all_exceed(admitted, index, [lowest - 1], bound):
                    lowest -= 1
                admitted[index] = list(range(lowest, len(one.classes)))
        for index, one in enumerate(self.inputs):
            everything = list(range(len(one.classes)))
            if not one.ascending and self._all_exceed(admitted, index, everything, bound):
                admitted[index] = everything
        return self._clause(true, admitted)

    def _all_exceed(self, admitted: Sequence[Sequence[int]], index: int, classes: Sequence[int], bound: int) -> bool:
        """Return whether the amount exceeds `bound` for every admitted combination with `classes` at `index`."""
        options = [
            list(classes) if i == index else [given[0]] if self.inputs[i].ascending else list(given) for i, given in enumerate(admitted)
        ]
        combinations = 1
        for option in options:
            combinations *= len(option)
        return combinations <= MAX_COMBINATIONS and all(self.at(key) > bound for key in product(*options))

    def _clause(self, true: int, admitted: Sequence[Sequence[int]]) -> Clause:
        """Return "some input leaves the classes admitted for it"."""
        positive = negative = 0
        for one, classes in zip(self.inputs, admitted, strict=True):
            others = [mask for k, mask in enumerate(one.classes) if k not in classes]
            if 0 in others:
                # Leaving for "none" means dropping what holds now; that is sound though it names one member only.
                held = next(mask for mask in one.classes if mask & true or not mask) & true
                negative |= 1 << bits(held)[0]
            else:
                for mask in others:
                    positive |= mask
        return Clause(positive, negative, self.rule, self.hard)
