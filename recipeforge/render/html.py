"""A report as a piece of HTML, for notebooks. Everything from the file and the catalog is escaped."""

from __future__ import annotations

from html import escape

from recipeforge.documents.lines import LineIndex
from recipeforge.render.derivation import headline, told
from recipeforge.render.summary import counted, memory_words
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Fix
from recipeforge.schemas.explanation import Step
from recipeforge.schemas.report import FileReport

_COLORS = {"error": "#c62828", "warning": "#b26a00", "info": "#00695c"}
_VERDICTS = {"valid": "#2e7d32", "incomplete": "#b26a00", "conflicting": "#c62828", "undecided": "#b26a00", "unreadable": "#c62828"}


def report_html(report: FileReport) -> str:
    """Return the report as one `<div>`."""
    lines = LineIndex(report.text)
    summary = counted(report.diagnostics) or memory_words(report)
    verdict = f'<b style="color:{_VERDICTS[report.verdict.kind]}">{report.verdict.kind}</b>'
    head = f"<p><code>{escape(report.path)}</code>: {verdict}{f' — {escape(summary)}' if summary else ''}</p>"
    return f'<div class="recipeforge">{head}{"".join(_diagnostic(d, lines) for d in report.diagnostics)}{_conflicts(report)}</div>'


def _conflicts(report: FileReport) -> str:
    """Return an explanation of each conflict that takes several rules."""
    explained = [c for c in report.verdict.conflicts if c.steps]
    return "".join(f"<div><b>{escape(headline(c))}</b>{''.join(_step(step) for step in c.steps)}</div>" for c in explained)


def _step(step: Step) -> str:
    text = f"{step.number}. {escape(step.text)}"
    parts = [f"<b>{text}</b>" if step.kind == "contradiction" else text]
    if step.why:
        parts.append(f"<div><code>{escape(step.rule)}</code> {escape(step.why)}{escape(told(step))}</div>")
    if step.citation:
        parts.append(_citation(step.citation))
    return f'<div style="margin-left:{1 + 1.5 * step.depth}em">{"".join(parts)}</div>'


def _diagnostic(diagnostic: Diagnostic, lines: LineIndex) -> str:
    color = _COLORS[diagnostic.severity]
    head = f'<b style="color:{color}">{diagnostic.severity}[{escape(diagnostic.code)}]</b> {escape(diagnostic.message)}'
    parts = [f"<div>{head}</div>", _line(diagnostic, lines, color)]
    parts += [f"<div>{escape(note)}</div>" for note in diagnostic.notes]
    parts += [_citation(citation) for citation in diagnostic.citations]
    if diagnostic.help:
        parts.append(f"<div><b>help:</b> {escape(diagnostic.help)}</div>")
    if diagnostic.fixes:
        parts.append(f"<ul>{''.join(_fix(fix) for fix in diagnostic.fixes)}</ul>")
    return f'<div style="border-left:3px solid {color};padding-left:.8em;margin:.6em 0">{"".join(parts)}</div>'


def _line(diagnostic: Diagnostic, lines: LineIndex, color: str) -> str:
    start, end = diagnostic.primary.span.start, diagnostic.primary.span.end
    text = lines.line_text(start.line)
    stop = end.column if end.line == start.line else len(text)
    # A line of megabytes would freeze a notebook: only the neighbourhood of the place is shown.
    first, last = max(0, start.column - 80), min(len(text), stop + 80)
    before, guilty, after = text[first : start.column], text[start.column : min(stop, start.column + 200)], text[stop:last]
    mark = f'<span style="color:{color};text-decoration:underline">{escape(guilty)}</span>'
    return f"<pre>{start.line + 1:>4} | {escape(before)}{mark}{escape(after)}</pre>"


def _citation(citation: Citation) -> str:
    name = escape(citation.title or citation.id)
    # Only web addresses become links: `javascript:` from a foreign pack must not.
    source = f'<a href="{escape(citation.url)}">{name}</a>' if citation.url.startswith(("https://", "http://")) else name
    return f"<blockquote>“{escape(citation.quote)}” — {source} ({escape(citation.id)}, {citation.tier})</blockquote>"


def _fix(fix: Fix) -> str:
    return f"<li>{escape(fix.title)} ({fix.safety})</li>"
