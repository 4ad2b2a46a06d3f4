"""Report → better text: fixes applied one after the other, each checked before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from recipeforge.api.checking import check_document
from recipeforge.schemas.report import FileReport
from recipeforge.schemas.rule import Severity

if TYPE_CHECKING:
    from recipeforge.schemas.diagnostic import Diagnostic, Fix

FIX_ROUNDS = 50
"""Times a text is fixed and checked again; every round leaves strictly fewer findings, so this is only a guard."""

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

Wanted = Callable[["Diagnostic"], bool]


def apply_fixes(report: FileReport, *, unsafe: bool = False, wanted: Wanted | None = None) -> str:
    """Return the text with all admissible fixes made: the first one of every finding, until nothing is left to do.

    Every step is checked again, and one that does not leave fewer or milder findings is not taken: the text never gets worse.
    `wanted` chooses the findings to cure; without it, errors and warnings are cured and advice (`info`) is left to people.
    """
    for _ in range(FIX_ROUNDS):
        fixes = _admissible(report, unsafe, wanted)
        better = _first_better(report, [_side_by_side(fixes), *([fix] for fix in fixes)])
        if better is None:
            break
        report = better
    return report.text


def _admissible(report: FileReport, unsafe: bool, wanted: Wanted | None) -> list[Fix]:
    """Return the best admissible fix of each finding; errors first, and among them those of the file itself."""
    safeties = ("safe", "unsafe") if unsafe else ("safe",)
    chosen = [d for d in report.diagnostics if (wanted(d) if wanted else d.severity != "info")]
    chosen.sort(key=lambda d: (_SEVERITIES.index(d.severity), not d.code.startswith("RF0"), d.primary.span))
    firsts = (next((fix for fix in d.fixes if fix.safety in safeties and fix.edits), None) for d in chosen)
    return list(dict.fromkeys(fix for fix in firsts if fix is not None))


def _side_by_side(fixes: Sequence[Fix]) -> list[Fix]:
    """Return as many of the fixes as can be made at once because they touch different lines."""
    taken: set[int] = set()
    chosen: list[Fix] = []
    for fix in fixes:
        lines = {line for edit in fix.edits for line in range(edit.span.start.line, edit.span.end.line + 1)}
        if not lines & taken:
            taken |= lines
            chosen.append(fix)
    return chosen


def _first_better(report: FileReport, batches: Iterable[Sequence[Fix]]) -> FileReport | None:
    from recipeforge.documents.parse import parse
    from recipeforge.documents.pieces import apply_edits

    for fixes in batches:
        if fixes:
            text = apply_edits(report.text, [edit for fix in fixes for edit in fix.edits])
            tried = check_document(parse(text, report.path), report.overrides)
            if _badness(tried) < _badness(report):
                return tried
    return None


def _badness(report: FileReport) -> tuple[int, ...]:
    """Return how bad a file is: no recipe at all, then errors, warnings, notes."""
    severities = [d.severity for d in report.diagnostics]
    return (report.verdict.kind == "unreadable", *(severities.count(s) for s in _SEVERITIES))
