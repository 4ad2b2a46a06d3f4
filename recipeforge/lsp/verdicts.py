"""The verdict in a few words, as a lens or a popup shows it."""

from __future__ import annotations

from recipeforge.lsp.analysis import Analysis
from recipeforge.render.summary import counted
from recipeforge.schemas.verdict import VerdictKind

_MARKS: dict[VerdictKind, str] = {"valid": "✓", "incomplete": "✗", "conflicting": "✗", "undecided": "?", "unreadable": "✗"}


def verdict_words(known: Analysis) -> str:
    """Return the verdict, such as "✗ conflicting · 4 errors, 1 warning"; what is half-typed is not called wrong."""
    report = known.report
    if known.document.gaps:
        return "… half-typed"
    words = f"{_MARKS[report.verdict.kind]} {report.verdict.kind}"
    counts = counted(report.diagnostics)
    ignored = f"{report.ignored} ignored" if report.ignored else ""
    return " · ".join(filter(None, (words, ", ".join(filter(None, (counts, ignored))))))
