"""Findings as SARIF 2.1.0, for code-scanning services and editors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import quote

from recipeforge.render.json import Json, dumped
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic, Fix, Label
from recipeforge.schemas.place import Span
from recipeforge.schemas.report import FileReport
from recipeforge.schemas.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render_sarif(reports: Sequence[FileReport], catalog: Catalog, version: str) -> str:
    """Return one run over all files, with the rules that have findings."""
    codes = list(dict.fromkeys(d.code for report in reports for d in report.diagnostics))
    driver: Json = {"name": "recipeforge", "version": version, "semanticVersion": version}
    driver["rules"] = [_rule(catalog, code) for code in codes]
    results = [_result(report, d, codes.index(d.code)) for report in reports for d in report.diagnostics]
    run: Json = {
        "tool": {"driver": driver},
        # Columns here are code points, as everywhere else in this tool; SARIF's default would be UTF-16 units.
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(report.path)}} for report in reports],
        "results": results,
        "properties": {"catalog": catalog.hash},
    }
    return dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(catalog: Catalog, code: str) -> Json:
    rule = catalog.rules.get(code)
    if rule is None:
        return {"id": code}
    told: Json = {
        "id": code,
        "name": "".join(word.capitalize() for word in rule.slug.split("-")),
        "shortDescription": {"text": rule.slug.replace("-", " ")},
        "fullDescription": {"text": " ".join(rule.why.split()) or rule.message},
        "help": _help(catalog, rule),
        "defaultConfiguration": {"level": _LEVELS[rule.effective_severity]},
        "properties": {"tier": rule.tier, "slug": rule.slug, "evidence": list(rule.evidence)},
    }
    if rule.evidence and (claim := catalog.claims.get(rule.evidence[0])):
        told["helpUri"] = claim.url
    return told


def _help(catalog: Catalog, rule: Rule) -> Json:
    from recipeforge.catalog.pages import rule_page

    return {"text": " ".join(rule.why.split()) or rule.message, "markdown": rule_page(catalog, rule)}


def _result(report: FileReport, diagnostic: Diagnostic, index: int) -> Json:
    quotes = "".join(f'\n[{c.tier}] "{c.quote}" {c.url}' for c in diagnostic.citations)
    told: Json = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message + quotes},
        "locations": [{"physicalLocation": _location(report.path, diagnostic.primary.span)}],
    }
    if diagnostic.related:
        told["relatedLocations"] = [_related(report.path, number, label) for number, label in enumerate(diagnostic.related)]
    fixes = [_fix(report.path, fix) for fix in diagnostic.fixes if fix.edits]
    if fixes:
        told["fixes"] = fixes
    return told


def _related(path: str, number: int, label: Label) -> Json:
    return {"id": number, "physicalLocation": _location(path, label.span), "message": {"text": label.text or "see here"}}


def _fix(path: str, fix: Fix) -> Json:
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits]
    change = {"artifactLocation": {"uri": _uri(path)}, "replacements": replacements}
    return {"description": {"text": f"{fix.title} ({fix.safety})"}, "artifactChanges": [change]}


def _location(path: str, span: Span) -> Json:
    return {"artifactLocation": {"uri": _uri(path)}, "region": _region(span)}


def _region(span: Span) -> Json:
    return {
        "startLine": span.start.line + 1,
        "startColumn": span.start.column + 1,
        "endLine": span.end.line + 1,
        "endColumn": span.end.column + 1,
    }


def _uri(path: str) -> str:
    """Return a path as a URI reference: relative ones stay relative to wherever the run was started."""
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())
