"""The card of a finding: what is wrong, who says so, and why."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.evidence import LONGEST_WHY, MOST_QUOTES, evidence
from recipeforge.lsp.markdown import cut, link, prose
from recipeforge.lsp.pages import page_uri
from recipeforge.schemas.diagnostic import Diagnostic

IN_FULL = 2
"""Findings of one place that are told with why and evidence; the others in one line."""


def finding_cards(known: Analysis, found: Sequence[Diagnostic]) -> list[str]:
    """Return a card for each finding of one place."""
    quotes = MOST_QUOTES if len(found) == 1 else 1
    return [_card(known, finding, quotes=quotes if index < IN_FULL else 0) for index, finding in enumerate(found)]


def findings_elsewhere(known: Analysis, offset: int) -> list[Diagnostic]:
    """Return the findings about other places in which what stands at an offset takes part."""
    position = known.document.lines.position(offset)
    return [d for d in known.report.diagnostics if any(label.span.start <= position <= label.span.end for label in d.related)]


def part_of(finding: Diagnostic) -> str:
    """Return one line about a finding elsewhere."""
    line = finding.primary.span.start.line + 1
    return f"Takes part in {_code(finding)}, line {line}: {prose(finding.message)}"


def _card(known: Analysis, finding: Diagnostic, *, quotes: int) -> str:
    """Return the card: who says so before why, since some clients show the message above and cut popups short.

    Cures are left to the menu that applies them.
    """
    parts = [f"**{finding.severity}** {_code(finding)} `{finding.slug}`: {prose(finding.message)}"]
    rule = known.catalog.rules.get(finding.code)
    if rule is not None and finding.citations and quotes:
        parts += evidence(known.catalog, rule, quotes)
    parts += [prose(cut(note, LONGEST_WHY)) for note in (finding.notes if quotes else ())]
    parts += [prose(finding.help)] if finding.help else []
    return "\n\n".join(parts)


def _code(finding: Diagnostic) -> str:
    return link(finding.code, page_uri(finding.code))
