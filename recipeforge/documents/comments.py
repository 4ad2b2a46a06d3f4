"""Where the comments of a text are: behind a `#` at the start of a line or after white space, and inside no value."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from recipeforge.documents.tree import Document, MappingNode, Node, ScalarNode, SequenceNode

_HASH = re.compile(r"(?:(?<=[ \t\ufeff])|(?<![^\r\n]))#")


def comments(document: Document, first: int = 0, last: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Yield (line, start, end) of the comments of some lines, `#` included: all lines, or `first` to `last`."""
    text, lines = document.text, document.lines
    taken: list[tuple[int, int]] | None = None
    for line in range(first, len(lines) if last is None else min(last + 1, len(lines))):
        start, end = lines.line_start(line), lines.line_end(line)
        if text.find("#", start, end) < 0:
            continue
        if taken is None:
            taken = list(_values(document.root)) if document.root is not None else []
        for match in _HASH.finditer(text, start, end):
            before = bisect_right(taken, (match.start(), len(text)))
            if before == 0 or taken[before - 1][1] <= match.start():
                yield line, match.start(), end
                break


def _values(node: Node) -> Iterator[tuple[int, int]]:
    """Yield the stretches of text in which `#` is no comment, in order."""
    if isinstance(node, ScalarNode):
        if "#" in node.text:
            yield node.start, _end_of(node)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _values(item)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            yield from _values(entry.key)
            yield from _values(entry.value)


def _end_of(node: ScalarNode) -> int:
    """Return where a value's own text ends; a block scalar's node also covers the comments behind it, less indented."""
    if node.style not in {"|", ">"}:
        return node.end
    return node.start + len(node.lines.text[node.start : node.end].rstrip())
