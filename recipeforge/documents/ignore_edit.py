"""The edit that silences a finding on its line: a comment at its end, or one more code in the comment that is there."""

import re
from collections.abc import Iterator

from recipeforge.documents.parse import parse
from recipeforge.documents.pieces import apply_edits
from recipeforge.documents.tree import AliasNode, Document, Node, ScalarNode, SequenceNode
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import TextEdit

_CODES = re.compile(r"#[ \t]*forge:[ \t]*ignore[ \t]*\[([^\]\r\n]*)\]", re.IGNORECASE)


def ignore_edit(document: Document, diagnostic: Diagnostic) -> TextEdit | None:
    """Return the edit; `None` where a comment on that line would become part of a value."""
    lines = document.lines
    line = diagnostic.primary.span.start.line
    start, end = lines.line_start(line), lines.line_end(line)
    if (said := _CODES.search(document.text, start, end)) is not None:
        at = said.end(1)
        edit = TextEdit(document.span(at, at), f", {diagnostic.code}" if said[1].strip() else diagnostic.code)
    else:
        written = document.text[start:end].rstrip()
        gap = "  " if written else ""
        edit = TextEdit(document.span(start + len(written), end), f"{gap}# forge: ignore[{diagnostic.code}]")
    after = parse(apply_edits(document.text, [edit]), document.path)
    return edit if after.complete == document.complete and _said(after) == _said(document) else None


def _said(document: Document) -> list[str]:
    return list(_words(document.root)) if document.root is not None else []


def _words(node: Node) -> Iterator[str]:
    """Yield what a tree says, without places."""
    if isinstance(node, ScalarNode):
        yield node.text
    elif isinstance(node, AliasNode):
        yield f"*{node.name}"
    elif isinstance(node, SequenceNode):
        yield "["
        for item in node.items:
            yield from _words(item)
        yield "]"
    else:
        yield "{"
        for entry in node.entries:
            yield from _words(entry.key)
            yield from _words(entry.value)
        yield "}"
