"""CP-SAT: the authority. The same world as a CP-SAT model; budgets join it as cuts, when an answer exceeds them."""

import time
from dataclasses import dataclass, field, replace

from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.cpsat import Answer, Model
from recipeforge.solver.world import World


@dataclass
class Exact:
    """One world's hard rules, encoded once. Variable `v` of the world is variable `v` of the model."""

    world: World
    ignored: frozenset[str] = frozenset()
    model: Model = field(init=False, default_factory=Model)

    def __post_init__(self) -> None:
        """Encode the world, or take over what was encoded for the last question about it."""
        global _last
        last = _last  # read once: an editor asks from several threads
        if last is not None and last[0] is self.world and last[1] == self.ignored:
            self.model = last[2].copy()
            return
        for _ in range(self.world.size):
            self.model.new_variable()
        for group in self.world.groups:
            if group.rule not in self.ignored:
                self.model.add_at_most_one(bits(group.members))
        for clause in self.world.hard:
            self.add(clause)
        _last = self.world, self.ignored, self.model.copy()

    def add(self, clause: Clause) -> None:
        """Add a clause; an ignored rule's is left out."""
        if clause.rule not in self.ignored:
            self.model.add_or([*bits(clause.positive), *(~v for v in bits(clause.negative))])

    def solve(self, true: int = 0, false: int = 0, *, limit_s: float = 5.0) -> Answer:
        """Return an assignment with these variables so."""
        deadline = time.monotonic() + limit_s
        assumptions = [*bits(true), *(~v for v in bits(false))]
        while (left := deadline - time.monotonic()) > 0:
            answer = self.model.solve(assumptions, None, left)
            binding = [b for b in self.world.budgets if b.hard and b.rule not in self.ignored]
            beyond = [b for b in binding if not b.holds(answer.true)] if answer.status == "sat" else []
            if not beyond:
                return replace(answer, true=answer.true & (1 << self.world.size) - 1)
            for budget in beyond:
                self.add(budget.cut(answer.true))
        return Answer("unknown")


_last: tuple[World, frozenset[str], Model] | None = None
"""A world's model as it is before anything is asked."""
