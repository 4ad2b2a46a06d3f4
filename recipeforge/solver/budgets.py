"""Budgets: an amount that follows from a few inputs must stay within a limit.

An amount like peak memory multiplies its inputs (batch × sequence × hidden), so it does not fit a sum of
literals. Instead a full assignment that exceeds the limit is answered by a clause that every assignment within
the limit satisfies and this one breaks (a cut). Search and CP-SAT add cuts until none is broken; both stay exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import product
from typing import Any, TypeVar

from recipeforge.schemas.record import record
from recipeforge.solver.clauses import Clause, bits

Classes = tuple[int, ...]
"""Indices of the classes of some inputs."""
KEPT = 20_000
"""Entries after which what is remembered is forgotten: far more than one recipe needs."""


_Seen = TypeVar("_Seen", bound=dict[Any, Any])


def _kept(seen: _Seen) -> _Seen:
    """Return what is remembered, emptied where it has become too much."""
    if len(seen) > KEPT:
        seen.clear()
    return seen


@record
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

    def left(self, true: int, false: int) -> Classes:
        """Return the indices of the classes that can still hold with these variables so; of a knob's values exactly one does."""
        found: list[int] = []
        for index, mask in enumerate(self.classes):
            if not mask or mask & ~false:
                found.append(index)
            if mask & true:
                break
        return tuple(found) or (len(self.classes) - 1,)


@record
class Factor:
    """One factor of terms that are products: what it depends on is looked up once for all of them."""

    value: Callable[[Classes], float]
    """Classes of some inputs → amount, never negative. Pure."""
    seen: dict[Classes, float] = field(default_factory=dict[Classes, float], compare=False, repr=False)

    def at(self, classes: Classes) -> float:
        """Return the amount for these classes, remembered."""
        amount = self.seen.get(classes)
        if amount is None:
            amount = _kept(self.seen)[classes] = self.value(classes)
        return amount


@record
class Term:
    """One summand of an amount."""

    name: str
    uses: tuple[int, ...]
    """Positions of the inputs that it depends on."""
    value: Callable[[Classes], int]
    """Classes of those inputs → amount. Pure."""
    alike: tuple[Classes, ...]
    """For each of those inputs: class → the first class that means the same to this term."""
    cost: tuple[tuple[float, ...] | None, ...]
    """For each of those inputs: class → a number that never falls while the amount falls, whatever the others are;
    `None` where no such order exists."""
    factors: tuple[tuple[tuple[int, ...], Factor], ...] = ()
    """Of a product: the places among `uses` of what each factor depends on. Places without an order belong to one factor each."""
    seen: dict[Classes, int] = field(default_factory=dict[Classes, int], compare=False, repr=False)
    least_seen: dict[tuple[Classes, ...], int] = field(default_factory=dict[tuple[Classes, ...], int], compare=False, repr=False)

    def at(self, classes: Classes) -> int:
        """Return the amount for these classes, remembered."""
        return self._at(tuple(same[k] for same, k in zip(self.alike, classes, strict=True)))

    def _at(self, classes: Classes) -> int:
        amount = self.seen.get(classes)
        if amount is None:
            amount = _kept(self.seen)[classes] = self.value(classes)
        return amount

    def least(self, options: tuple[Classes, ...]) -> int:
        """Return the least amount over all combinations of these classes, remembered."""
        amount = self.least_seen.get(options)
        if amount is None:
            candidates = [self._candidates(i, classes) for i, classes in enumerate(options)]
            if self.factors:
                candidates = self._smallest(candidates)
            amount = _kept(self.least_seen)[options] = min(self._at(c) for c in product(*candidates))
        return amount

    def _smallest(self, candidates: list[Classes]) -> list[Classes]:
        """Return the classes with which each factor, and so their product, is smallest."""
        chosen = list(candidates)
        for places, factor in self.factors:
            if any(len(candidates[place]) > 1 for place in places):
                best = min(product(*(candidates[place] for place in places)), key=factor.at)
                for place, k in zip(places, best, strict=True):
                    chosen[place] = (k,)
        return chosen

    def _candidates(self, position: int, classes: Classes) -> Classes:
        """Return the classes of one input among which the least amount is found."""
        if len(classes) == 1:
            return (self.alike[position][classes[0]],)
        cost = self.cost[position]
        if cost is not None:
            return (self.alike[position][min(classes, key=cost.__getitem__)],)
        return tuple(dict.fromkeys(self.alike[position][k] for k in classes))


