"""A proof that no versions satisfy some demands: which versions each demand leaves of each package, step by step, until none is left.

Each demand is held against the versions that are left and takes away all that it can (arc consistency); where that is not enough,
the versions of one package are told apart, and each case is refuted. Steps that the contradiction does not use are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recipeforge.schemas.record import record
from recipeforge.solver.engine import Undecided
from recipeforge.solver.packages_world import Allowed, Demand, Puzzle
from recipeforge.solver.patience import asking, check

MOST_CASES = 60
"""Cases refuted before a proof is given up: nobody would read a longer one."""

Left = dict[str, int]
"""Package → the versions that are left."""


@record
class Narrowing:
    """That a demand leaves a package only these versions, given what was left of the others."""

    package: str
    before: int
    left: int
    demand: Demand | None
    """`None`: it is supposed."""
    allowed: int = 0
    """What the demand leaves of the package whatever had narrowed it before."""
    because: tuple["Narrowing", ...] = ()
    """What had narrowed the packages that the demand is about, this one included where it matters."""


@record
class Refutation:
    """That nothing is left of a package; or that no case of several is possible."""

    end: Narrowing | None
    """The step that leaves nothing."""
    cases: tuple[tuple[Narrowing, "Refutation"], ...] = ()
    """Suppositions about one package that together are all that is left of it, each refuted."""
    split: Narrowing | None = None
    """What had narrowed that package before it was split."""

    def needs(self) -> list[Narrowing]:
        """Return the steps that hold before any of its cases is supposed, each after those that it follows from."""
        supposed = {id(step) for step in self._suppositions()}
        resting: set[int] = set()
        found: dict[int, Narrowing] = {}
        for step in self._steps({}):
            if id(step) in supposed or any(id(premise) in resting for premise in step.because):
                resting.add(id(step))
            else:
                found[id(step)] = step
        return list(found.values())

    def rests_on(self, supposed: Narrowing) -> bool:
        """Return whether a supposition takes part."""
        return any(step is supposed for step in self._steps({}))

    def demands(self) -> list[Demand]:
        """Return the demands that take part, in the cases too."""
        ends = [self.end] if self.end is not None else []
        mine = [step.demand for step in [*self._steps({}), *ends] if step.demand is not None]
        return [*mine, *(demand for _, refutation in self.cases for demand in refutation.demands())]

    def _suppositions(self) -> Iterator[Narrowing]:
        for supposed, refutation in self.cases:
            yield supposed
            yield from refutation._suppositions()

    def _steps(self, seen: dict[int, Narrowing]) -> list[Narrowing]:
        """Return all steps but the contradictions, each once and after those that it follows from."""
        pending = [*(self.end.because if self.end else ()), *([self.split] if self.split else [])]
        while pending:
            step = pending[-1]
            behind = [premise for premise in step.because if id(premise) not in seen]
            if behind and id(step) not in seen:
                pending += reversed(behind)
            else:
                seen.setdefault(id(pending.pop()), step)
        for _, refutation in self.cases:
            refutation._steps(seen)
        return list(seen.values())


def refute(puzzle: Puzzle, demands: Sequence[Demand]) -> Refutation | None:
    """Return why no versions satisfy these demands; `None` if some do.

    Raises:
        Undecided: the proof would be too long.
        GivenUp: whoever asks does not wait any more.
    """
    refuter = _Refuter(puzzle, tuple(demands))
    return refuter.refute(dict(refuter.full), {}, list(demands))


@dataclass
class _Refuter:
    puzzle: Puzzle
    demands: tuple[Demand, ...]
    cases: int = MOST_CASES
    full: Mapping[str, int] = field(init=False)
    """Package → all that it can be."""
    about: Mapping[str, tuple[Demand, ...]] = field(init=False)
    """Package → the demands that speak of it."""

    def __post_init__(self) -> None:
        """Sort the demands by what they are about."""
        there = {package for d in self.puzzle.demands if d.plain for package in d.packages}
        self.full = {p: values.installed | (0 if p in there else values.absent) for p, values in self.puzzle.values.items()}
        self.about = {package: tuple(d for d in self.demands if package in d.packages) for package in self.puzzle.values}

    def refute(self, left: Left, last: dict[str, Narrowing], pending: list[Demand]) -> Refutation | None:
        """Return a refutation of what is left. `last` holds the latest step about each package."""
        self.cases -= 1
        check(asking())
        if self.cases < 0:
            raise Undecided("the proof is too long to be told")
        end = self._narrow(left, last, pending)
        return Refutation(end) if end is not None else self._split(left, last)

    def _narrow(self, left: Left, last: dict[str, Narrowing], pending: list[Demand]) -> Narrowing | None:
        """Take away what the pending demands, and those that this wakes, do not allow; return the step that leaves nothing."""
        while pending:
            demand = pending.pop(0)
            for package in demand.packages:
                allowed = supported(demand, package, left, self.full[package])
                if left[package] & ~allowed:
                    step = self._step(demand, package, left, last, left[package] & allowed)
                    if not step.left:
                        return step
                    left[package], last[package] = step.left, step
                    pending += [d for d in self.about[package] if d is not demand and d not in pending]
        return None

    def _step(self, demand: Demand, package: str, left: Left, last: Mapping[str, Narrowing], now: int) -> Narrowing:
        """Return the step, with no more premises than it takes."""
        others = [p for p in demand.packages if p != package and p in last]
        for p in tuple(others):
            fewer = [q for q in others if q != p]
            if left[package] & self._allowed(demand, package, left, fewer) == now:
                others = fewer
        allowed = self._allowed(demand, package, left, others)
        own = [last[package]] if package in last and now != allowed else []
        return Narrowing(package, left[package], now, demand, allowed, (*(last[p] for p in others), *own))

    def _allowed(self, demand: Demand, package: str, left: Left, others: Sequence[str]) -> int:
        """Return what a demand leaves of a package by what is left of some others alone."""
        told = {p: left[p] if p in others else self.full[p] for p in demand.packages}
        return supported(demand, package, told, self.full[package])

    def _split(self, left: Left, last: dict[str, Narrowing]) -> Refutation | None:
        """Refute each kind of versions of the package that falls into the fewest kinds."""
        kinds = {package: list(self._kinds(package, mask)) for package, mask in left.items()}
        package = min((p for p in kinds if len(kinds[p]) > 1), key=lambda p: len(kinds[p]), default=None)
        if package is None:
            return None  # all that is left is alike, and no demand takes it away
        cases: list[tuple[Narrowing, Refutation]] = []
        for kind in kinds[package]:
            supposed = Narrowing(package, left[package], kind, None)
            refutation = self.refute(left | {package: kind}, last | {package: supposed}, list(self.about[package]))
            if refutation is None:
                return None
            if not refutation.rests_on(supposed):
                return refutation  # it was not needed
            cases.append((supposed, refutation))
        return Refutation(None, tuple(cases), last.get(package))

    def _kinds(self, package: str, left: int) -> Iterator[int]:
        """Yield the versions left of a package, those together that no clause tells apart."""
        found: dict[tuple[bool, ...], int] = {}
        clauses = [clause[package] for demand in self.about[package] for clause in demand.clauses if package in clause]
        while left:
            bit = left & -left
            left ^= bit
            kind = tuple(bool(mask & bit) for mask in clauses)
            found[kind] = found.get(kind, 0) | bit
        yield from found.values()


def supported(demand: Demand, package: str, left: Mapping[str, int], values: int) -> int:
    """Return those of a package's values with which a demand can hold, given what is left of the others."""
    others = [p for p in demand.packages if p != package]
    return sum(mask for mask, unmet in _classes(demand.clauses, package, values) if _possible(unmet, others, left))


def _possible(unmet: Sequence[Allowed], packages: Sequence[str], left: Mapping[str, int]) -> bool:
    if not unmet:
        return True
    if not packages:
        return False
    return any(_possible(rest, packages[1:], left) for _, rest in _classes(unmet, packages[0], left[packages[0]]))


def _classes(clauses: Sequence[Allowed], package: str, values: int) -> Iterator[tuple[int, list[Allowed]]]:
    """Yield the values of a package in groups that meet the same clauses, with the clauses that they leave to the others."""
    groups: list[tuple[int, list[Allowed]]] = [(values, [])]
    for clause in clauses:
        meets = clause.get(package, 0)
        after: list[tuple[int, list[Allowed]]] = []
        for mask, unmet in groups:
            if mask & meets:
                after.append((mask & meets, unmet))
            if mask & ~meets:
                after.append((mask & ~meets, [*unmet, clause]))
        groups = after
    yield from groups
