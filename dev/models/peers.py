# None of these libraries carries types that a checker could follow.
# pyright: basic, reportMissingImports=false
"""Other solvers, asked the same question: which variables are forced, and which blocked, under some picks.

Each is used the way its own documentation suggests for the task, prepared once and asked many times. `ask` is what a benchmark
times; `read` turns what came back into numbers of variables. None is needed to use the project: `installed()` says which are there.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from recipeforge.solver.clauses import bits
from recipeforge.solver.formula import Formula

PAIRS_UP_TO = 12
"""Larger groups are counted where a solver knows clauses only."""


@dataclass(frozen=True)
class Statuses:
    """What a peer says about the variables it was asked about."""

    forced: frozenset[int]
    blocked: frozenset[int]


class Peer(Protocol):
    """One solver, told one formula; it judges the first `known` variables."""

    name: ClassVar[str]
    module: ClassVar[str]  # what has to be importable

    def __init__(self, formula: Formula, known: int) -> None: ...

    def satisfiable(self, picks: Sequence[int]) -> bool:
        """Return whether these literals can hold together."""
        ...

    def ask(self, picks: Sequence[int]) -> Any:
        """Return everything that `read` needs; `None` if the literals cannot hold together."""
        ...

    def read(self, answer: Any) -> Statuses:
        """Return the statuses."""
        ...


class PythonSat:
    """One incremental solver; the literals of a model are flipped one by one, and every further model strikes out what it flips.

    Propagation settles what it can beforehand, and phases ask each model to flip as much as it can. Budgets are kept by cuts: exact, but
    with thousands of components too slow to be a fair comparison.
    """

    name: ClassVar[str] = "python-sat cadical153"
    module: ClassVar[str] = "pysat"
    solver: ClassVar[str] = "cadical153"

    def __init__(self, formula: Formula, known: int) -> None:
        from pysat.solvers import Solver

        self.known, self.limits = known, formula.limits
        self.sat: Any = Solver(name=self.solver, bootstrap_with=dimacs_clauses(formula))
        self.sat.solve()

    def satisfiable(self, picks: Sequence[int]) -> bool:
        """Solve, and again for each budget that the answer exceeds."""
        return self._model([_dimacs(x) for x in picks]) is not None

    def ask(self, picks: Sequence[int]) -> set[int] | None:
        """Return the literals of the backbone."""
        given = [_dimacs(x) for x in picks]
        model = self._model(given)
        if model is None:
            return None
        candidates = set(model[: self.known])
        implied = {x for x in self.sat.propagate(assumptions=given)[1] if abs(x) <= self.known} | set(given)
        candidates -= implied
        self.sat.set_phases([-x for x in candidates])
        backbone = implied
        for x in tuple(candidates):
            if x not in candidates:
                continue
            model = self._model([*given, -x])
            if model is None:
                backbone.add(x)
                candidates.remove(x)
            else:
                candidates.intersection_update(model)
        return backbone

    def read(self, answer: set[int]) -> Statuses:
        """Return the backbone as statuses."""
        return Statuses(frozenset(x - 1 for x in answer if x > 0), frozenset(-x - 1 for x in answer if x < 0))

    def _model(self, assumptions: list[int]) -> list[int] | None:
        while self.sat.solve(assumptions=assumptions):
            model = self.sat.get_model()
            if not self._cut(model):
                return model
        return None

    def _cut(self, model: list[int]) -> bool:
        """Add a clause for each budget that a model exceeds; return whether there was one."""
        if not self.limits:
            return False
        true = sum(1 << (x - 1) for x in model if x > 0)
        exceeded = [limit.cut(true) for limit in self.limits if not limit.keeps(limit.start(true), (), ())]
        for cut in exceeded:
            self.sat.add_clause([*(v + 1 for v in bits(cut.positive)), *(-v - 1 for v in bits(cut.negative))])
        return bool(exceeded)


class PythonSatGlucose(PythonSat):
    """As above, with another solver inside: which of the two is faster depends on the formula."""

    name: ClassVar[str] = "python-sat glucose4"
    solver: ClassVar[str] = "glucose4"


class PythonSatPlain(PythonSat):
    """As most tools for feature models do it: a call for each literal that no model has flipped yet, with nothing asked of the models."""

    name: ClassVar[str] = "python-sat, plain flips"

    def ask(self, picks: Sequence[int]) -> set[int] | None:
        """Return the literals of the backbone."""
        given = [_dimacs(x) for x in picks]
        model = self._model(given)
        if model is None:
            return None
        candidates, backbone = set(model[: self.known]), set[int]()
        while candidates:
            x = candidates.pop()
            flipped = self._model([*given, -x])
            if flipped is None:
                backbone.add(x)
            else:
                candidates.intersection_update(flipped)
        return backbone


class Clingo:
    """Brave and cautious consequences: what is true in some answer set, and in all of them. Budgets are weight rules."""

    name: ClassVar[str] = "clingo"
    module: ClassVar[str] = "clingo"

    def __init__(self, formula: Formula, known: int) -> None:
        import clingo

        self.known = known
        self.control: Any = clingo.Control(["--warn=none"])
        with self.control.backend() as backend:
            self.atoms = [backend.add_atom(clingo.Function("x", [clingo.Number(v)])) for v in range(formula.size)]
            backend.add_rule(self.atoms, [], choice=True)
            for clause in formula.clauses:
                backend.add_rule([], [self._literal(~x) for x in clause])
            for group in formula.groups:
                backend.add_weight_rule([], 2, [(self.atoms[v], 1) for v in group])
            for weights, most in plain_sums(formula):
                relief = sum(-w for w in weights.values() if w < 0)
                parts = [(self.atoms[v], w) if w > 0 else (-self.atoms[v], -w) for v, w in weights.items()]
                backend.add_weight_rule([], most + relief + 1, parts)
        self.satisfiable(())

    def satisfiable(self, picks: Sequence[int]) -> bool:
        """Solve once."""
        self._mode("auto", 1)
        return bool(self.control.solve(assumptions=[self._literal(x) for x in picks]).satisfiable)

    def ask(self, picks: Sequence[int]) -> tuple[Any, Any] | None:
        """Return the atoms of some and of all answer sets."""
        some = self._consequences("brave", picks)
        return None if some is None else (some, self._consequences("cautious", picks))

    def read(self, answer: tuple[Any, Any]) -> Statuses:
        """Return the statuses: blocked is what no answer set has."""
        some, every = (frozenset(symbol.arguments[0].number for symbol in symbols) for symbols in answer)
        asked = range(self.known)
        return Statuses(frozenset(v for v in asked if v in every), frozenset(v for v in asked if v not in some))

    def _literal(self, x: int) -> int:
        return self.atoms[x] if x >= 0 else -self.atoms[~x]

    def _mode(self, mode: str, models: int) -> None:
        self.control.configuration.solve.enum_mode = mode
        self.control.configuration.solve.models = models

    def _consequences(self, mode: str, picks: Sequence[int]) -> Any:
        self._mode(mode, 0)
        with self.control.solve(yield_=True, assumptions=[self._literal(x) for x in picks]) as handle:
            for _ in handle:
                pass  # each is a better approximation; the last one is the answer
            last = handle.last()
            return None if last is None else last.symbols(atoms=True)


class Z3:
    """`Solver.consequences`, which z3 has for exactly this question, of its solver for finite domains.

    Groups and budgets are pseudo-Boolean constraints.
    """

    name: ClassVar[str] = "z3"
    module: ClassVar[str] = "z3"

    def __init__(self, formula: Formula, known: int) -> None:
        import z3

        self.z3: Any = z3
        self.variables = [z3.Bool(f"x{v}") for v in range(formula.size)]
        self.known = self.variables[:known]
        self.solver: Any = z3.SolverFor("QF_FD")  # a third of the default solver's time
        for clause in formula.clauses:
            self.solver.add(z3.Or([self._literal(x) for x in clause]))
        for group in formula.groups:
            self.solver.add(z3.AtMost(*[self.variables[v] for v in group], 1))
        for weights, most in plain_sums(formula):
            self.solver.add(z3.PbLe([(self.variables[v], w) for v, w in weights.items()], most))
        self.solver.check()

    def satisfiable(self, picks: Sequence[int]) -> bool:
        """Check once."""
        return self.solver.check([self._literal(x) for x in picks]) == self.z3.sat

    def ask(self, picks: Sequence[int]) -> Any:
        """Return implications from picks to literals, and the picks."""
        result, found = self.solver.consequences([self._literal(x) for x in picks], self.known)
        return (found, picks) if result == self.z3.sat else None

    def read(self, answer: Any) -> Statuses:
        """Return what stands right of the arrows, and the picks: not all of these are listed."""
        implications, picks = answer
        heads = [implication.arg(1) for implication in implications]
        forced = {int(str(head)[1:]) for head in heads if not self.z3.is_not(head)}
        blocked = {int(str(head.arg(0))[1:]) for head in heads if self.z3.is_not(head)}
        return Statuses(frozenset(forced.union(x for x in picks if x >= 0)), frozenset(blocked.union(~x for x in picks if x < 0)))

    def _literal(self, x: int) -> Any:
        return self.variables[x] if x >= 0 else self.z3.Not(self.variables[~x])


def rc2_repair(formula: Formula, known: int, picks: Sequence[int], add: int, drop: int) -> int | None:
    """Return what the cheapest repair of picked variables costs, by core-guided MaxSAT (RC2); `None` if nothing keeps the rules.

    Each of the first `known` variables costs `drop` where it was picked and goes, `add` where it was not and comes. Budgets are not kept.
    """
    from pysat.examples.rc2 import RC2
    from pysat.formula import WCNF

    problem: Any = WCNF()
    problem.extend(dimacs_clauses(formula))
    picked = set(picks)
    problem.extend([[v + 1 if v in picked else -v - 1] for v in range(known)], weights=[drop if v in picked else add for v in range(known)])
    with RC2(problem, solver="cd15") as search:
        return search.cost if search.compute() is not None else None


PEERS: tuple[type[Peer], ...] = (PythonSat, PythonSatGlucose, Clingo, Z3)


def installed() -> tuple[type[Peer], ...]:
    """Return the peers that can be imported here."""
    return tuple(peer for peer in PEERS if importable(peer.module))


def importable(module: str) -> bool:
    """Return whether a module can be imported, by importing it."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def plain_sums(formula: Formula) -> list[tuple[Any, int]]:
    """Return weights and bound of each budget.

    Raises:
        ValueError: one is no plain sum; only python-sat, by cuts, can keep such a limit.
    """
    sums = [limit.sum_of for limit in formula.limits]
    if None in sums:
        raise ValueError("a limit is no plain sum, and this solver knows no other")
    return [s for s in sums if s is not None]


def dimacs_clauses(formula: Formula) -> list[list[int]]:
    """Return clauses, and groups as clauses: pair by pair, or counted with further variables where they are large."""
    from pysat.card import CardEnc, EncType

    clauses, top = [[_dimacs(x) for x in clause] for clause in formula.clauses], formula.size
    for group in formula.groups:
        members = [v + 1 for v in group]
        encoding = EncType.pairwise if len(group) <= PAIRS_UP_TO else EncType.seqcounter
        counted = CardEnc.atmost(lits=members, bound=1, top_id=top, encoding=encoding)
        top = max(top, counted.nv)
        clauses += counted.clauses
    return clauses


def _dimacs(x: int) -> int:
    return x + 1 if x >= 0 else x
