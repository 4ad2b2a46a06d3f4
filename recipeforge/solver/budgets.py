"""Budgets: an amount that follows from a few inputs must stay within a limit.

An amount like peak memory multiplies its inputs (batch × sequence × hidden), so it does not fit a sum of
literals. Instead a full assignment that exceeds the limit is answered by a clause that every assignment within
the limit satisfies and this one breaks (a cut). Search and CP-SAT add cuts until none is broken; both stay exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

from recipeforge.solver.clauses import Clause, bits

Classes = tuple[int, ...]
"""Indices of the classes of some inputs."""


@dataclass(frozen=True)
class Input:
    """One thing an amount depends on, as a partition of the assignments into classes."""

    name: str
    classes: tuple[int, ...]
    """Masks. The first class whose mask meets the assignment counts; a last mask of 0 means "none of the others"."""
    ascending: bool = False
    """Whether no term ever falls from one class to the next, whatever the other inputs are."""

    def class_of(self, true: int) -> int:
        """Return the index of the class that holds."""
        for index, mask in enumerate(self.classes):
            if mask & true or not mask:
                return index
        return len(self.classes) - 1


@dataclass(frozen=True)
class Term:
    """One summand of an amount."""

    name: str
    uses: tuple[int, ...]
    """Positions of the inputs that it depends on."""
    value: Callable[[Classes], int]
    """Classes of those inputs → amount. Pure."""
    alike: tuple[Classes, ...]
    """For each of those inputs: class → the first class that means the same to this term."""
    seen: dict[Classes, int] = field(default_factory=dict[Classes, int], compare=False, repr=False)
    least_seen: dict[tuple[Classes, ...], int] = field(default_factory=dict[tuple[Classes, ...], int], compare=False, repr=False)

    def at(self, classes: Classes) -> int:
        """Return the amount for these classes, remembered."""
        classes = tuple(same[k] for same, k in zip(self.alike, classes, strict=True))
        amount = self.seen.get(classes)
        if amount is None:
            amount = self.seen[classes] = self.value(classes)
        return amount

    def least(self, options: tuple[Classes, ...]) -> int:
        """Return the least amount over all combinations of these classes, remembered."""
        amount = self.least_seen.get(options)
        if amount is None:
            different = [dict.fromkeys(same[k] for k in classes) for same, classes in zip(self.alike, options, strict=True)]
            amount = self.least_seen[options] = min(self.at(c) for c in product(*different))
        return amount


@dataclass(frozen=True)
class Budget:
    """The sum of the terms must not exceed the limit."""

    rule: str
    hard: bool
    limit: int
    inputs: tuple[Input, ...]
    terms: tuple[Term, ...]

    def amount(self, true: int) -> int:
        """Return the amount under a full assignment."""
        key = [i.class_of(true) for i in self.inputs]
        return sum(t.at(tuple(key[u] for u in t.uses)) for t in self.terms)

    def holds(self, true: int) -> bool:
        """Return whether a full assignment stays within the limit."""
        return self.amount(true) <= self.limit

    def cut(self, true: int, limit: int | None = None) -> Clause:
        """Return a clause that `true` breaks and every assignment within `limit` satisfies.

        Starts from "some input must change" and admits, input by input, every class under which the amount is too
        high all the same; inputs that matter least come first. What is left is what has to change.
        """
        bound = self.limit if limit is None else limit
        admitted: list[Classes] = [(i.class_of(true),) for i in self.inputs]
        impact: list[tuple[int, int]] = []
        for index, one in enumerate(self.inputs):
            if len(one.classes) > 1:
                freed = [*admitted]
                freed[index] = tuple(range(len(one.classes)))
                impact.append((-self._least(freed), index))
        for _, index in sorted(impact):
            self._widen(admitted, index, bound)
        return self._clause(true, admitted)

    def _widen(self, admitted: list[Classes], index: int, bound: int) -> None:
        """Admit as many classes of one input as leave the amount above `bound`."""
        one = self.inputs[index]
        everything = tuple(range(len(one.classes)))
        for more in (everything, *((k,) for k in reversed(everything))):
            before = admitted[index]
            admitted[index] = tuple(sorted({*before, *more}))
            if self._least(admitted) <= bound:
                admitted[index] = before
            elif more == everything:
                return

    def _least(self, admitted: Sequence[Classes]) -> int:
        """Return a lower bound of the amount over all admitted combinations: each term at its own least."""
        lowest = [c[:1] if i.ascending else c for i, c in zip(self.inputs, admitted, strict=True)]
        return sum(t.least(tuple(lowest[u] for u in t.uses)) for t in self.terms)

    def _clause(self, true: int, admitted: Sequence[Classes]) -> Clause:
        """Return "some input leaves the classes admitted for it"."""
        positive = negative = 0
        for one, classes in zip(self.inputs, admitted, strict=True):
            others = [mask for k, mask in enumerate(one.classes) if k not in classes]
            if 0 in others:
                # Leaving for "none" means dropping what holds now; that is sound though it names one member only.
                held = one.classes[one.class_of(true)] & true
                negative |= 1 << bits(held)[0]
            else:
                for mask in others:
                    positive |= mask
        return Clause(positive, negative, self.rule, self.hard)
