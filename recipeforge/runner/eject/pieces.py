"""Pieces of a script, and what they are made from."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.precision import Formats
from recipeforge.runner.plan import Plan


@dataclass(frozen=True)
class Piece:
    """Some functions of a script, with what stands at its head for them."""

    functions: tuple[str, ...] = ()
    """Source, without blank lines around."""
    imports: tuple[str, ...] = ()
    """`import x`, or `from x import y`; one name each."""
    constants: tuple[tuple[str, str], ...] = ()
    """Name and expression."""


@dataclass(frozen=True)
class Wanted:
    """What every writer of a piece may look at."""

    plan: Plan
    folder: Path | None
    """Where the script will lie; `None`: nobody knows, so paths in it are absolute."""

    def has(self, knob: str) -> bool:
        """Return whether a knob has a value that is not off."""
        return bool(self.plan.values.get(knob))

    def number(self, knob: str) -> str:
        """Return a knob's value as it is written in Python."""
        return repr(self.plan.values[knob])

    def path(self, place: Path) -> str:
        """Return the expression for a path, from the script's own folder where that is known."""
        if self.folder is None:
            return f'Path("{place.as_posix()}")'
        try:
            near = Path(os.path.relpath(place, self.folder)).as_posix()
        except ValueError:  # on another drive
            return f'Path("{place.as_posix()}")'
        return f'HERE / "{near}"' if not near.startswith("../../..") else f'Path("{place.as_posix()}")'

    @property
    def formats(self) -> Formats:
        """The number formats of the plan's precision."""
        return PARTS[self.plan.part_in("precision")].build()

    @property
    def adapter(self) -> bool:
        """Whether the base model stays frozen."""
        return "adapter" in PARTS[self.plan.part_in("technique")].traits

    @property
    def scores(self) -> bool:
        """Whether the model's head gives scores of classes."""
        return self.plan.part_in("objective") == "classification"

    @property
    def pairs(self) -> bool:
        """Whether rows are pairs of answers."""
        return self.plan.values.get("data.format") == "preference"

    @property
    def packed(self) -> bool:
        """Whether several rows share a sequence."""
        return self.has("data.packing")

    @property
    def averages(self) -> bool:
        """Whether the optimizer has other weights for training than for measuring."""
        return self.plan.part_in("optimizer") == "schedule-free-adamw"


Writer = Callable[[Wanted], Piece]


def source(text: str, **blanks: str) -> str:
    """Return a function's source: `text` without its indentation, and with `<name>` filled in; a line that a blank leaves empty goes."""
    lines: list[str] = []
    for line in dedent(text).strip("\n").split("\n"):
        names = [name for name in blanks if f"<{name}>" in line]
        filled = line
        for name in names:
            indent = " " * (len(line) - len(line.lstrip()))
            filled = filled.replace(f"<{name}>", blanks[name].replace("\n", f"\n{indent}"))
        if filled.strip() or not names:
            lines.append(filled)
    return "\n".join(lines)


def call(function: str, *arguments: str) -> str:
    """Return a call, on one line where that is not long."""
    line = f"{function}({', '.join(arguments)})"
    return line if len(line) <= _LONG else f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


_LONG = 100


def head(imports: Iterable[str]) -> str:
    """Return import lines, those of one module together: the standard library's, then others'."""
    plain = {line for line in imports if line.startswith("import ")}
    named: dict[str, set[str]] = {}
    for line in set(imports) - plain:
        module, _, name = line.removeprefix("from ").partition(" import ")
        named.setdefault(module, set()).add(name)
    lines = [*plain, *(f"from {module} import {', '.join(sorted(names))}" for module, names in named.items())]
    ours = sorted((line for line in lines if line.split()[1].split(".")[0] in _STANDARD), key=_order)
    others = sorted((line for line in lines if line not in ours), key=_order)
    return "\n".join([*ours, "", *others])


_STANDARD = {"copy", "csv", "importlib", "itertools", "json", "math", "pathlib", "random", "sys", "tempfile", "contextlib"}


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line.split()[1]
