"""Diagnostics for people: code frames, reasons, quoted evidence, fixes, and the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recipeforge.documents.lines import LineIndex
from recipeforge.render.cells import visible, width, wrap
from recipeforge.render.derivation import render_conflicts
from recipeforge.render.frame import Mark, frame, gutter_width
from recipeforge.render.look import PLAIN, Look
from recipeforge.render.suggestion import suggestion
from recipeforge.render.summary import counted, plural, report_line
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Fix
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.report import FileReport

QUOTE_CAP = 200
"""Characters of a quote shown in a terminal; every other face shows it whole."""

MOST_CITATIONS = 2
"""Sources shown of one finding, strongest first; `explain` shows all."""

_INDENT = len("note: [T2] ")


def render_report(report: FileReport, look: Look = PLAIN) -> str:
    """Return everything there is to say about one file; one quiet line where nothing was found."""
    lines = LineIndex(report.text)
    parts = [render_diagnostic(d, report, lines, look) for d in report.diagnostics]
    return "\n".join([*parts, *render_conflicts(report.verdict, look), report_line(report, look)])


def render_diagnostic(diagnostic: Diagnostic, report: FileReport, lines: LineIndex, look: Look) -> str:
    """Return one finding, with an empty line behind it."""
    marks = _marks(diagnostic)
    out = [_headline(diagnostic, look)]
    start = diagnostic.primary.span.start
    arrow = look.paint("gutter", "-->")
    out.append(f"{' ' * gutter_width(marks)}{arrow} {visible(report.path)}:{start.line + 1}:{start.column + 1}")
    if marks and report.text.strip():
        out += frame(lines, marks, look)
    for note in diagnostic.notes:
        out += _paragraph("note", "note", note, look)
    for citation in diagnostic.citations[:MOST_CITATIONS]:
        out += _citation(citation, look)
    if (more := len(diagnostic.citations) - MOST_CITATIONS) > 0:
        out.append(" " * _INDENT + look.paint("quiet", f"and {plural(more, 'more source')}: recipeforge explain {diagnostic.code}"))
    if diagnostic.help:
        out += _paragraph("help", "help", diagnostic.help, look)
    out += _fixes(diagnostic.fixes, lines, gutter_width(marks), look)
    return "\n".join(out) + "\n"


def _headline(diagnostic: Diagnostic, look: Look) -> str:
    severity = diagnostic.severity
    code = diagnostic.code
    if diagnostic.citations:
        code = look.link(code, diagnostic.citations[0].url)
    return f"{look.paint(severity, f'{severity}[{code}]')}{look.paint('message', ': ' + visible(diagnostic.message))}"


def _marks(diagnostic: Diagnostic) -> list[Mark]:
    primary = diagnostic.primary
    marks = [Mark(primary.span, primary.text, diagnostic.severity, primary=True)]
    if primary.span == START_OF_FILE and not primary.text:
        marks = []  # about the file as a whole: there is nothing to point at
    marks += [Mark(label.span, label.text, "related", primary=False) for label in diagnostic.related]
    return marks


def _paragraph(style: str, word: str, text: str, look: Look) -> list[str]:
    indent = len(word) + 2
    body = wrap(visible(text), look.width - indent)
    return [f"{look.paint(style, word + ':')} {body[0]}", *(" " * indent + line for line in body[1:])]


def _citation(citation: Citation, look: Look) -> list[str]:
    badge = look.paint(citation.tier, f" {citation.tier} ") if look.color else f"[{citation.tier}]"
    quote = wrap(visible(f"“{shortened(citation.quote)}”"), look.width - _INDENT)
    indent = " " * _INDENT
    lines = [
        f"{look.paint('note', 'note:')} {badge} {look.paint('quote', quote[0])}",
        *(indent + look.paint("quote", q) for q in quote[1:]),
    ]
    name = look.link(citation.id, citation.url)
    who = "".join(f" · {visible(part)}" for part in (citation.title, citation.speaks_for) if part and part != citation.url)
    url = visible(citation.url)
    # An address is never broken, so that it can be copied; it shares the line where it fits or would stand alone anyway.
    if not who or _INDENT + width(f"{citation.id}{who} · {url}") <= look.width:
        return [*lines, indent + look.paint("quiet", f"{name}{who} · {look.link(url, citation.url)}")]
    return [*lines, indent + look.paint("quiet", f"{name}{who}"), indent + look.paint("quiet", look.link(url, citation.url))]


def shortened(quote: str) -> str:
    """Return a quote on one line, cut where it is long; the catalog keeps it verbatim."""
    flat = " ".join(quote.split())
    if len(flat) <= QUOTE_CAP:
        return flat
    return flat[:QUOTE_CAP].rsplit(" ", 1)[0].rstrip() + " …"


def _fixes(fixes: Sequence[Fix], lines: LineIndex, gutter: int, look: Look) -> list[str]:
    """Return the fixes as a ranked list, and the first one as lines of the file."""
    if not fixes:
        return []
    titles = [f"{visible(fix.title)} ({'advice' if fix.safety == 'display' else fix.safety})" for fix in fixes]
    if len(fixes) > 1:
        titles = [f"{rank}. {title}" for rank, title in enumerate(titles, 1)]
    out: list[str] = []
    for rank, title in enumerate(titles):
        body = wrap(title, look.width - 6)
        lead = look.paint("help", "help:") if rank == 0 else "     "
        out += [f"{lead} {body[0]}", *(" " * (9 if len(fixes) > 1 else 6) + line for line in body[1:])]
        if rank == 0:
            out += suggestion(lines, fixes[0].edits, gutter, look)
    return out


def render_summary(reports: Sequence[FileReport], look: Look = PLAIN) -> str:
    """Return the line that ends the output about several files; empty for one."""
    if len(reports) < 2:
        return ""
    kinds = Counter(report.verdict.kind for report in reports)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    found = counted(d for report in reports for d in report.diagnostics)
    return f"{look.paint('message', f'{len(reports)} files')}: {told}{' — ' + found if found else ''}\n"
