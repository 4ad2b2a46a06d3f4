"""The comments of a text: where they are, and the rules, slugs and claims that they mention."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from recipeforge.documents.tree import AliasNode, Document, MappingNode, Node, ScalarNode, SequenceNode, content_end
from recipeforge.schemas.catalog import Catalog

_HASH = re.compile(r"(?:(?<=[ \t\ufeff])|(?<![^\r\n]))#")
_CODE = re.compile(r"\b(?:RF\d{4}|EV-\d{4})\b")
_IGNORED = re.compile(r"forge:[ \t]*ignore[ \t]*\[(?P<names>[^\]\r\n]*)", re.IGNORECASE)
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", re.IGNORECASE)


@dataclass(frozen=True)
class Mention:
    """A rule or a claim that a comment names."""

    start: int
    end: int
    kind: Literal["rule", "claim"]
    id: str
    """The rule's code, or the claim's id."""


def comments(document: Document, first: int = 0, last: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the comments of some lines, `#` included: all lines, or `first` to `last`."""
    text, lines = document.text, document.lines
    taken: list[tuple[int, int]] | None = None
    for line in range(first, len(lines) if last is None else min(last + 1, len(lines))):
        start, end = lines.line_start(line), lines.line_end(line)
        if text.find("#", start, end) < 0:
            continue
        if taken is None:
            taken = sorted(_scalars(document.root)) if document.root is not None else []
        for match in _HASH.finditer(text, start, end):
            before = bisect_right(taken, (match.start(), len(text)))
            if before == 0 or taken[before - 1][1] <= match.start():
                yield match.start(), end
                break


def mentions(document: Document, catalog: Catalog, first: int = 0, last: int | None = None) -> Iterator[Mention]:
    """Yield what the comments of some lines mention, as far as the catalog has it."""
    for start, end in comments(document, first, last):
        for match in _CODE.finditer(document.text, start, end):
            if match[0] in catalog.rules:
                yield Mention(match.start(), match.end(), "rule", match[0])
            elif match[0] in catalog.claims:
                yield Mention(match.start(), match.end(), "claim", match[0])
        ignored = _IGNORED.search(document.text, start, end)
        for match in _SLUG.finditer(document.text, ignored.start("names"), ignored.end("names")) if ignored else ():
            rule = catalog.rule_by_slug(match[0].lower())
            if rule is not None:
                yield Mention(match.start(), match.end(), "rule", rule.code)


def mention_at(document: Document, catalog: Catalog, offset: int) -> Mention | None:
    """Return what a comment mentions at an offset."""
    line = document.lines.line_of(offset)
    return next((m for m in mentions(document, catalog, line, line) if m.start <= offset <= m.end), None)


def _scalars(node: Node) -> Iterator[tuple[int, int]]:
    """Yield the stretches of text in which `#` is no comment."""
    if isinstance(node, ScalarNode):
        if "#" in node.text:
            yield node.start, content_end(node)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            yield from _scalars(entry.key)
            yield from _scalars(entry.value)
    else:
        assert isinstance(node, AliasNode)
