"""Answers for programs: `recipeforge/check/1` and its siblings. Lines and columns are 1-based; a quote is verbatim."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from recipeforge.schemas.change import Change
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Fix, Label
from recipeforge.schemas.explanation import Step
from recipeforge.schemas.place import Span, TextEdit
from recipeforge.schemas.report import FileReport, Solution
from recipeforge.schemas.verdict import Blocked, Conflict, Estimate, Status

GIB = 1 << 30

Json = dict[str, object]


def render_json(reports: Sequence[FileReport], catalog_hash: str) -> str:
    """Return all reports as one object."""
    return dumped({"format": "recipeforge/check/1", "catalog": catalog_hash, "files": [file_json(report) for report in reports]})


def dumped(value: Json) -> str:
    """Return a value as JSON text with a line break at its end."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def file_json(report: FileReport) -> Json:
    """Return one file's report."""
    return {
        "path": report.path,
        "dialect": report.dialect or None,
        "verdict": report.verdict.kind,
        "diagnostics": [diagnostic_json(d) for d in report.diagnostics],
        "conflicts": [conflict_json(c) for c in report.verdict.conflicts],
        "all_conflicts": report.verdict.all_conflicts,
        "corrections": report.verdict.corrections,
        "unknown": report.verdict.unknown,
        "repairs": [solution_json(solution) for solution in report.repairs],
        "estimate": estimate_json(report.estimate),
    }


def conflict_json(conflict: Conflict) -> Json:
    """Return one conflict with its explanation."""
    steps = [step_json(step) for step in conflict.steps]
    return {"picks": conflict.picks, "rules": conflict.rules, "minimal": conflict.minimal, "steps": steps}


def step_json(step: Step) -> Json:
    """Return one step of an explanation; what it does not have is left out."""
    said = [{"subject": s.subject, "holds": s.holds} | ({} if s.value is None else {"value": s.value}) for s in step.says]
    told: Json = {"number": step.number, "kind": step.kind, "depth": step.depth, "text": step.text, "says": said, "because": step.because}
    if step.rule:
        told |= {"rule": step.rule, "why": step.why, "facts": [_label(label) for label in step.facts]}
    if step.place:
        told["range"] = range_json(step.place.span)
    if step.citation:
        told["citation"] = citation_json(step.citation)
    return told


def diagnostic_json(diagnostic: Diagnostic) -> Json:
    """Return one finding."""
    return {
        "code": diagnostic.code,
        "slug": diagnostic.slug,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "label": diagnostic.primary.text,
        "range": range_json(diagnostic.primary.span),
        "related": [_label(label) for label in diagnostic.related],
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "citations": [citation_json(citation) for citation in diagnostic.citations],
        "fixes": [_fix(fix) for fix in diagnostic.fixes],
    }


def solution_json(solution: Solution) -> Json:
    """Return one repair, with its edits."""
    repair = solution.repair
    return {
        "title": repair.title,
        "safety": repair.safety,
        "cost": repair.cost,
        "proved": repair.proved,
        "changes": [change_json(change) for change in repair.changes],
        "edits": [_edit(edit) for edit in solution.edits],
        "estimate": estimate_json(repair.estimate),
        "tokens_per_s": None if repair.tokens_per_s is None else round(repair.tokens_per_s, 1),
        "context": dict(repair.context),
    }


def estimate_json(estimate: Estimate | None) -> Json | None:
    """Return the memory estimate in GiB; `null` where there is none."""
    if estimate is None:
        return None
    terms = {name: _gib(amount) for name, amount in estimate.terms.items()}
    return {"memory_gib": {"total": _gib(estimate.total), "terms": terms}, "assumed": estimate.assumed}


def statuses_json(path: str, statuses: Sequence[Status], slots: Mapping[str, str]) -> Json:
    """Return the statuses of components; `slots` maps each to its slot."""
    return {
        "format": "recipeforge/status/1",
        "path": path,
        "components": [_status(s, slots[s.component]) for s in statuses],
    }


def blocked_json(path: str, told: Blocked, slot: str) -> Json:
    """Return one component's status, why it is so, and the changes that let it in; `null` where there are none."""
    cure = None if told.cure is None else [change_json(change) for change in told.cure]
    why: Json = {"steps": [step_json(step) for step in told.steps], "cure": cure, "title": told.title}
    return {"format": "recipeforge/status/1", "path": path, "components": [_status(told.status, slot) | why]}


def _status(status: Status, slot: str) -> Json:
    return {
        "component": status.component,
        "slot": slot,
        "status": status.kind,
        "wanted": status.wanted,
        "needs": [change_json(change) for change in status.needs],
        "rules": status.rules,
        "blockers": status.blockers,
    }


def change_json(change: Change) -> Json:
    """Return one change; what does not apply to it is left out."""
    fields = (("slot", change.slot), ("component", change.component), ("previous", change.previous))
    told: Json = {"op": change.op}
    told |= {name: value for name, value in fields if value is not None}
    if change.knob is not None:
        told["knob"] = change.knob
    if change.value is not None:
        told["value"] = change.value
    return told


def range_json(span: Span) -> Json:
    """Return a span with 1-based lines and columns; the end is exclusive."""
    return {
        "start": {"line": span.start.line + 1, "column": span.start.column + 1},
        "end": {"line": span.end.line + 1, "column": span.end.column + 1},
    }


def _label(label: Label) -> Json:
    return {"range": range_json(label.span), "text": label.text}


def citation_json(citation: Citation) -> Json:
    """Return a claim as it is cited."""
    told: Json = {"id": citation.id, "tier": citation.tier, "quote": citation.quote, "url": citation.url}
    optional: Json = {"title": citation.title, "speaks_for": citation.speaks_for}
    return told | {name: value for name, value in optional.items() if value}


def _fix(fix: Fix) -> Json:
    changes = [change_json(change) for change in fix.changes]
    return {"title": fix.title, "safety": fix.safety, "changes": changes, "edits": [_edit(edit) for edit in fix.edits]}


def _edit(edit: TextEdit) -> Json:
    return {"range": range_json(edit.span), "text": edit.text}


def _gib(amount: int) -> float:
    return round(amount / GIB, 4)
