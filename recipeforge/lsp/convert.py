"""Our findings in the protocol's words."""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.pages import page_uri
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Label
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.rule import Severity

SOURCE = "recipeforge"
GIB = 1 << 30
LONGEST_QUOTE = 160

_SEVERITIES: dict[Severity, types.DiagnosticSeverity] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}


def diagnostics(known: Analysis, relate: bool) -> list[types.Diagnostic]:
    """Return all findings; with `relate`, the other participants as places of their own."""
    found = [diagnostic(known, d, relate) for d in known.report.diagnostics]
    if known.report.verdict.kind == "undecided":
        found.append(_undecided(known))
    return found


def diagnostic(known: Analysis, finding: Diagnostic, relate: bool) -> types.Diagnostic:
    """Return one finding. It carries no `data`: clients lose it, so fixes are worked out again from the place."""
    uri = known.file.uri
    related = [
        types.DiagnosticRelatedInformation(location=types.Location(uri=uri, range=known.range(label.span)), message=label.text)
        for label in (*finding.related, *steps(known, finding))
    ]
    page = page_uri(finding.code)
    return types.Diagnostic(
        range=known.range(finding.primary.span),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(href=page) if page else None,
        source=SOURCE,
        message=message(finding, relate),
        related_information=related if relate and related else None,
        tags=[types.DiagnosticTag.Unnecessary] if finding.unread else None,
    )


def steps(known: Analysis, finding: Diagnostic) -> list[Label]:
    """Return the explanation of the conflicts that a finding is part of, step by step, each at a place in the file."""
    told: list[Label] = []
    for conflict in known.report.verdict.conflicts:
        if finding.code not in {code.split(":")[0] for code in conflict.rules}:
            continue
        place = finding.primary.span
        for step in conflict.steps:
            # A step that follows stands where the last thing it is about does.
            place = step.place.span if step.place else next((f.span for f in step.facts if f.span != START_OF_FILE), place)
            rule = f" [{step.rule}: {step.why}]" if step.why else ""
            told.append(Label(place, f"{step.number}. {step.text}{rule}"))
    return told


def message(finding: Diagnostic, relate: bool = True) -> str:
    """Return what an editor shows: the finding, what was meant, how parts of it conflict, and who says so.

    The other places are named too, if the editor cannot show them.
    """
    places = [] if relate else [f"line {label.span.start.line + 1}: {label.text}" for label in finding.related]
    joint = [note for note in finding.notes if note.startswith("no addition can reconcile")]
    cited = [citation_line(finding.citations[0])] if finding.citations else []
    asked = [finding.primary.text[:1].upper() + finding.primary.text[1:]] if finding.primary.text.endswith("?") else []
    return "\n".join([finding.message, *asked, *places, *joint, *([finding.help] if finding.help else []), *cited])


def citation_line(citation: Citation) -> str:
    """Return one citation in one line: tier, the source's words, its name."""
    quote = " ".join(citation.quote.split())
    cut = f"{quote[: LONGEST_QUOTE - 1].rstrip()}…" if len(quote) > LONGEST_QUOTE else quote
    return f"{citation.tier} “{cut}” ({source_name(citation)})"


def source_name(citation: Citation) -> str:
    """Return a source's name; for a file of a repository that with the repository's, for what has no name where it stands."""
    host, *path = citation.url.removeprefix("https://").split("/")
    repository = path[1] if host in ("github.com", "raw.githubusercontent.com") and len(path) > 1 else ""
    if not citation.title:
        return "/".join(path[:2]) if repository else host.removeprefix("www.")
    return f"{repository}: {citation.title}" if repository and citation.title in path else citation.title


def status_of(known: Analysis) -> dict[str, Any]:
    """Return the verdict in numbers, for status bars and scripts."""
    report, view = known.report, known.view
    count = {severity: sum(d.severity == severity for d in report.diagnostics) for severity in _SEVERITIES}
    limits = [view.known(name) for name in ("gpu.memory_gib", "budget.memory_gib")] if view else []
    known_limits = [float(limit) for limit in limits if isinstance(limit, int | float) and not isinstance(limit, bool)]
    return {
        "uri": known.file.uri,
        "version": known.file.version,
        "verdict": report.verdict.kind,
        "errors": count["error"],
        "warnings": count["warning"],
        "infos": count["info"],
        "ignored": report.ignored,
        "memory_gib": round(report.estimate.total / GIB, 2) if report.estimate else None,
        "limit_gib": min(known_limits, default=None),
    }


def _undecided(known: Analysis) -> types.Diagnostic:
    """Return that the time was over before a verdict; nobody should take silence for "valid"."""
    start = types.Position(line=0, character=0)
    end = types.Position(line=0, character=len(known.file.text.line(0)))
    return types.Diagnostic(
        range=types.Range(start=start, end=end),
        severity=types.DiagnosticSeverity.Information,
        code="undecided",
        source=SOURCE,
        message=f"undecided: {known.report.verdict.spent or 'the time was over before a verdict'}",
    )
