"""Where something stands in a text: 0-based lines, columns counted in Unicode code points."""

from typing import NamedTuple

from recipeforge.schemas.record import slotted


class Position(NamedTuple):
    """One point between two characters."""

    line: int
    """0-based line."""
    column: int
    """0-based column in code points, not bytes and not UTF-16 units."""


class Span(NamedTuple):
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
