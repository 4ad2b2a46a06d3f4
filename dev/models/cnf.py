"""Propositional formulas as clauses.

An expression is a literal (a variable's index, or `~index` for its negation), or a tuple of an operator and its parts: `("&", [...])`,
`("|", [...])`, `("!", part)`, `("=", left, right)`. Products of clauses that would blow up get a variable of their own (Tseitin), which
implies what it names; so every assignment of the features that satisfies the formula extends to these variables, and no other does.
"""

from collections.abc import Iterable
from itertools import combinations
from math import comb
from typing import Any, TypeAlias

Expression: TypeAlias = Any
"""An int or a tuple as above: a recursive type that checkers read slowly and people do not need."""
Literals = tuple[int, ...]

WORTH_A_NAME = 32
"""A product of more clauses than this names its larger factor."""
SUBSETS_AT_MOST = 200
"""Up to this many clauses, "at least k of these" is said subset by subset; beyond, by counting."""


class Clauses:
    """Clauses as they come in. Variables below `size` exist already; new ones are numbered from there."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.found: list[Literals] = []

    def require(self, expression: Expression) -> None:
        """From now on, the expression is true."""
        for clause in self._product(expression, truth=True):
            self.add(clause)

    def add(self, clause: Iterable[int]) -> None:
        """Add a clause, unless it is always true; a literal said twice counts once."""
        literals = tuple(dict.fromkeys(clause))
        if not any(~x in literals for x in literals if x >= 0):
            self.found.append(literals)

    def new_variable(self) -> int:
        """Return a variable that nothing speaks of yet."""
        self.size += 1
        return self.size - 1

    def at_least(self, count: int, literals: Literals, unless: Literals = ()) -> None:
        """At least `count` of these are true, or one of `unless`."""
        if count <= 0:
            return
        if count > len(literals):
            self.add(unless)
        elif comb(len(literals), count - 1) <= SUBSETS_AT_MOST:
            for some in combinations(literals, len(literals) - count + 1):
                self.add((*unless, *some))
        else:
            self.add((*unless, self._counted(count, literals)))

    def at_most(self, count: int, literals: Literals) -> None:
        """At most `count` of these are true."""
        self.at_least(len(literals) - count, tuple(~x for x in literals))

    def _counted(self, count: int, literals: Literals) -> int:
        """Return a variable that implies "at least `count` of these": row by row, at least k among the first n need k - 1 or k of n - 1."""
        before: list[int | None] = [None] * (count + 1)  # k → variable for "at least k so far"; None: k is more than there are
        for x in literals:
            row: list[int | None] = [None] * (count + 1)
            for k in range(1, count + 1):
                if k > 1 and before[k - 1] is None:
                    break
                row[k] = named = self.new_variable()
                known = [] if before[k] is None else [before[k]]
                self.add(v for v in (~named, x, *known) if v is not None)
                if k > 1:
                    self.add(v for v in (~named, before[k - 1], *known) if v is not None)
            before = row
        counted = before[count]
        assert counted is not None, "at_least refuses counts beyond the number of literals"
        return counted

    def _product(self, expression: Expression, *, truth: bool) -> list[Literals]:
        """Return clauses that say that the expression is true, or that it is false."""
        if isinstance(expression, int):
            return [(expression if truth else ~expression,)]
        operator = expression[0]
        if operator == "!":
            return self._product(expression[1], truth=not truth)
        if operator == "=":
            left, right = (self._named_inside(side) for side in expression[1:])
            return self._product(("&", [("|", [("!", left), right]), ("|", [("!", right), left])]), truth=truth)
        parts = [self._product(part, truth=truth) for part in expression[1]]
        if (operator == "&") == truth:
            return [clause for part in parts for clause in part]
        return self._one_of(parts)

    def _one_of(self, parts: list[list[Literals]]) -> list[Literals]:
        """Return clauses that say that one of these sets of clauses holds."""
        product: list[Literals] = [()]
        for part in sorted(parts, key=len):
            choices = part
            if len(part) > 1 and len(product) * len(part) > WORTH_A_NAME:
                choices = [(self._name(part),)]
            product = [(*said, *more) for said in product for more in choices]
        return product

    def _name(self, clauses: list[Literals]) -> int:
        """Return a variable that implies these clauses."""
        named = self.new_variable()
        for clause in clauses:
            self.add((~named, *clause))
        return named

    def _named_inside(self, expression: Expression) -> Expression:
        """Return an expression in which a variable stands for each equivalence: said twice by the one around it, it would double at
        every depth."""
        if isinstance(expression, int):
            return expression
        if expression[0] in "&|":
            return expression[0], [self._named_inside(part) for part in expression[1]]
        inside = (expression[0], *(self._named_inside(part) for part in expression[1:]))
        if expression[0] == "!":
            return inside
        named = self.new_variable()
        for truth in (True, False):
            for clause in self._product(inside, truth=truth):
                self.add((~named if truth else named, *clause))
        return named
