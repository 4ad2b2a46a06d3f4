"""CP-SAT: the authority. The same world as a CP-SAT model; budgets join it as cuts, when an answer exceeds them."""

import time
from dataclasses import dataclass, field, replace

from recipeforge.solver.budgets import Budget
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.costs import WARNING, Prices
from recipeforge.solver.cpsat import Answer, Model
from recipeforge.solver.ideas import Unchanged
from recipeforge.solver.world import World


@dataclass
class Exact:
    """One world, encoded once. Variable `v` of the world is variable `v` of the model."""

    world: World
    ignored: frozenset[str] = frozenset()
    soft: bool = False
    """Whether warnings get literals of their own, so that an objective can count them."""
    model: Model = field(init=False, default_factory=Model)
    softened: dict[str, int] = field(init=False, default_factory=dict[str, int])
    """Rule of a warning → the model variable that is true when it may be broken."""
    bounds: tuple[Budget, ...] = field(init=False, default=())
    """Budgets beside those of the world."""
    saving: dict[tuple[int, int], int] = field(init=False, default_factory=dict[tuple[int, int], int])
    """Pair of variables that cost less together → the model variable that is true only with both."""

    def __post_init__(self) -> None:
        """Encode the world, or take over what was encoded for the last question about it."""
        global _last
        last = _last  # read once: an editor asks from several threads
        if last is not None and last.world is self.world and (last.ignored, last.soft) == (self.ignored, self.soft):
            self.model, self.softened = last.model.copy(), dict(last.softened)
            return
        for _ in range(self.world.size):
            self.model.new_variable()
        for group in self.world.groups:
            if group.rule not in self.ignored:
                self.model.add_at_most_one(bits(group.members))
        for clause in self.world.clauses:
            self.add(clause)
        _last = _Encoded(self.world, self.ignored, self.soft, self.model.copy(), dict(self.softened))

    def add(self, clause: Clause) -> None:
        """Add a clause; a warning's is satisfied by its own literal too, an ignored rule's is left out."""
        if clause.rule in self.ignored or not (clause.hard or self.soft):
            return
        literals = [*bits(clause.positive), *(-v - 1 for v in bits(clause.negative))]
        if not clause.hard:
            if clause.rule not in self.softened:
                self.softened[clause.rule] = self.model.new_variable()
            literals.append(self.softened[clause.rule])
        self.model.add_or(literals)

    def demand_other_ideas(self, than: Unchanged) -> None:
        """From now on, at least one part that a repair changed stays as it was."""
        literals = [*bits(than.literals.positive), *(-v - 1 for v in bits(than.literals.negative))]
        for members in than.empty:
            filled = self.model.new_variable()
            for v in bits(members):
                self.model.add_or([-v - 1, filled])
            literals.append(-filled - 1)
        for pair in than.trades:
            traded = self.model.new_variable()
            for v in bits(pair):
                self.model.add_or([-traded - 1, v])
            literals.append(traded)
        self.model.add_or(literals)

    def bound(self, budget: Budget) -> None:
        """From now on, this budget is kept too."""
        self.bounds += (budget,)

    def forbid(self, true: int) -> None:
        """From now on, this assignment is no answer."""
        self.model.add_or([-v - 1 if true >> v & 1 else v for v in range(self.world.size)])

    def solve(self, true: int = 0, false: int = 0, *, price: Prices | None = None, limit_s: float = 5.0) -> Answer:
        """Return an assignment with these variables so; the cheapest, when a `price` is given.

        With a price the variables are fixed for good, since CP-SAT gives no cores under an objective. An answer that is
        not proved cheapest keeps the rules all the same.
        """
        deadline = time.monotonic() + limit_s
        assumptions = [*bits(true), *(-v - 1 for v in bits(false))]
        if price is not None:
            for literal in assumptions:
                self.model.add_or([literal])
            assumptions = []
        while True:
            costs = self._costs(price) if price is not None else None
            left = deadline - time.monotonic()
            if left <= 0:
                return Answer("unknown")
            answer = self.model.solve(assumptions, costs, price.offset if price else 0, left)
            cuts = self._cuts(answer.true) if answer.status == "sat" else []
            if not cuts:
                return replace(answer, true=answer.true & (1 << self.world.size) - 1)
            for cut in cuts:
                self.add(cut)

    def _costs(self, price: Prices) -> dict[int, int]:
        """Return the objective: what variables cost, what pairs of them save, and the warnings."""
        costs = dict(price.of) | dict.fromkeys(self.softened.values(), WARNING)
        for one, other, less in price.pairs:
            if (one, other) not in self.saving:
                both = self.saving[one, other] = self.model.new_variable()
                self.model.add_or([-both - 1, one])
                self.model.add_or([-both - 1, other])
            costs[self.saving[one, other]] = -less
        return costs

    def _cuts(self, true: int) -> list[Clause]:
        """Return the cuts of budgets that an assignment exceeds."""
        return [
            budget.cut(true)
            for budget in (*self.world.budgets, *self.bounds)
            if budget.rule not in self.ignored and (budget.hard or self._counts(budget.rule, true)) and not budget.holds(true)
        ]

    def _counts(self, rule: str, true: int) -> bool:
        """Return whether a warning's budget still has to be told to the model: it does until its literal is set."""
        return self.soft and not (rule in self.softened and true >> self.softened[rule] & 1)


@dataclass(frozen=True)
class _Encoded:
    """A world's model as it is before anything is asked."""

    world: World
    ignored: frozenset[str]
    soft: bool
    model: Model
    softened: dict[str, int]


_last: _Encoded | None = None
