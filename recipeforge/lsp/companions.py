"""What has to come along with a completed word, as edits of other lines; none where that line itself would be touched."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.documents.edit import plan_edits
from recipeforge.documents.parse import parse
from recipeforge.documents.tree import Document
from recipeforge.lsp.analysis import Analysis
from recipeforge.schemas.change import Change
from recipeforge.schemas.place import Position, Span, TextEdit


def companions(known: Analysis, start: int, end: int, word: str, needs: Sequence[Change]) -> tuple[TextEdit, ...]:
    """Return the edits that bring `needs` into a text in which `word` has taken the place of `start` to `end`."""
    document = _completed(known, start, end, word)
    if document is None:
        return ()
    line = document.lines.line_of(start)
    edits = [_moved_up(document, edit, line) for edit in plan_edits(document, known.catalog, needs).edits]
    clear = all(edit.span.end.line < line or edit.span.start.line > line or _above(edit, line, start, document) for edit in edits)
    return tuple(edits) if clear else ()


def _completed(known: Analysis, start: int, end: int, word: str) -> Document | None:
    """Return the text as it will be; with the line left blank where something else on it is not finished yet."""
    text, lines = known.document.text, known.document.lines
    whole = parse(f"{text[:start]}{word}{text[end:]}", known.document.path)
    if whole.complete:
        return whole
    line = lines.line_of(start)
    first, last = lines.line_start(line), lines.line_end(line)
    without = parse(f"{text[:first]}{' ' * (last - first)}{text[last:]}", known.document.path)
    return without if without.complete else None


def _moved_up(document: Document, edit: TextEdit, line: int) -> TextEdit:
    """Return an edit that adds a top-level entry behind the last line as one that adds it before that line."""
    at, eol = edit.span.start, document.lines.end_of_line()
    written = document.lines.line_text(line)
    behind_all = edit.span.end == at == Position(line, len(written)) and line + 1 == len(document.lines)
    if not behind_all or not edit.text.startswith(eol) or edit.text[len(eol) : len(eol) + 1].isspace() or written[:1].isspace():
        return edit
    start = Position(line, 0)
    return TextEdit(Span(start, start), f"{edit.text[len(eol) :]}{eol}")


def _above(edit: TextEdit, line: int, start: int, document: Document) -> bool:
    """Return whether an edit only puts whole lines above the completed one."""
    top = Position(line, 0)
    return edit.span.start == edit.span.end == top and edit.text.endswith(("\n", "\r")) and start > document.lines.line_start(line)
