"""Offsets ↔ positions of one text.

A line ends at LF, CR LF or CR, as editors see it. (libyaml also ends lines at NEL, U+2028 and U+2029, which is why its
line numbers are never used, only its character offsets.) A byte order mark is not a column.
"""

import re
from bisect import bisect_right

from recipeforge.schemas.place import Position, Span

BOM = "\ufeff"
_EOL = re.compile(r"\r\n|\r|\n")


class LineIndex:
    """Where the lines of a text start; offsets count code points from the start of the text, byte order mark included."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [1 if text.startswith(BOM) else 0]
        self._starts.extend(match.end() for match in _EOL.finditer(text))

    def __len__(self) -> int:
        """Return the number of lines; a text that ends in a line break has an empty last line."""
        return len(self._starts)

    def position(self, offset: int) -> Position:
        """Return the position of an offset."""
        line = bisect_right(self._starts, offset) - 1
        return Position(line, offset - self._starts[line]) if line >= 0 else Position(0, 0)

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets."""
        return Span(self.position(start), self.position(end))

    def offset(self, position: Position) -> int:
        """Return the offset of a position; one beyond a line or the text is clamped to its end."""
        if position.line >= len(self._starts):
            return len(self.text)
        return min(self._starts[position.line] + position.column, self.line_end(position.line))

    def line_of(self, offset: int) -> int:
        """Return the line that holds an offset."""
        return max(bisect_right(self._starts, offset) - 1, 0)

    def line_start(self, line: int) -> int:
        """Return the offset at which a line starts."""
        return self._starts[line]

    def line_end(self, line: int) -> int:
        """Return the offset of a line's end, before its line break."""
        if line + 1 >= len(self._starts):
            return len(self.text)
        end = self._starts[line + 1]
        start = self._starts[line]
        while end > start and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def next_line_start(self, line: int) -> int:
        """Return the offset behind a line's line break."""
        return self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)

    def line_text(self, line: int) -> str:
        """Return one line without its line break; empty beyond the text."""
        return self.text[self.line_start(line) : self.line_end(line)] if line < len(self._starts) else ""

    def end_of_line(self) -> str:
        """Return the line break that this text uses (its first; LF where it has none)."""
        match = _EOL.search(self.text)
        return match.group() if match else "\n"
