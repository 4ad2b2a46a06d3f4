"""Feature models in the Universal Variability Language: the Boolean level, groups with cardinalities, attributes passed over.

A feature stands under a group of its parent: `mandatory`, `optional`, `or`, `alternative`, or `[a..b]` for "between a and b of
these". Constraints combine features by `! & | => <=>` and parentheses, strongest first; operators of the same strength group from
the left, as in the language's own grammar. What is beyond that (typed features, feature cardinalities, imports, constraints inside of
attributes, arithmetic) is refused, with its line.

Source: https://universal-variability-language.github.io
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dev.models.cnf import Clauses
from dev.models.expressions import Unread, expression
from dev.models.model import Model, ModelError
from recipeforge.solver.formula import Formula

_NAME = re.compile(r'(Boolean\s+)?("[^"]+"|[^\s{}()\[\]!&|=<>"]+)\s*(.*)', re.DOTALL)
_CARDINALITY = re.compile(r"\[\s*(\d+)\s*(?:\.\.\s*(\d+|\*)\s*)?\]")
_QUOTED = r"\"[^\"\n]*\"|'[^'\n]*'"
_COMMENT = re.compile(rf"{_QUOTED}|(//[^\n]*|/\*.*?\*/)", re.DOTALL)
_BRACKET = re.compile(rf"{_QUOTED}|([{{}}()])")
_CONSTRAINT_INSIDE = re.compile(r"[{,]\s*constraints?\b")
_SECTIONS = ("namespace", "include", "imports", "features", "constraints")


@dataclass
class _Group:
    """Members of one parent; between `least` and `most` of them are there if it is, and none if it is not."""

    parent: int
    least: int
    most: int | None
    members: list[int] = field(default_factory=list[int])


_KINDS = {"mandatory": (-1, None), "optional": (0, None), "or": (1, None), "alternative": (1, 1)}
"""Word → how many members at least (-1: all of them), and at most (`None`: any number)."""


def load(path: Path) -> Model:
    """Read a file.

    Raises:
        ModelError: it says something that is not read here.
    """
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, name: str) -> Model:
    """Read a text; `name` is how messages call it."""
    tree, constraints = _Tree(name), list[tuple[int, str]]()
    for number, section, indent, line in _lines(text, name):
        if section == "features":
            tree.add(number, indent, line)
        elif section == "constraints":
            constraints.append((number, line))
    if not tree.numbers:
        raise ModelError(name, 1, "no feature is declared; a model starts with a line `features`")
    clauses, alternatives = tree.clauses()
    for number, line in constraints:
        try:
            clauses.require(expression(line, tree.numbers))
        except Unread as error:
            raise ModelError(name, number, str(error)) from None
    return Model(name, Formula(clauses.size, tuple(clauses.found), alternatives), tuple(tree.numbers))


class _Tree:
    """The features as they are declared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers: dict[str, int] = {}
        self.groups: list[_Group] = []
        self.open: list[tuple[int, int | _Group]] = []
        """Indentation and feature or group of each line that can still have children, outermost first."""

    def add(self, number: int, indent: int, line: str) -> None:
        """Take in one line of the section `features`."""
        while self.open and self.open[-1][0] >= indent:
            self.open.pop()
        above = self.open[-1][1] if self.open else None
        if line in _KINDS or line[0] == "[":
            if not isinstance(above, int):
                raise ModelError(self.name, number, f"the group `{line}` belongs to no feature")
            least, most = _KINDS[line] if line in _KINDS else self._cardinality(number, line)
            group = _Group(above, least, most)
            self.groups.append(group)
            self.open.append((indent, group))
            return
        feature = self._feature(number, line)
        if isinstance(above, _Group):
            above.members.append(feature)
        elif above is not None or feature:
            raise ModelError(
                self.name, number, f"`{line}` stands under no group; write mandatory, optional, or, alternative or [a..b] above it"
            )
        self.open.append((indent, feature))

    def _feature(self, number: int, line: str) -> int:
        """Return the new feature that a line declares."""
        match = _NAME.fullmatch(line)
        if match is None:
            raise ModelError(self.name, number, f"no feature's name: `{line}`")
        _, word, rest = match.groups()
        if rest and rest[0] != "{":
            kind = (
                "a typed feature"
                if word in ("Integer", "Real", "String")
                else "a feature cardinality"
                if rest.startswith("cardinality")
                else rest
            )
            raise ModelError(self.name, number, f"not read: {kind}; only Boolean features are")
        if _CONSTRAINT_INSIDE.search(rest):
            raise ModelError(self.name, number, "a constraint inside of attributes is not read; move it to the section `constraints`")
        word = word.strip('"')
        if word in self.numbers:
            raise ModelError(self.name, number, f"`{word}` is declared twice")
        return self.numbers.setdefault(word, len(self.numbers))

    def _cardinality(self, number: int, line: str) -> tuple[int, int | None]:
        match = _CARDINALITY.fullmatch(line)
        if match is None:
            raise ModelError(self.name, number, f"no cardinality: `{line}`; write [a], [a..b] or [a..*]")
        least, most = match.groups()
        return int(least), int(least) if most is None else None if most == "*" else int(most)

    def clauses(self) -> tuple[Clauses, tuple[tuple[int, ...], ...]]:
        """Return what the tree demands: clauses, and groups of features that exclude each other."""
        clauses, exclusive = Clauses(len(self.numbers)), list[tuple[int, ...]]()
        clauses.found.append((0,))
        for group in self.groups:
            members, parent = tuple(group.members), group.parent
            clauses.found += [(parent, ~m) for m in members]
            if group.least == -1:
                clauses.found += [(~parent, m) for m in members]
            else:
                clauses.at_least(group.least, members, unless=(~parent,))
            if group.most == 1 and len(members) > 1:
                exclusive.append(members)
            elif group.most is not None and group.most < len(members):
                clauses.at_most(group.most, members)
        return clauses, tuple(exclusive)


