"""The code frame: the lines of a file that a finding is about, with labels under them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from recipeforge.render.cells import layout, visible, width
from recipeforge.render.look import Look
from recipeforge.schemas.place import Span
from recipeforge.schemas.record import record

CONTEXT_CELLS = 12
"""How much of a clipped line stays visible before its first label."""


class Lines(Protocol):
    """A text by lines; `LineIndex` is one, and cuts a line out only when asked for it."""

    def __len__(self) -> int:
        """Return the number of lines."""
        ...

    def line_text(self, line: int) -> str:
        """Return one line without its line break."""
        ...


@record
class Mark:
    """A labelled place in a frame."""

    span: Span
    text: str
    style: str
    """Name of a style of `Look`; it paints the underline and its text."""
    primary: bool


@record
class _Placed:
    """A mark on the cells of its line."""

    start: int
    end: int
    mark: Mark


def frame(lines: Lines, marks: Sequence[Mark], look: Look) -> list[str]:
    """Return the frame's lines, from the empty gutter line above to the one below; empty where no mark has a line."""
    rows = sorted({mark.span.start.line for mark in marks if mark.span.start.line < len(lines)})
    if not rows:
        return []
    gutter = gutter_width(marks)
    bar = look.paint("gutter", "|")
    out = [f"{' ' * gutter} {bar}"]
    previous: int | None = None
    for row in rows:
        if previous is not None and row - previous == 2:
            out.append(_source(row - 1, _plain(lines.line_text(row - 1), look.width - gutter - 3), gutter, look))
        elif previous is not None and row - previous > 2:
            out.append(f"{' ' * gutter} {look.paint('gutter', '⋮')}")
        text, placed = _place(lines.line_text(row), [m for m in marks if m.span.start.line == row], look.width - gutter - 3)
        out.append(_source(row, text, gutter, look))
        out += [f"{' ' * gutter} {bar} {line}".rstrip() for line in _underlines(placed, look)]
        previous = row
    out.append(f"{' ' * gutter} {bar}")
    return out


def gutter_width(marks: Sequence[Mark]) -> int:
    """Return the digits of the largest line number shown, at least 2."""
    return max([2, *(len(str(mark.span.start.line + 1)) for mark in marks)])


def _source(row: int, text: str, gutter: int, look: Look) -> str:
    return f"{look.paint('gutter', f'{row + 1:>{gutter}} |')} {text}".rstrip()


def _plain(line: str, limit: int) -> str:
    return _place(line, [], limit)[0]


def _place(line: str, marks: Sequence[Mark], limit: int) -> tuple[str, list[_Placed]]:
    """Return the line as shown, clipped around its marks to `limit` cells, and the marks on its cells."""
    # Only a stretch around the marks is laid out, so that a line of ten megabytes costs nothing.
    columns = [_columns(mark, line) for mark in marks]
    cut = max(0, min((start for start, _ in columns), default=0) - 300)
    shown, starts = layout(line[cut : cut + 1500])
    spans = [_cells(start - cut, end - cut, starts) for start, end in columns]
    more_left, more_right = cut > 0, cut + 1500 < len(line)
    if not more_left and not more_right and starts[-1] <= limit:
        return "".join(shown), [_Placed(*span, mark) for span, mark in zip(spans, marks, strict=True)]
    left, right = _window(spans, [mark.primary for mark in marks], starts[-1], limit, more_left)
    first = bisect_right(starts, left) - 1 if left else 0
    last = max(first, bisect_right(starts, right) - 1)
    head = "…" if first > 0 or more_left else ""
    tail = "…" if last < len(shown) or more_right else ""
    shift = starts[first] - len(head)
    edge = starts[last] - shift + len(tail)
    placed = [
        _Placed(max(start - shift, 0), max(min(end - shift, edge), max(start - shift, 0) + 1), mark)
        for (start, end), mark in zip(spans, marks, strict=True)
        if start - shift <= edge
    ]
    return head + "".join(shown[first:last]) + tail, placed


def _columns(mark: Mark, line: str) -> tuple[int, int]:
    start = min(mark.span.start.column, len(line))
    end = mark.span.end.column if mark.span.end.line == mark.span.start.line else len(line)
    return start, max(start, min(end, len(line)))


def _cells(start: int, end: int, starts: list[int]) -> tuple[int, int]:
    last = len(starts) - 1
    first_cell, last_cell = starts[min(start, last)], starts[min(end, last)]
    return first_cell, max(last_cell, first_cell + 1)


def _window(spans: Sequence[tuple[int, int]], primary: Sequence[bool], total: int, limit: int, more_left: bool) -> tuple[int, int]:
    """Choose which cells of a long line to show: all marks where they fit, else the primary one; two cells are for the ellipses."""
    room = limit - 2
    if not spans:
        return 0, room
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    if end - start > room - CONTEXT_CELLS:
        start, end = next((span for span, main in zip(spans, primary, strict=True) if main), spans[0])
    if end + CONTEXT_CELLS <= room and not more_left:
        return 0, room
    left = max(0, min(start - CONTEXT_CELLS, max(total - room, 0)))
    return left, left + room


def _underlines(placed: Sequence[_Placed], look: Look) -> list[str]:
    """Return the rows under a line: underlines, with the last text beside them and the others hanging below."""
    rows: list[str] = []
    for layer in _layers(placed):
        rows += _layer(layer, look)
    return rows


def _layers(placed: Sequence[_Placed]) -> list[list[_Placed]]:
    """Spread marks over as few rows as keep their underlines apart; the primary mark goes into the first row."""
    layers: list[list[_Placed]] = []
    for item in sorted(placed, key=lambda p: (not p.mark.primary, p.start, p.end)):
        for layer in layers:
            if all(item.end <= other.start or other.end <= item.start for other in layer):
                layer.append(item)
                break
        else:
            layers.append([item])
    return layers


def _layer(layer: list[_Placed], look: Look) -> list[str]:
    layer = sorted(layer, key=lambda p: p.start)
    row = _Row()
    for item in layer:
        row.put(item.start, ("^" if item.mark.primary else "-") * (item.end - item.start), item.mark.style, look)
    hanging = [item for item in layer[:-1] if item.mark.text]
    if layer[-1].mark.text:
        row.put(row.cells + 1, visible(layer[-1].mark.text), layer[-1].mark.style, look)
    rows = [row.text]
    if hanging:
        rows.append(_stems(hanging, look).text)
    while hanging:
        item = hanging.pop()
        row = _stems(hanging, look)
        row.put(item.start, visible(item.mark.text), item.mark.style, look)
        rows.append(row.text)
    return rows


def _stems(items: Sequence[_Placed], look: Look) -> _Row:
    row = _Row()
    for item in items:
        row.put(item.start, "|", item.mark.style, look)
    return row


class _Row:
    """A line under construction, addressed by cell; what is written later stands further right."""

    def __init__(self) -> None:
        self.text = ""
        self.cells = 0

    def put(self, cell: int, text: str, style: str, look: Look) -> None:
        self.text += " " * (cell - self.cells) + look.paint(style, text)
        self.cells = max(cell, self.cells) + width(text)
