"""A fix as the lines it changes: `-` what stands there, `+` what would."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.documents.lines import LineIndex
from recipeforge.documents.pieces import apply_edits
from recipeforge.render.cells import layout
from recipeforge.render.look import Look
from recipeforge.schemas.place import Position, Span, TextEdit
from recipeforge.schemas.record import record

MOST_LINES = 8
"""A suggestion that needs more lines is only named; `--diff` shows it."""


KEPT_CHARS = 24
"""How much of a long line is repeated before its change."""


@record
class _Hunk:
    """Neighbouring lines that change together."""

    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def suggestion(lines: LineIndex, edits: Sequence[TextEdit], gutter: int, look: Look, most: int = MOST_LINES) -> list[str]:
    """Return the changed lines under a gutter; empty where there are none or too many."""
    hunks = _hunks(lines, edits)
    if not hunks or sum(len(h.old) + len(h.new) for h in hunks) > most:
        return []
    out = [f"{' ' * gutter} {look.paint('gutter', '|')}"]
    for hunk in hunks:
        same = min((_common(old, new) for old, new in zip(hunk.old, hunk.new, strict=False)), default=0)
        for style, sign, texts in (("removed", "-", hunk.old), ("added", "+", hunk.new)):
            for offset, text in enumerate(texts):
                number = look.paint("gutter", f"{hunk.line + offset + 1:>{gutter}}")
                out.append(f"{number} {look.paint(style, f'{sign} {_clipped(text, same, look.width - gutter - 3)}'.rstrip())}")
    return [*out, f"{' ' * gutter} {look.paint('gutter', '|')}"]


def _hunks(lines: LineIndex, edits: Sequence[TextEdit]) -> list[_Hunk]:
    groups: list[list[TextEdit]] = []
    for edit in sorted(edits, key=lambda e: e.span):
        if groups and edit.span.start.line <= groups[-1][-1].span.end.line:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return [hunk for group in groups if (hunk := _hunk(lines, group)).old or hunk.new]


def _hunk(lines: LineIndex, group: Sequence[TextEdit]) -> _Hunk:
    """Return the lines that a group of edits touches, before and after, without those that stay."""
    first, last = group[0].span.start.line, min(max(e.span.end.line for e in group), len(lines) - 1)
    begin, end = lines.line_start(first), lines.line_end(last)
    part = lines.text[begin:end]
    moved = [TextEdit(Span(_from(e.span.start, first), _from(e.span.end, first)), e.text) for e in group]
    old, new = part.splitlines(), apply_edits(part, moved).splitlines()
    while old and new and old[0] == new[0]:
        old, new, first = old[1:], new[1:], first + 1
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return _Hunk(first, tuple(old), tuple(new))


def _from(position: Position, first: int) -> Position:
    return Position(position.line - first, position.column)


def _common(old: str, new: str) -> int:
    """Return how many characters two lines share at their start."""
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _clipped(text: str, same: int, limit: int) -> str:
    """Return a line as shown; a long one from shortly before where it changes, since its start is known."""
    shown, starts = layout(text[: limit + 1])
    if starts[-1] <= limit and len(text) <= limit:
        return "".join(shown)
    first = max(0, same - KEPT_CHARS)
    shown, starts = layout(text[first : first + limit + 1])
    head = "…" if first else ""
    room = limit - len(head)
    if starts[-1] <= room:
        return head + "".join(shown)
    last = next(i for i, cell in enumerate(starts) if cell > room - 1) - 1
    return head + "".join(shown[:last]) + "…"
