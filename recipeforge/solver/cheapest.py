"""The cheapest assignment beside a given one, of rules that CP-SAT is told piece by piece.

CP-SAT first knows nothing and answers that nothing changes. What that breaks it is told, and asked again, until its answer breaks
nothing. Rules that were never told leave the given assignment as it is, and no rule makes an assignment cheaper: each answer is
a lower bound, so the first that breaks nothing is the cheapest. A repair touches a dozen rules of thousands.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from recipeforge.schemas.record import record
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.costs import WARNING, Prices
from recipeforge.solver.cpsat import Answer, Model
from recipeforge.solver.formula import Literals


@record
class Demand:
    """One thing to tell: at least one of the literals holds, or at most one of the variables is true."""

    literals: Literals
    at_most_one: bool = False
    warning: str = ""
    """Code of the rule that only warns: it may be broken at a price."""


class Rules(Protocol):
    """What has to hold."""

    def broken(self, true: int) -> Iterable[Demand]:
        """Return what an assignment breaks; all of it or a part, but something if it breaks anything."""
        ...

    def along(self, v: int) -> Iterable[Demand]:
        """Return what has to be told with a variable so that changing it alone never pays."""
        ...


class Cheapest:
    """Cheapest assignments, one after the other. A literal is a variable's index, or `~index` for its negation."""

    def __init__(self, rules: Rules, default: int, price: Prices) -> None:
        self.rules, self.default, self.price = rules, default, price
        self.model = Model()
        self._of: dict[int, int] = {}
        """Variable → the model's; those never told about stay as they are."""
        self._costs: dict[int, int] = {}
        self._told: set[Demand] = set()
        self._warned: dict[str, int] = {}
        """Rule of a warning → the model's variable that is true when it may be broken."""
        self._partners: dict[int, list[int]] = {}
        for at, (one, other, _) in enumerate(price.pairs):
            self._partners.setdefault(one, []).append(at)
            self._partners.setdefault(other, []).append(at)
        self._saving: set[int] = set()

    def add(self, literals: Iterable[int]) -> None:
        """From now on, one of these literals holds."""
        self.model.add_or([self.literal(x) for x in literals])

    def literal(self, x: int) -> int:
        """Return the model's literal for one of ours."""
        return self._variable(x) if x >= 0 else ~self._variable(~x)

    def solve(self, limit_s: float) -> Answer:
        """Return the cheapest assignment. One that is not proved cheapest keeps the rules all the same."""
        deadline = time.monotonic() + limit_s
        answer = Answer("sat", self.default) if not self._of else None
        while answer is None or answer.status == "sat":
            if answer is not None:
                news = [demand for demand in self.rules.broken(answer.true) if demand not in self._told]
                if not news:
                    return answer
                for demand in news:
                    self._tell(demand)
            left = deadline - time.monotonic()
            if left <= 0:
                return Answer("unknown")
            answer = self.model.solve((), self._costs, left)
            if answer.status == "sat":
                answer = replace(answer, true=self._meant(answer.true))
        return answer

    def _meant(self, answered: int) -> int:
        """Return the assignment that the model's answer stands for."""
        true = self.default
        for v, at in self._of.items():
            if (answered >> at ^ true >> v) & 1:
                true ^= 1 << v
        return true

    def _tell(self, demand: Demand) -> None:
        if demand in self._told:
            return
        self._told.add(demand)
        literals = [self.literal(x) for x in demand.literals]
        if demand.at_most_one:
            self.model.add_at_most_one(literals)
            return
        if demand.warning:
            if demand.warning not in self._warned:
                self._warned[demand.warning] = self.model.new_variable()
                self._costs[self._warned[demand.warning]] = WARNING
            literals.append(self._warned[demand.warning])
        self.model.add_or(literals)

    def _variable(self, v: int) -> int:
        """Return the model's variable for one of ours, telling what belongs to it when it is new."""
        if v in self._of:
            return self._of[v]
        at = self._of[v] = self.model.new_variable()
        self._costs[at] = self.price.of.get(v, 0)
        for demand in self.rules.along(v):
            self._tell(demand)
        for pair in self._partners.get(v, ()):
            self._save(pair)
        return at

    def _save(self, pair: int) -> None:
        """Let two variables cost less where both are true."""
        if pair not in self._saving:
            self._saving.add(pair)
            one, other, less = self.price.pairs[pair]
            both = self.model.new_variable()
            self.model.add_or([~both, self._variable(one)])
            self.model.add_or([~both, self._variable(other)])
            self._costs[both] = -less


def literals(clause: Clause) -> Literals:
    """Return the literals of a clause of masks."""
    return (*bits(clause.positive), *(~v for v in bits(clause.negative)))


def cheapest_changes(rules: Rules, default: int, costs: Sequence[int], count: int, limit_s: float) -> list[tuple[int, int]]:
    """Return up to `count` assignments that keep the rules, with what they cost, the cheapest first.

    Changing variable `v` of `default` costs `costs[v]`, which is not negative. No later one contains all changes of an earlier one.
    """
    of = {v: -cost if default >> v & 1 else cost for v, cost in enumerate(costs)}
    sought = Cheapest(rules, default, Prices(of, 0))
    deadline = time.monotonic() + limit_s
    found: list[tuple[int, int]] = []
    while len(found) < count and (answer := sought.solve(deadline - time.monotonic())).status == "sat":
        changed = bits(answer.true ^ default)
        found.append((answer.true, sum(costs[v] for v in changed)))
        sought.add([v if default >> v & 1 else ~v for v in changed if costs[v]])
        if not any(costs[v] for v in changed):
            break
    return found
