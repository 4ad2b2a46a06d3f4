"""Where something stands in a text: 0-based lines, columns counted in Unicode code points."""

from dataclasses import dataclass

from recipeforge.schemas.record import slotted


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """One point between two characters."""

    line: int
    """0-based line."""
    column: int
    """0-based column in code points, not bytes and not UTF-16 units."""


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A half-open stretch of text: `start` is inside, `end` is not."""

    start: Position
    end: Position


@slotted
class TextEdit:
    """Replace the text of `span` by `text`; an empty span inserts."""

    span: Span
    text: str


START_OF_FILE = Span(Position(0, 0), Position(0, 0))
"""The place of a finding about a whole file."""
