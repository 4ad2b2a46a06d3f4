"""Findings as GitHub Actions workflow commands, which become annotations on the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.render.cells import visible
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.report import FileReport

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render_github(reports: Sequence[FileReport]) -> str:
    """Return one line a finding."""
    return "".join(f"{_line(report.path, d)}\n" for report in reports for d in report.diagnostics)


def _line(path: str, diagnostic: Diagnostic) -> str:
    span = diagnostic.primary.span
    properties = {
        "file": path,
        "line": str(span.start.line + 1),
        "endLine": str(span.end.line + 1),
        "title": f"{diagnostic.code} {diagnostic.slug}",
    }
    if span.start.line == span.end.line:  # GitHub refuses columns on findings over several lines
        # endColumn names the last character, where a span ends behind it.
        properties |= {"col": str(span.start.column + 1), "endColumn": str(max(span.end.column, span.start.column + 1))}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {told}::{_data(_message(diagnostic))}"


def _message(diagnostic: Diagnostic) -> str:
    lines = [diagnostic.message, *diagnostic.notes]
    lines += [f"[{c.tier}] “{' '.join(c.quote.split())}” {c.url} ({c.id})" for c in diagnostic.citations[:1]]
    helps = [f"{fix.title} ({fix.safety})" for fix in diagnostic.fixes[:1]] or [diagnostic.help]
    lines += [f"help: {text}" for text in helps if text]
    return "\n".join(visible(line) for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
