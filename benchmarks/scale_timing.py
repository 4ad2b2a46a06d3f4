"""Timing for the scale benchmark: warm calls, medians and 99th percentiles, a table with everybody beside each other."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dev.models.peers import Statuses
from recipeforge.solver.consequences import Consequences
from recipeforge.solver.formula import Formula

T = TypeVar("T")
OURS = "ours"
NAIVE = "naive CP-SAT"


@dataclass(frozen=True)
class Times:
    """Milliseconds of some calls, sorted."""

    ms: tuple[float, ...]
    estimated: bool = False
    """Whether they were extrapolated from a part of the work."""

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.ms)

    @property
    def p99(self) -> float:
        """The 99th percentile; the slowest where calls are fewer than a hundred."""
        return self.ms[min(len(self.ms) - 1, int(len(self.ms) * 0.99))]


CLOCK: list[Callable[[], float]] = [time.perf_counter]
"""What calls are timed with. Put another one here where the machine is busy with other things."""


def timed(question: Callable[[T], object], inputs: Iterable[T], *, rounds: int = 1, most_s: float = math.inf) -> Times | None:
    """Time a question, each input once unmeasured and then `rounds` times; stop early once `most_s` have passed; `None` without input."""
    found: list[float] = []
    begun, clock = time.perf_counter(), CLOCK[0]
    for one in inputs:
        if found and time.perf_counter() - begun > most_s:
            break
        if rounds > 1:
            question(one)
        for _ in range(rounds):
            start = clock()
            question(one)
            found.append((clock() - start) * 1e3)
    return Times(tuple(sorted(found))) if found else None


@dataclass
class Table:
    """What was measured: question → who → times. The first that is recorded of a question is what the others are compared with."""

    rows: dict[str, dict[str, Times]] = field(default_factory=dict[str, dict[str, Times]])

    def record(self, question: str, who: str, times: Times | None, goal: str = "") -> None:
        """Keep and print one line. `goal` is what it should be."""
        if times is None:
            print(f"  {question:<40} {who:<26} no call")
            return
        row = self.rows.setdefault(question, {})
        row[who] = times
        ours = row.get(OURS)
        ratio = f"{times.p50 / ours.p50:>9,.1f}×" if ours and who != OURS else " " * 10
        count = "extrapolated" if times.estimated else f"{len(times.ms)} calls"
        print(f"  {question:<40} {who:<26}{_ms(times.p50):>11}{_ms(times.p99):>11}{ratio}  {count:<13}{goal}", flush=True)


def _ms(ms: float) -> str:
    """Return a number as short as its size allows."""
    return f"{ms:,.3f}" if ms < 100 else f"{ms:,.1f}" if ms < 10_000 else f"{ms:,.0f}"


def heading(title: str) -> None:
    """Print the head of a table."""
    print(f"\n{title}\n  {'milliseconds':<40} {'':<26}{'p50':>11}{'p99':>11}{'to ours':>10}")


def naive(formula: Formula, picks: Sequence[int], components: Sequence[int], of: int) -> Times:
    """Ask CP-SAT as its first page shows: a model built anew and default parameters for each component; extrapolated to `of` of them."""
    from ortools.sat.python import cp_model

    clock = CLOCK[0]
    start = clock()
    for component in components:
        model = cp_model.CpModel()
        variables = [model.new_bool_var("") for _ in range(formula.size)]
        negated = [v.negated() for v in variables]
        for clause in formula.clauses:
            model.add_bool_or([variables[x] if x >= 0 else negated[~x] for x in clause])
        for group in formula.groups:
            model.add_at_most_one([variables[v] for v in group])
        for limit in formula.limits:
            assert limit.sum_of is not None, "the catalogs here have plain sums"
            weights, most = limit.sum_of
            model.add(cp_model.LinearExpr.weighted_sum([variables[v] for v in weights], list(weights.values())) <= most)
        for v in {*picks, component}:
            model.add(variables[v] == 1)
        cp_model.CpSolver().solve(model)
    return Times(((clock() - start) * 1e3 * of / len(components),), estimated=True)


def differences(ours: Consequences, theirs: Statuses, known: int) -> list[int]:
    """Return the variables, among the first `known`, that two answers judge differently; what is undecided is no difference."""
    asked = [v for v in range(known) if v not in ours.undecided]
    return [v for v in asked if (v in ours.forced, v in ours.blocked) != (v in theirs.forced, v in theirs.blocked)]


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Return k of the power law "times grow as size to the k" that fits best, in logarithms."""
    slope, _ = statistics.linear_regression([math.log(s) for s in sizes], [math.log(t) for t in times])
    return slope
