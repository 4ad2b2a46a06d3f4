"""A text under edit, and the edits that lead to it from the original."""

from collections.abc import Iterable

from recipeforge.documents.lines import LineIndex
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.record import slotted


@slotted
class Cut:
    """Replace a stretch of a text; offsets in code points."""

    start: int
    end: int
    text: str


@slotted
class _Piece:
    """Text kept from the original (from `start`), or put in (`start` is -1)."""

    text: str
    start: int


class Pieces:
    """The original with cuts made one after another; each cut speaks of the text as it then is."""

    def __init__(self, original: str) -> None:
        self._original = original
        self._pieces = [_Piece(original, 0)] if original else []

    @property
    def text(self) -> str:
        """The text as it is now."""
        return "".join(piece.text for piece in self._pieces)

    def cut(self, cuts: Iterable[Cut]) -> None:
        """Make cuts that do not overlap, all in offsets of the present text."""
        for one in sorted(cuts, key=lambda cut: (cut.start, cut.end), reverse=True):
            self._cut(one)

    def _cut(self, cut: Cut) -> None:
        before, rest = _split(self._pieces, cut.start)
        _, after = _split(rest, cut.end - cut.start)
        middle = [_Piece(cut.text, -1)] if cut.text else []
        self._pieces = [*before, *middle, *after]

    def edits(self, lines: LineIndex) -> tuple[TextEdit, ...]:
        """Return the fewest edits of the original that keep every kept stretch where it is."""
        found: list[TextEdit] = []
        at, inserted = 0, ""
        for piece in [*self._pieces, _Piece("", len(self._original))]:
            if piece.start < 0:
                inserted += piece.text
                continue
            if inserted or piece.start > at:
                found.append(TextEdit(lines.span(at, piece.start), inserted))
            at, inserted = piece.start + len(piece.text), ""
        return tuple(found)


def _split(pieces: list[_Piece], offset: int) -> tuple[list[_Piece], list[_Piece]]:
    before: list[_Piece] = []
    for index, piece in enumerate(pieces):
        length = len(piece.text)
        if offset < length:
            if offset == 0:
                return before, pieces[index:]
            kept = piece.start >= 0
            left = _Piece(piece.text[:offset], piece.start)
            right = _Piece(piece.text[offset:], piece.start + offset if kept else -1)
            return [*before, left], [right, *pieces[index + 1 :]]
        before.append(piece)
        offset -= length
    return before, []


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Return `text` with `edits` made; all speak of `text` as given. A byte order mark stays and is no column.

    Raises:
        ValueError: two edits overlap.
    """
    lines = LineIndex(text)
    placed = [(lines.offset(edit.span.start), lines.offset(edit.span.end), edit.text) for edit in edits]
    placed.sort(key=lambda item: item[:2])
    parts: list[str] = []
    at = 0
    for start, end, new in placed:
        if start < at or end < start:
            raise ValueError("edits of one text overlap; apply one, read again, and apply the next")
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])
