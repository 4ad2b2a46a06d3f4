"""What may stand in an ignore comment: the rules that fire on its line, then all others."""

from __future__ import annotations

from lsprotocol.types import CompletionItemKind

from recipeforge.documents.findings import UNREADABLE
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cursor import Cursor
from recipeforge.lsp.offer import Offer
from recipeforge.lsp.standing import message_of

_DIRECTIVE = "forge: ignore["
_ABOUT_IGNORES = "RF0014"


def ignore_offers(known: Analysis, cursor: Cursor) -> list[Offer]:
    """Return codes for an ignore comment, or the whole comment where one is begun on a line with findings."""
    if cursor.role == "comment":
        begun = known.document.text[cursor.start + 1 : cursor.at].lstrip()
        fits = begun and _DIRECTIVE.startswith(begun.lower()) and cursor.at == cursor.end
        return [_directive(known, code) for code in _firing(known, cursor)] if fits else []
    rules, taken = known.catalog.rules, {item.upper() for item in cursor.items} | set(cursor.items)
    here = _firing(known, cursor)
    told = dict.fromkeys(here, "on this line")
    offered = [*here, *(code for code in rules if code not in told and code not in UNREADABLE)]
    free = [code for code in offered if code not in taken and rules[code].slug not in taken]
    return [_code(known, code, told.get(code, "")) for code in free]


def _firing(known: Analysis, cursor: Cursor) -> list[str]:
    """Return the codes that fire on the line of which the comment speaks: its own, or the next one for a comment alone."""
    lines = known.document.lines
    line = lines.line_of(cursor.at)
    if lines.line_text(line).lstrip().startswith("#"):
        while line + 1 < len(lines) and lines.line_text(line).lstrip().startswith("#"):
            line += 1
    found = [d.code for d in known.report.diagnostics if d.primary.span.start.line == line and d.code not in (*UNREADABLE, _ABOUT_IGNORES)]
    return [code for code in dict.fromkeys(found) if code in known.catalog.rules]


def _code(known: Analysis, code: str, told: str) -> Offer:
    rule = known.catalog.rules[code]
    return Offer(code, CompletionItemKind.Reference, "rule", code, told or rule.slug, message_of(known, rule), names=(code, rule.slug))


def _directive(known: Analysis, code: str) -> Offer:
    text = f"{_DIRECTIVE}{code}]"
    return Offer(text, CompletionItemKind.Snippet, "rule", code, "on this line", message_of(known, known.catalog.rules[code]))
