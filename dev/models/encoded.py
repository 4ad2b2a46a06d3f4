"""A sparse formula as a CP-SAT model, sums and all: what the engine's answers, and others', can be compared with."""

from recipeforge.solver.consequences import told_without_limits
from recipeforge.solver.cpsat import Model
from recipeforge.solver.formula import Formula


def encoded(formula: Formula) -> Model:
    """Return a formula as a CP-SAT model that is built once, with the parameters that answer small questions fast."""
    model = told_without_limits(formula)
    for limit in formula.limits:
        assert limit.sum_of is not None, "only plain sums can be told"
        model.add_sum(*limit.sum_of)
    return model
