"""What comments mention: rules by code or slug, and claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from recipeforge.documents.comments import comments
from recipeforge.documents.tree import Document
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.record import record

_CODE = re.compile(r"\b(?:RF\d{4}|EV-\d{4})\b")
_IGNORED = re.compile(r"forge:[ \t]*ignore[ \t]*\[(?P<names>[^\]\r\n]*)", re.IGNORECASE)
_SLUG = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+", re.IGNORECASE)


@record
class Mention:
    """A rule or a claim that a comment names."""

    start: int
    end: int
    kind: Literal["rule", "claim"]
    id: str
    """The rule's code, or the claim's id."""


def mentions(document: Document, catalog: Catalog, first: int = 0, last: int | None = None) -> Iterator[Mention]:
    """Yield what the comments of some lines mention, as far as the catalog has it."""
    for _, start, end in comments(document, first, last):
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
