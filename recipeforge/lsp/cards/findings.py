"""The card of a finding: what is wrong, why, who says so, and what would cure it."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.evidence import LONGEST_WHY, MOST_QUOTES, evidence
from recipeforge.lsp.markdown import cut, link, prose
from recipeforge.lsp.pages import page_uri
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.solver.case import case_of
from recipeforge.solver.fixes import fixes_for

MOST_FIXES = 4
LONGEST_FIXED = 50_000
"""Characters of a text up to which corrections of the text itself are worked out; in longer ones that takes a second."""
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
    head = f"**{finding.severity}** {_code(finding)} `{finding.slug}`"
    parts = [f"{head}\n\n**{prose(finding.message)}**"]
    rule = known.catalog.rules.get(finding.code)
    parts += [prose(cut(note, LONGEST_WHY)) for note in (finding.notes if quotes else ())]
    parts += [prose(finding.help)] if finding.help else []
    if fixes := _fixes(known, finding):
        parts.append(f"**To cure it:** {' · '.join(_fix(fix) for fix in fixes[:MOST_FIXES])}")
    if rule is not None and finding.citations and quotes:
        parts += evidence(known.catalog, rule, quotes)
    return "\n\n".join(parts)


def _fixes(known: Analysis, finding: Diagnostic) -> tuple[Fix, ...]:
    """Return a finding's cures; only its own are worked out, since a popup comes between two keystrokes."""
    rule, loadout = known.catalog.rules.get(finding.code), known.report.loadout
    if rule is not None and loadout is not None and (rule.violated_when is not None or rule.budget):
        return fixes_for(case_of(known.catalog, loadout), finding.code, rule)
    if len(known.document.text) > LONGEST_FIXED:
        return ()
    place = finding.code, finding.primary.span, finding.message
    same = (d for d in known.with_fixes.diagnostics if (d.code, d.primary.span, d.message) == place)
    return next((d.fixes for d in same), ())


def _code(finding: Diagnostic) -> str:
    return link(finding.code, page_uri(finding.code))


def _fix(fix: Fix) -> str:
    note = {"safe": "", "unsafe": " (changes the run)", "display": " (by hand)"}[fix.safety]
    return f"{prose(fix.title)}{note}"
