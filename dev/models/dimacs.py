"""Clauses in DIMACS CNF, with names of variables in comments (`c 17 GZIP`), as tools for feature models write them.

Tools write "at most one of these" as a clause for each pair; those are found again (`cliques.py`), since a group of n members says in n
numbers what takes n²/2 clauses.
"""

import re
from pathlib import Path

from dev.models.cliques import exclusive_groups
from dev.models.model import Model, ModelError
from recipeforge.solver.formula import Formula

_NAMED = re.compile(r"^c[ \t]+(\d+)\$?[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_HEADER = re.compile(r"^p[ \t]+cnf[ \t]+(\d+)[ \t]+(\d+)[ \t]*$", re.MULTILINE)
_NO_CLAUSES = re.compile(r"^(?:c.*|p .*|%)$", re.MULTILINE)


def load(path: Path) -> Model:
    """Read a file.

    Raises:
        ModelError: it is no DIMACS CNF.
    """
    return parse(path.read_text(encoding="utf-8", errors="replace"), path.name)


def parse(text: str, name: str) -> Model:
    """Read a text; `name` is how messages call it. Variable 1 of the text is variable 0 of the formula."""
    header = _HEADER.search(text)
    if header is None:
        raise ModelError(name, 1, "no line `p cnf VARIABLES CLAUSES`")
    size, count = int(header[1]), int(header[2])
    try:
        numbers = list(map(int, _NO_CLAUSES.sub("", text).split()))
    except ValueError:
        raise _first_problem(text, name, size) from None
    if numbers and (numbers[-1] or max(numbers) > size or min(numbers) < -size):
        raise _first_problem(text, name, size)
    clauses = _clauses(numbers)
    if len(clauses) != count:
        raise ModelError(name, text.count("\n", 0, header.start()) + 1, f"{count} clauses are announced, {len(clauses)} follow")
    names = {int(number): word for number, word in _NAMED.findall(text)}
    rest, groups = exclusive_groups(clauses)
    return Model(name, Formula(size, rest, groups), tuple(names.get(v, str(v)) for v in range(1, size + 1)))


def _clauses(numbers: list[int]) -> list[tuple[int, ...]]:
    """Cut at each zero. `-v` is `~(v - 1)` already."""
    clauses: list[tuple[int, ...]] = []
    start = 0
    literals = [v - 1 if v > 0 else v for v in numbers]
    while start < len(numbers):
        end = numbers.index(0, start)
        clauses.append(tuple(literals[start:end]))
        start = end + 1
    return clauses


def _first_problem(text: str, name: str, size: int) -> ModelError:
    """Return what is wrong with a text that something is wrong with."""
    last, number = "0", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if _NO_CLAUSES.fullmatch(line):
            continue
        for word in line.split():
            if not re.fullmatch(r"-?\d+", word):
                return ModelError(name, number, f"`{word}` is no number")
            if abs(int(word)) > size:
                return ModelError(name, number, f"variable {abs(int(word))} is beyond the {size} that are announced")
            last = word
    return ModelError(name, number, f"the last clause ends in {last} instead of 0")
