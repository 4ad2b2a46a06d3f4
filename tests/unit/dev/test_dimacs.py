"""The DIMACS reader, and groups found again among pairs."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev.models.cliques import exclusive_groups
from dev.models.dimacs import parse
from dev.models.model import ModelError
from recipeforge.solver.formula import Formula

SMALL = """\
c written by hand
c 1 ROOT
c 2$ WITH SPACE
p cnf 4 3
1 0
-1 2
-3 0
-2 4 0
"""


def test_names_and_clauses() -> None:
    model = parse(SMALL, "small.dimacs")
    assert model.names == ("ROOT", "WITH SPACE", "3", "4")
    assert model.formula == Formula(4, ((0,), (~0, 1, ~2), (~1, 3)))


def test_pairs_become_groups() -> None:
    pairs = ["-1 -2 0", "-3 -1 0", "-2 -3 0", "-4 -3 0"]
    formula = parse("\n".join(["p cnf 4 4", *pairs]), "pairs").formula
    assert formula.groups == ((0, 1, 2),)
    assert formula.clauses == ((~2, ~3),)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("c nothing\n", 1, "no line `p cnf"),
        ("p cnf 2 1\n1 x 0\n", 2, "`x` is no number"),
        ("p cnf 2 1\n1 0\n-3 0\n", 3, "variable 3 is beyond the 2"),
        ("p cnf 2 2\n1 0\n-2 1", 3, "ends in 1"),
        ("c\np cnf 2 3\n1 0\n2 0\n", 2, "3 clauses are announced, 2 follow"),
    ],
)
def test_what_is_no_dimacs_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ModelError, match=f"x:{line}: .*{says}"):
        parse(text, "x")


PAIRS = [(~a, ~b) for a in range(6) for b in range(6) if a != b]


@given(st.sets(st.sampled_from(PAIRS), max_size=12), st.lists(st.sampled_from([(1, ~2), (0,), (~0, ~1, ~2), (~3,)]), max_size=2))
def test_groups_say_what_the_pairs_said(free: set[tuple[int, int]], others: list[tuple[int, ...]]) -> None:
    clauses = [*(p for p in PAIRS if not free & {p, p[::-1]}), *others]
    rest, groups = exclusive_groups(clauses)
    before, after = Formula(6, tuple(clauses)), Formula(6, rest, groups)
    for held in product((0, 1), repeat=6):
        true = sum(1 << v for v, value in enumerate(held) if value)
        assert before.violated(true) == after.violated(true)
