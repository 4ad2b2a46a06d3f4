"""CP-SAT: the authority. The same world as a `CpModelProto`, rules under their own literals.

The semi-private `cp_model_helper` is used instead of `cp_model`, which would load pandas. Parameters and traps:
presolve off with assumptions (cores are wrong otherwise), one worker and no objective with assumptions (the core is
all of them otherwise), a solution copied before its response dies; docs/decisions/0003-solver.md.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import ortools.sat.python.cp_model_helper as cmh

from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.world import World

UNBOUNDED = -(1 << 60)


@dataclass(frozen=True)
class Answer:
    """`status` is `sat`, `unsat` or `unknown` (out of time); `true` the assignment; `core` literals that clash."""

    status: str
    true: int = 0
    core: tuple[int, ...] = ()
    objective: int = 0


def _parameters(limit_s: float, *, optimise: bool) -> "cmh.SatParameters":
    """Return parameters that answer small models in half a millisecond instead of ten."""
    p = cmh.SatParameters()
    p.num_workers = 1
    p.cp_model_presolve = False
    p.linearization_level = 0
    p.symmetry_level = 0
    p.cp_model_probing_level = 0
    p.random_seed = 0
    p.optimize_with_core = optimise
    p.max_time_in_seconds = limit_s
    return p


@dataclass
class Exact:
    """One world, encoded once. Variable `v` of the world is variable `v` of the model."""

    world: World
    ignored: frozenset[str] = frozenset()
    soft: bool = False
    """Whether warnings get literals of their own, so that an objective can count them."""
    proto: "cmh.CpModelProto" = field(init=False)
    softened: dict[str, int] = field(init=False, default_factory=dict[str, int])
    """Rule of a warning → the model variable that is true when it may be broken."""

    def __post_init__(self) -> None:
        self.proto = cmh.CpModelProto()
        for _ in range(self.world.size):
            self._new_variable()
        for group in self.world.groups:
            if group.rule not in self.ignored:
                self.proto.constraints.add().at_most_one.literals.extend(bits(group.members))
        for clause in self.world.clauses:
            self.add(clause)

    def _new_variable(self) -> int:
        self.proto.variables.add().domain.extend([0, 1])
        return len(self.proto.variables) - 1

    def add(self, clause: Clause, extra: Iterable[int] = ()) -> None:
        """Add a clause; a warning's is satisfied by its own literal too, an ignored rule's is left out."""
        if clause.rule in self.ignored or not (clause.hard or self.soft):
            return
        literals = [*bits(clause.positive), *(-v - 1 for v in bits(clause.negative)), *extra]
        if not clause.hard:
            if clause.rule not in self.softened:
                self.softened[clause.rule] = self._new_variable()
            literals.append(self.softened[clause.rule])
        self.proto.constraints.add().bool_or.literals.extend(literals)

    def solve(self, true: int = 0, false: int = 0, *, costs: Mapping[int, int] | None = None, offset: int = 0, limit_s: float = 5.0) -> Answer:
        """Return an assignment with these variables so; the cheapest, when `costs` (variable → cost) are given.

        Budgets are kept by adding cuts until the answer needs none.
        """
        deadline = time.monotonic() + limit_s
        assumptions = [*bits(true), *(-v - 1 for v in bits(false))]
        if costs is not None:
            assumptions = self._fix(assumptions)
        while True:
            answer = self._solve_once(assumptions, costs, offset, max(deadline - time.monotonic(), 0.001))
            if answer.status != "sat":
                return answer
            cuts = self._cuts(answer.true)
            if not cuts:
                return replace(answer, true=answer.true & (1 << self.world.size) - 1)
            for cut in cuts:
                self.add(cut)

    def _cuts(self, true: int) -> list[Clause]:
        """Return the cuts of budgets that an assignment exceeds."""
        return [
            b.cut(true)
            for b in self.world.budgets
            if b.rule not in self.ignored and (b.hard or self._counts(b.rule, true)) and not b.holds(true)
        ]

    def _counts(self, rule: str, true: int) -> bool:
        """Return whether a warning's budget still has to be told to the model: it does until its literal is set."""
        return self.soft and not (rule in self.softened and true >> self.softened[rule] & 1)

    def _fix(self, assumptions: Sequence[int]) -> list[int]:
        """Turn assumptions into unit clauses, since CP-SAT gives no cores under an objective."""
        for literal in assumptions:
            self.proto.constraints.add().bool_or.literals.extend([literal])
        return []

    def _solve_once(self, assumptions: Sequence[int], costs: Mapping[int, int] | None, offset: int, limit_s: float) -> Answer:
        proto = self.proto
        proto.assumptions.clear()
        proto.assumptions.extend(assumptions)
        proto.clear_objective()
        if costs is not None:
            merged = dict(costs) | dict.fromkeys(self.softened.values(), 1)
            proto.objective.vars.extend(list(merged))
            proto.objective.coeffs.extend(list(merged.values()))
            proto.objective.offset = offset
        wrapper = cmh.SolveWrapper()
        wrapper.set_parameters(_parameters(limit_s, optimise=costs is not None))
        response = wrapper.solve(proto)
        if response.status == cmh.INFEASIBLE:
            return Answer("unsat", core=tuple(response.sufficient_assumptions_for_infeasibility))
        if response.status == cmh.OPTIMAL or (response.status == cmh.FEASIBLE and costs is None):
            true = sum(1 << v for v, value in enumerate(list(response.solution)) if value)
            return Answer("sat", true, objective=round(response.objective_value) if costs is not None else 0)
        return Answer("unknown")