def _unread(word: str, rest: str) -> str:
    """Return what a line declares that is no plain feature."""
    if word in ("Integer", "Real", "String"):
        return "a typed feature"
    return "a feature cardinality" if rest.startswith("cardinality") else f"`{rest}`"


def _lines(text: str, name: str) -> Iterator[tuple[int, str, int, str]]:
    """Yield number, section, indentation and content of each line that says something; brackets join lines."""
    if "//" in text or "/*" in text:
        text = _COMMENT.sub(lambda m: re.sub(r"[^\n]+", " ", m[1]) if m[1] else m[0], text)
    section, joined = "", _Joined()
    for number, line in enumerate(text.split("\n"), start=1):
        content = line.strip()
        if not content:
            continue
        if joined.parts or "{" in content or "(" in content:
            if not joined.add(number, line):
                continue
            start, line = joined.take()
            content = line.strip()
        else:
            start = number
        if content == line.rstrip():
            section = content.split()[0]
            if section not in _SECTIONS:
                raise ModelError(name, start, f"`{section}` starts no section; those are {', '.join(_SECTIONS)}")
            if section == "imports":
                raise ModelError(name, start, "imports are not read; put the models into one file")
        else:
            yield start, section, len(line) - len(line.lstrip()), content
    if joined.parts:
        raise ModelError(name, joined.start, "a bracket is opened here and never closed")


class _Joined:
    """A line that goes on until its brackets are closed."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.depth = self.start = 0

    def add(self, number: int, line: str) -> bool:
        """Add a line; return whether every bracket is closed."""
        if not self.parts:
            self.start = number
        self.parts.append(line)
        for bracket in _BRACKET.findall(line):
            self.depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(bracket, 0)
        return self.depth <= 0

    def take(self) -> tuple[int, str]:
        """Return where it starts and the whole of it."""
        whole = " ".join(self.parts)
        self.parts, self.depth = [], 0
        return self.start, whole
