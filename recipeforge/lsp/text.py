"""One text as the client counts it: lines end at LF, CR LF and CR only, columns count units of the agreed encoding.

pygls' own documents split lines like Python, at U+2028 and form feeds too, which shifts every later position.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Literal

from recipeforge.schemas.place import Position, Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]
At = tuple[int, int]
"""(line, column) in the client's units, 0-based."""

_EOL = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


class Text:
    """An immutable text with its lines."""

    def __init__(self, content: str, encoding: Encoding = "utf-16") -> None:
        self.content = content
        self.encoding: Encoding = encoding

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _EOL.finditer(self.content))]

    @property
    def line_count(self) -> int:
        """Number of lines; a text that ends in a line break has an empty last line."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """Return one line without its line break; empty beyond the text."""
        if not 0 <= number < len(self._starts):
            return ""
        start = self._starts[number]
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.content)
        return self.content[start:end].rstrip("\r\n") if number + 1 < len(self._starts) else self.content[start:end]

    def offset(self, at: At) -> int:
        """Return the offset, in code points, of a client's position; beyond a line or the text it is clamped to the end."""
        number, column = at
        if number >= len(self._starts):
            return len(self.content)
        return self._starts[number] + self._code_points(self.line(number), column)

    def at(self, offset: int) -> At:
        """Return the client's position of an offset."""
        number = max(bisect_right(self._starts, offset) - 1, 0)
        start = self._starts[number]
        line = self.line(number)
        return number, self._units(line[: max(offset - start, 0)])

    def place(self, position: Position) -> At:
        """Return the client's position of one of ours, which do not count a byte order mark as a column."""
        line = self.line(position.line)
        skipped = 1 if position.line == 0 and line.startswith(_BOM) else 0
        return position.line, self._units(line[: position.column + skipped])

    def span(self, span: Span) -> tuple[At, At]:
        """Return the client's range of a span."""
        return self.place(span.start), self.place(span.end)

    def position(self, at: At) -> Position:
        """Return our position of a client's: columns in code points, no byte order mark."""
        number = min(max(at[0], 0), len(self._starts) - 1)
        line = self.line(number)
        skipped = 1 if number == 0 and line.startswith(_BOM) else 0
        column = self._code_points(line, at[1]) if at[0] == number else len(line)
        return Position(number, max(column - skipped, 0))

    def changed(self, start: At, end: At, new: str) -> Text:
        """Return the text with a range replaced."""
        first, last = self.offset(start), self.offset(end)
        return Text(f"{self.content[:first]}{new}{self.content[max(first, last) :]}", self.encoding)

    # -- units ----------------------------------------------------------------------------------------------

    def _units(self, text: str) -> int:
        """Return how many units a stretch of one line has."""
        if text.isascii() or self.encoding == "utf-32":
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(character > "\uffff" for character in text)

    def _code_points(self, line: str, units: int) -> int:
        """Return how many code points of a line lie before a column; one inside a character counts as before it."""
        if line.isascii() or self.encoding == "utf-32":
            return min(max(units, 0), len(line))
        passed = 0
        for index, character in enumerate(line):
            passed += self._units(character)
            if passed > units:
                return index
        return len(line)