@record
class Budget:
    """What is alive together must not exceed the limit: the sum of the terms of the worst phase."""

    rule: str
    hard: bool
    limit: int
    inputs: tuple[Input, ...]
    terms: tuple[Term, ...]
    phases: tuple[tuple[int, ...], ...]
    """Positions of the terms that add up, phase by phase."""
    seen: dict[Classes, int] = field(default_factory=dict[Classes, int], compare=False, repr=False)
    least_seen: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int], compare=False, repr=False)
    cuts_seen: dict[tuple[Classes, int], list[Classes]] = field(
        default_factory=dict[tuple[Classes, int], list[Classes]], compare=False, repr=False
    )

    def within(self, rule: str, hard: bool, limit: int) -> "Budget":
        """Return a budget on the same amount, which shares what is remembered about it."""
        other = replace(self, rule=rule, hard=hard, limit=limit)
        vars(other).update(variables=self.variables, inputs_of=self.inputs_of, users=self.users)
        return other

    def key(self, true: int) -> Classes:
        """Return the classes that hold under a full assignment."""
        return tuple(i.class_of(true) for i in self.inputs)

    def key_near(self, key: Classes, differs: int, true: int) -> Classes:
        """Return the key of `true`, given that of an assignment from which it differs in these variables."""
        touched = {i for v in bits(differs & self.variables) for i in self.inputs_of[v]}
        if not touched:
            return key
        near = list(key)
        for i in touched:
            near[i] = self.inputs[i].class_of(true)
        return tuple(near)

    def at(self, key: Classes) -> int:
        """Return the amount for the classes of all inputs, remembered."""
        amount = self.seen.get(key)
        if amount is None:
            amount = _kept(self.seen)[key] = self.worst([t.at(tuple(key[u] for u in t.uses)) for t in self.terms])
        return amount

    def worst(self, of_term: Sequence[int]) -> int:
        """Return the sum of the largest phase. It never falls when a term rises, so terms at their least give a lower bound."""
        return max(sum(of_term[n] for n in phase) for phase in self.phases)

    def amount(self, true: int) -> int:
        """Return the amount under a full assignment."""
        return self.at(self.key(true))

    def holds(self, true: int) -> bool:
        """Return whether a full assignment stays within the limit."""
        return self.amount(true) <= self.limit

    def least(self, true: int, false: int) -> int:
        """Return what no full assignment with these variables so falls below, remembered."""
        asked = true & self.variables, false & self.variables
        amount = self.least_seen.get(asked)
        if amount is None:
            left = [one.left(*asked) for one in self.inputs]
            amount = _kept(self.least_seen)[asked] = _LowerBounds(self, left).total
        return amount

    def cut(self, true: int, limit: int | None = None) -> Clause:
        """Return a clause that `true` breaks and every assignment within `limit` satisfies.

        Starts from "some input must change" and admits, input by input, every class under which the amount is too
        high all the same; inputs that matter least come first. What is left is what has to change.
        """
        asked = self.key(true), self.limit if limit is None else limit
        admitted = self.cuts_seen.get(asked)
        if admitted is None:
            admitted = _kept(self.cuts_seen)[asked] = self._admitted(*asked)
        return self._clause(true, admitted)

    def _admitted(self, key: Classes, bound: int) -> list[Classes]:
        """Return for each input the classes that do not help by themselves: as many as can be said of all together."""
        open_inputs = [index for index, one in enumerate(self.inputs) if len(one.classes) > 1]
        bounds = _LowerBounds(self, [(k,) for k in key])
        everything = {index: tuple(range(len(self.inputs[index].classes))) for index in open_inputs}
        for index in sorted(open_inputs, key=lambda i: (-bounds.total_with(i, everything[i]), i)):
            for more in (everything[index], *((k,) for k in reversed(everything[index]))):
                wider = tuple(sorted({*bounds.admitted[index], *more}))
                if wider != bounds.admitted[index] and bounds.total_with(index, wider) > bound:
                    bounds.admit(index, wider)
        return bounds.admitted

    @cached_property
    def variables(self) -> int:
        """Every variable that the amount can depend on."""
        mask = 0
        for one in self.inputs:
            for members in one.classes if len(one.classes) > 1 else ():
                mask |= members
        return mask

    @cached_property
    def inputs_of(self) -> dict[int, tuple[int, ...]]:
        """Variable → inputs that it decides."""
        found: dict[int, list[int]] = {}
        for index, one in enumerate(self.inputs):
            for v in (v for mask in one.classes for v in bits(mask)):
                found.setdefault(v, []).append(index)
        return {v: tuple(indices) for v, indices in found.items()}

    @cached_property
    def users(self) -> tuple[tuple[int, ...], ...]:
        """Input → positions of the terms that depend on it."""
        return tuple(tuple(n for n, t in enumerate(self.terms) if index in t.uses) for index in range(len(self.inputs)))

    def _clause(self, true: int, admitted: Sequence[Classes]) -> Clause:
        """Return "some input leaves the classes admitted for it"."""
        positive = negative = 0
        for one, classes in zip(self.inputs, admitted, strict=True):
            now = one.class_of(true)
            others = {k: mask for k, mask in enumerate(one.classes) if k not in classes}
            if any(not mask or mask & true for mask in others.values()):
                # Leaving for a later class, or for "none", needs what holds now to go (naming one member of it is
                # sound); an earlier class takes over by itself.
                negative |= 1 << bits(one.classes[now] & true)[0]
                others = {k: mask for k, mask in others.items() if k < now}
            for mask in others.values():
                positive |= mask
        return Clause(positive, negative, self.rule, self.hard)


class _LowerBounds:
    """The least amount over all admitted classes, each term at its own least, kept up to date input by input."""

    def __init__(self, budget: Budget, admitted: list[Classes]) -> None:
        self.budget, self.admitted = budget, admitted
        self.lowest = [c[:1] if one.ascending else c for one, c in zip(budget.inputs, admitted, strict=True)]
        self.of_term = [self._term(t, -1, ()) for t in budget.terms]

    def _term(self, term: Term, changed: int, classes: Classes) -> int:
        return term.least(tuple(classes if u == changed else self.lowest[u] for u in term.uses))

    def _lowered(self, index: int, classes: Classes) -> Classes:
        return classes[:1] if self.budget.inputs[index].ascending else classes

    @property
    def total(self) -> int:
        """The bound as things stand."""
        return self.budget.worst(self.of_term)

    def total_with(self, index: int, classes: Classes) -> int:
        """Return the bound if `classes` were admitted for one input."""
        users, lowered = self.budget.users[index], self._lowered(index, classes)
        of_term = list(self.of_term)
        for n in users:
            of_term[n] = self._term(self.budget.terms[n], index, lowered)
        return self.budget.worst(of_term)

    def admit(self, index: int, classes: Classes) -> None:
        """Admit `classes` for one input."""
        self.admitted[index], self.lowest[index] = classes, self._lowered(index, classes)
        for n in self.budget.users[index]:
            self.of_term[n] = self._term(self.budget.terms[n], -1, ())
