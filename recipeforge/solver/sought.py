"""The cheapest changes to a recipe that keep the rules, one after the other."""

from recipeforge.solver.budgets import Budget
from recipeforge.solver.case import Case
from recipeforge.solver.cheapest import Cheapest, literals
from recipeforge.solver.clauses import bits
from recipeforge.solver.costs import Prices
from recipeforge.solver.cpsat import Answer
from recipeforge.solver.ideas import Unchanged
from recipeforge.solver.told import WorldRules


class Sought:
    """Assignments sought beside a recipe as written, in which these variables are true and those false."""

    def __init__(self, case: Case, price: Prices, true: int = 0, false: int = 0) -> None:
        self.case = case
        self.rules = WorldRules(case.world, true, false)
        self.search = Cheapest(self.rules, case.written, price)
        for v in bits((true & ~case.written) | (false & case.written)):
            self.search.literal(v)

    def next(self, limit_s: float) -> Answer:
        """Return the cheapest that is left."""
        return self.search.solve(limit_s)

    def demand_other_ideas(self, than: Unchanged) -> None:
        """From now on, at least one part that a repair changed stays as it was."""
        model, literal = self.search.model, self.search.literal
        open_to = [literal(x) for x in literals(than.literals)]
        for members in than.empty:
            filled = model.new_variable()
            for v in bits(members):
                model.add_or([~literal(v), filled])
            open_to.append(~filled)
        for pair in than.trades:
            traded = model.new_variable()
            for v in bits(pair):
                model.add_or([~traded, literal(v)])
            open_to.append(traded)
        model.add_or(open_to)

    def bound(self, budget: Budget) -> None:
        """From now on, this budget is kept too."""
        self.rules.bounds.append(budget)

    def forbid(self, true: int) -> None:
        """From now on, this assignment is no answer."""
        self.search.add([~v if true >> v & 1 else v for v in range(self.case.world.size)])
