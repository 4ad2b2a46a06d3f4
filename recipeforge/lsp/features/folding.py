"""Folding: every key or item that goes on over more lines, every bracket that closes below, and runs of comments."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from recipeforge.documents.tree import Document, MappingNode, Node, ScalarNode, SequenceNode, content_end
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.comments import comments
from recipeforge.lsp.registry import answers


@answers(types.TEXT_DOCUMENT_FOLDING_RANGE, types.FoldingRangeOptions(), empty=[])
def folding_ranges(known: Analysis, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    """Return the folds of a recipe by their first line; of those that start together, the longest."""
    document = known.document
    longest: dict[int, int] = {}
    for first, last in _blocks(document, document.root):
        longest[first] = max(last, longest.get(first, 0))
    found = {first: types.FoldingRange(start_line=first, end_line=last) for first, last in longest.items() if last > first}
    for first, last in _comment_runs(document):
        found[first] = types.FoldingRange(start_line=first, end_line=last, kind=types.FoldingRangeKind.Comment)
    return [found[first] for first in sorted(found)][: known.client.abilities.most_folds]


def _blocks(document: Document, node: Node | None) -> Iterator[tuple[int, int]]:
    """Yield (first line, last line) of everything in the text that may go on over more lines."""
    if isinstance(node, MappingNode):
        for entry in node.entries:
            yield _fold(document, entry.key.start, entry.value)
            yield from _blocks(document, entry.value)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield _fold(document, item.start, item)
            yield from _blocks(document, item)


def _fold(document: Document, start: int, node: Node) -> tuple[int, int]:
    """Return the lines of a fold; a bracket that closes on a line of its own stays in sight."""
    lines, end = document.lines, content_end(node)
    first, last = lines.line_of(start), lines.line_of(max(end - 1, start))
    flow = not isinstance(node, ScalarNode) and getattr(node, "flow", False)
    if flow and last > first and not document.text[lines.line_start(last) : end].strip(" \t]}"):
        last -= 1
    return first, last


def _comment_runs(document: Document) -> Iterator[tuple[int, int]]:
    """Yield runs of two and more lines that hold a comment and nothing else."""
    lines, text = document.lines, document.text
    alone = [line for line, start, _ in comments(document) if not text[lines.line_start(line) : start].strip(" \t\ufeff")]
    first = 0
    for index, line in enumerate(alone):
        if index + 1 == len(alone) or alone[index + 1] != line + 1:
            if index > first:
                yield alone[first], line
            first = index + 1
