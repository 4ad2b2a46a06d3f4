# OR-Tools' bindings carry no types; this file is the one place that touches them.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""A typed handle on a CP-SAT model, and the parameters that make it answer at once.

The semi-private `cp_model_helper` is used instead of `cp_model`, which would load pandas. Parameters and traps:
presolve off with assumptions (cores are wrong otherwise), one worker and no objective with assumptions (the core is
all of them otherwise), a solution copied before its response dies; docs/decisions/0003-solver.md.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext

import ortools.sat.python.cp_model_helper as cmh

from recipeforge.schemas.record import record
from recipeforge.solver.patience import asking

AT_ONCE_S = 0.05
"""Nearly every search ends within this, and is done where it is asked for; only a longer one is started anew where Ctrl-C reaches it."""
_Solve = Callable[["cmh.SolveWrapper", "cmh.CpModelProto"], "cmh.CpSolverResponse"]


@record
class Answer:
    """`status` is `sat`, `unsat` or `unknown` (out of time); `true` the assignment; `core` literals that clash."""

    status: str
    true: int = 0
    core: tuple[int, ...] = ()
    objective: int = 0
    proved: bool = True
    """Whether nothing is cheaper; else the time ran out over the search for it."""


class Model:
    """A growing model over Booleans. A literal is a variable's index, or `-index - 1` for its negation."""

    def __init__(self) -> None:
        self._proto = cmh.CpModelProto()

    def copy(self) -> "Model":
        """Return a model like this one, to grow on its own."""
        other = Model()
        other._proto.copy_from(self._proto)
        return other

    def new_variable(self) -> int:
        """Add a Boolean and return its index."""
        self._proto.variables.add().domain.extend([0, 1])
        return len(self._proto.variables) - 1

    def add_or(self, literals: Iterable[int]) -> None:
        """Add a clause."""
        self._proto.constraints.add().bool_or.literals.extend(list(literals))

    def add_at_most_one(self, literals: Iterable[int]) -> None:
        """Add an at-most-one constraint."""
        self._proto.constraints.add().at_most_one.literals.extend(list(literals))

    def add_sum(self, weights: Mapping[int, int], most: int) -> None:
        """Add "the weights of the true variables sum up to at most this"."""
        linear = self._proto.constraints.add().linear
        linear.vars.extend(list(weights))
        linear.coeffs.extend(list(weights.values()))
        linear.domain.extend([min(0, most) - sum(abs(w) for w in weights.values()), most])

    def solve(self, assumptions: Sequence[int], costs: Mapping[int, int] | None, limit_s: float) -> Answer:
        """Return an assignment under the assumptions; with `costs`, the cheapest that the time allows."""
        self._proto.assumptions.clear()
        self._proto.assumptions.extend(list(assumptions))
        self._proto.clear_objective()
        if costs is not None:
            self._proto.objective.vars.extend(list(costs))
            self._proto.objective.coeffs.extend(list(costs.values()))
        start = time.monotonic()
        response = self._answer(min(limit_s, AT_ONCE_S), costs, solve=_here)
        left = limit_s - (time.monotonic() - start)
        if response.status in (cmh.UNKNOWN, cmh.FEASIBLE) and left > 0 and (costs is not None or response.status == cmh.UNKNOWN):
            response = self._answer(left, costs, solve=_interruptible)
        if response.status == cmh.INFEASIBLE:
            return Answer("unsat", core=tuple(int(x) for x in response.sufficient_assumptions_for_infeasibility))
        if response.status in (cmh.OPTIMAL, cmh.FEASIBLE):
            true = sum(1 << v for v, value in enumerate(list(response.solution)) if value)
            objective = round(response.objective_value) if costs is not None else 0
            return Answer("sat", true, objective=objective, proved=costs is None or response.status == cmh.OPTIMAL)
        return Answer("unknown")

    def settled(self, limit_s: float) -> tuple[int, ...] | None:
        """Return literals that hold in every assignment, as many as probing finds in one call; `None` if there is no assignment.

        Sound, not complete. Without `keep_all_feasible_solutions_in_presolve` the domains would be those of some solutions only.
        """
        self._proto.assumptions.clear()
        self._proto.clear_objective()
        p = _parameters(limit_s, optimise=False)
        p.cp_model_presolve = True
        p.cp_model_probing_level = 2
        p.stop_after_presolve = True
        p.fill_tightened_domains_in_response = True
        p.keep_all_feasible_solutions_in_presolve = True
        wrapper = cmh.SolveWrapper()
        wrapper.set_parameters(p)
        response = _interruptible(wrapper, self._proto)
        if response.status == cmh.INFEASIBLE:
            return None
        domains = [list(tight.domain) for tight in response.tightened_variables]
        return tuple(v if low else ~v for v, (low, *_, high) in enumerate(domains) if low == high)

    def _answer(self, limit_s: float, costs: Mapping[int, int] | None, solve: _Solve) -> "cmh.CpSolverResponse":
        wrapper = cmh.SolveWrapper()
        wrapper.set_parameters(_parameters(limit_s, optimise=costs is not None))
        patience = asking()
        with patience.watching(wrapper) if patience else nullcontext():
            return solve(wrapper, self._proto)


def _here(wrapper: "cmh.SolveWrapper", proto: "cmh.CpModelProto") -> "cmh.CpSolverResponse":
    return wrapper.solve(proto)


def _interruptible(wrapper: "cmh.SolveWrapper", proto: "cmh.CpModelProto") -> "cmh.CpSolverResponse":
    """Solve so that Ctrl-C is heard at once: a signal reaches Python only while its main thread is not inside the search."""
    if threading.current_thread() is not threading.main_thread():
        return wrapper.solve(proto)
    answers: list[cmh.CpSolverResponse] = []
    search = threading.Thread(target=lambda: answers.append(wrapper.solve(proto)), daemon=True)
    search.start()
    try:
        search.join()
    except BaseException:
        while search.is_alive():  # a search that has not quite begun does not hear the first word
            wrapper.stop_search()
            search.join(0.02)
        raise
    return answers[0]


def _parameters(limit_s: float, *, optimise: bool) -> "cmh.SatParameters":
    """Return parameters that answer small models in half a millisecond instead of ten."""
    p = cmh.SatParameters()
    p.num_workers = 1
    p.cp_model_presolve = False
    p.linearization_level = 2 if optimise else 0
    p.symmetry_level = 0
    p.cp_model_probing_level = 0
    p.random_seed = 0
    p.catch_sigint_signal = False  # Ctrl-C is Python's
    p.max_time_in_seconds = limit_s
    return p
