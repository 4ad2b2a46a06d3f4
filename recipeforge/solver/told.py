"""The rules of a world, and those of a formula, in the pieces in which CP-SAT is told them."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from recipeforge.solver.assignment import Index, literals_of
from recipeforge.solver.budgets import Budget
from recipeforge.solver.cheapest import Demand, literals
from recipeforge.solver.clauses import bits
from recipeforge.solver.world import World


class WorldRules:
    """The rules of one world, warnings included, and budgets beside them."""

    def __init__(self, world: World, true: int = 0, false: int = 0) -> None:
        self.world = world
        self.bounds: list[Budget] = []
        self._fixed = {v: Demand((v,)) for v in bits(true)} | {v: Demand((~v,)) for v in bits(false)}

    def broken(self, true: int) -> Iterator[Demand]:
        """Return what an assignment breaks."""
        absent = ~true
        for clause in self.world.clauses:
            if not (clause.positive & true or clause.negative & absent):
                yield Demand(literals(clause), warning="" if clause.hard else clause.rule)
        for group in self.world.groups:
            if (held := group.members & true) & (held - 1):
                yield Demand(tuple(bits(group.members)), at_most_one=True)
        for budget in (*self.world.budgets, *self.bounds):
            if not budget.holds(true):
                yield Demand(literals(budget.cut(true)), warning="" if budget.hard else budget.rule)

    def along(self, v: int) -> Iterable[Demand]:
        """Return the seat or knob that a variable belongs to: a rival that comes in for a holder would else come in for nothing."""
        return (*self._along.get(v, ()), *([self._fixed[v]] if v in self._fixed else ()))

    @cached_property
    def _along(self) -> dict[int, list[Demand]]:
        found: dict[int, list[Demand]] = {}
        for group in self.world.groups:
            members = tuple(bits(group.members))
            demands = [Demand(members, at_most_one=True)]
            if group.members in self.world.domain_members.values():
                demands.append(Demand(members))
            for v in members:
                found.setdefault(v, []).extend(demands)
        return found


class FormulaRules:
    """The rules of a formula. What a sparse assignment breaks is found from what is true in it."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def broken(self, true: int) -> Iterator[Demand]:
        """Return what an assignment breaks."""
        index, held = self.index, bits(true)
        holds = bytearray([0, 1] * index.size)
        for v in held:
            holds[2 * v], holds[2 * v + 1] = 1, 0
        asked = [clause for v in held for clause in index.losing[2 * v]]
        lacking = [clause for clause in (*index.demands, *((x,) for x in index.units), *asked) if not any(holds[x] for x in clause)]
        lacking += [(2 * v + 1, y) for v in held for y in index.implied[2 * v] if not holds[y]]
        yield from map(_demand, lacking)
        yield from self._next(holds, {x for clause in lacking for x in clause if not x & 1})
        seated: dict[int, int] = {}
        for x in (2 * v for v in held):
            for seat in index.seats[x]:
                if seated.setdefault(seat, x) != x:
                    yield Demand(tuple(y >> 1 for y in index.members[seat]), at_most_one=True)
        for limited in index.sums:
            if sum(limited.weights.get(v, 0) for v in held) > limited.most:
                yield _demand(limited.cut(holds, bytearray(2 * index.size), held))
        for limit in index.limits:
            if not limit.keeps(limit.start(true), (), ()):
                yield _demand(literals_of(limit.cut(true)))

    def _next(self, holds: bytearray, offered: Iterable[int]) -> Iterator[Demand]:
        """Return what would be broken if one of these came in: what each alternative entails, before it is chosen for its price."""
        for x in offered:
            yield from (_demand((x ^ 1, y)) for y in self.index.implied[x] if not holds[y])
            yield from (_demand(c) for c in self.index.losing[x] if not any(holds[y] for y in c if y != x ^ 1))

    def along(self, v: int) -> Iterable[Demand]:
        """Return nothing: changing a variable alone never pays here, since every change costs."""
        return ()


def _demand(clause: Iterable[int]) -> Demand:
    return Demand(tuple(sorted(~(x >> 1) if x & 1 else x >> 1 for x in clause)))
