"""Small random formulas with every kind of limit, and their truth tables: each rule as one number of 2ⁿ bits, no solver."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from dev.models.sums import Sum
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.formula import Formula

MOST_VARIABLES = 9


@dataclass(frozen=True)
class Product:
    """A limit that is no sum: how many of `left` are true, times how many of `right`."""

    left: int
    right: int
    most: int
    sum_of = None

    @property
    def variables(self) -> int:
        return self.left | self.right

    def start(self, true: int) -> int:
        return true

    def keeps(self, start: int, appeared: Sequence[int], gone: Sequence[int]) -> bool:
        true = (start | sum(1 << v for v in appeared)) & ~sum(1 << v for v in gone)
        return (true & self.left).bit_count() * (true & self.right).bit_count() <= self.most

    def cut(self, true: int) -> Clause:
        return Clause(0, true & self.variables, "", hard=True)  # the amount never falls when one more becomes true


@dataclass(frozen=True)
class Table:
    """The assignments that keep a formula's rules, as a number: bit `a` stands for assignment `a`."""

    size: int
    kept: int

    def with_picks(self, picks: Sequence[int]) -> int:
        """The assignments left once these literals hold."""
        left = self.kept
        for x in picks:
            left &= column(x, self.size)
        return left

    def forced(self, left: int) -> set[int]:
        """Variables that are true in all of them."""
        return {v for v in range(self.size) if not left & column(~v, self.size)}

    def blocked(self, left: int) -> set[int]:
        """Variables that are true in none."""
        return {v for v in range(self.size) if not left & column(v, self.size)}


@cache
def column(literal: int, size: int) -> int:
    """The assignments in which a literal holds."""
    v = literal if literal >= 0 else ~literal
    block = ((1 << (1 << v)) - 1) << (1 << v)
    whole = sum(block << start for start in range(0, 1 << size, 2 << v))
    return whole if literal >= 0 else ((1 << (1 << size)) - 1) & ~whole


def table(formula: Formula) -> Table:
    """The truth table, from the definition of each kind of rule."""
    n, kept = formula.size, (1 << (1 << formula.size)) - 1
    for clause in formula.clauses:
        held = 0
        for x in clause:
            held |= column(x, n)
        kept &= held
    for group in formula.groups:
        for a in range(1 << n):
            if sum(a >> v & 1 for v in group) > 1:
                kept &= ~(1 << a)
    for limit in formula.limits:
        for a in bits(kept):
            if amount(limit, a) > limit.most:
                kept &= ~(1 << a)
    return Table(n, kept)


def amount(limit: Sum | Product, true: int) -> int:
    """What a limit limits, computed as people would."""
    if isinstance(limit, Sum):
        return sum(weight for v, weight in limit.weights.items() if true >> v & 1)
    return (true & limit.left).bit_count() * (true & limit.right).bit_count()


@cache
def parts(n: int) -> tuple[st.SearchStrategy, ...]:
    """Strategies for clauses, groups, limits and picks over `n` variables; made once, since making them takes longer than drawing."""
    variable, literal = st.integers(0, n - 1), st.integers(-n, n - 1)
    clauses = st.lists(st.lists(literal, min_size=2, max_size=5).map(tuple), max_size=16)
    units = st.lists(literal.map(lambda x: (x,)), max_size=1)
    groups = st.lists(st.tuples(st.lists(variable, min_size=1, max_size=n, unique=True).map(tuple), st.booleans()), max_size=3)
    some = st.integers(0, (1 << n) - 1)
    sums = st.builds(Sum, st.dictionaries(variable, st.integers(-5, 9).filter(bool), max_size=n), st.integers(-4, 25))
    limits = st.lists(st.one_of(sums, st.builds(Product, some, some, st.integers(0, 8))), max_size=3)
    return clauses, units, groups, limits, st.lists(literal, max_size=4)


@st.composite
def questions(draw) -> tuple[Formula, list[int]]:
    """A formula of up to nine variables, and up to four literals that are picked."""
    n = draw(st.integers(1, MOST_VARIABLES))
    clauses, units, groups, limits, picks = (draw(part) for part in parts(n))
    filled = [group for group, exactly_one in groups if exactly_one]
    formula = Formula(n, (*clauses, *units, *filled), tuple(group for group, _ in groups), tuple(limits))
    return formula, picks
