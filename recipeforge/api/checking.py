"""Text → report: the verdict on one recipe with all findings, for the file's own target or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recipeforge.api.errors import WrongArgumentError
from recipeforge.catalog.load import load as load_catalog
from recipeforge.catalog.subjects import UNSETTLED
from recipeforge.documents.tree import Document
from recipeforge.schemas.loadout import Context, Fact, Loadout, Setting
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.report import FileReport, Solution
from recipeforge.schemas.verdict import Repair, Verdict, VerdictKind
from recipeforge.solver.view import unsettled_of

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog
    from recipeforge.schemas.diagnostic import Diagnostic, Fix

Source = str | Path


class Report(FileReport):
    """A `FileReport` that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        from recipeforge.render.html import report_html

        return report_html(self)


def check(
    source: Source,
    *,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
    repairs: bool = False,
) -> Report:
    """Return the report on a recipe.

    `source` is a path, or the text itself where it has a line break. `gpu`, `gpus` and `packages` name a target other than
    the file's own. With `repairs`, whole-recipe repairs are searched for as well. Findings are values: nothing is raised for them.
    """
    return check_document(document_of(source), target(gpu, gpus, packages), repairs=repairs)


def target(gpu: str | None = None, gpus: int | None = None, packages: Mapping[str, str] | None = None) -> dict[str, Fact]:
    """Return the facts that a target given by hand stands for.

    Raises:
        WrongArgumentError: `gpus` is no number of devices.
    """
    if gpus is not None and (not isinstance(gpus, int) or gpus < 1):  # pyright: ignore[reportUnnecessaryIsInstance] (notebooks are not typed)
        raise WrongArgumentError(f"gpus={gpus!r} is not a number of devices; it is a whole number from 1")
    facts: dict[str, Fact] = {f"packages.{name}": version for name, version in (packages or {}).items()}
    if gpu is not None:
        facts["gpu.id"] = gpu
    if gpus is not None:
        facts["hardware.count"] = gpus
    return facts


def document_of(source: Source) -> Document:
    """Return the document at a path, or in a text: a string with a line break in it is a text."""
    from recipeforge.documents.load import load
    from recipeforge.documents.parse import parse

    if isinstance(source, str) and ("\n" in source or not source):
        return parse(source, "<text>")
    return load(source)


def check_document(
    document: Document,
    overrides: Mapping[str, Fact] | None = None,
    *,
    repairs: bool = False,
    fixes: bool = True,
    prefer: Preferences = NO_PREFERENCES,
) -> Report:
    """Return the report on a parsed document, for the target that `overrides` describe.

    `prefer` is what repairs honour. An editor that only wants to show findings leaves out `fixes`, which take most of the time.
    """
    from recipeforge.documents.ignores import apply_ignores
    from recipeforge.solver.resolve import resolve

    catalog, overrides = load_catalog(), overrides or {}
    loadout, found = read_loadout(document, catalog, overrides, fixes=fixes)
    if loadout is None:
        kept = apply_ignores(document, catalog, found)
        return Report(document.path, document.text, "", Verdict("unreadable"), kept, (), catalog.hash, None, overrides)
    own = catalog_for(catalog, loadout)
    verdict = resolve(own, loadout)
    if verdict.conflicts:
        from recipeforge.solver.explain import explained

        verdict = explained(own, loadout, verdict)
    told = _told(document, catalog, loadout, verdict, fixes) if verdict.violations else ()
    findings = tuple(sorted((*found, *told), key=lambda d: (d.primary.span, d.code)))
    kept = apply_ignores(document, catalog, findings)
    verdict = replace(verdict, kind="unreadable" if document.gaps else _kind(verdict.kind, found))
    return Report(
        path=document.path,
        text=document.text,
        dialect=loadout.dialect,
        verdict=verdict,
        diagnostics=kept,
        repairs=_solutions(document, loadout, catalog, prefer) if repairs and verdict.kind != "valid" else (),
        catalog_hash=catalog.hash,
        loadout=loadout,
        overrides=overrides,
        ignored=len(set(findings) - set(kept)),
        companions=_companions(document, loadout, catalog, overrides),
    )


def _companions(document: Document, loadout: Loadout, catalog: Catalog, overrides: Mapping[str, Fact]) -> tuple[Report, ...]:
    """Return reports on the files that another tool's configuration names, where something is wrong in them."""
    if loadout.dialect == "recipeforge":
        return ()
    from recipeforge.documents.dialects.companions import judged

    return tuple(
        Report(other.path, other.text, kind, Verdict(_kind("valid", found)), found, (), catalog.hash, None, overrides)
        for other, kind, found in judged(document, catalog, overrides.get("accelerate"))
    )


def _told(document: Document, catalog: Catalog, loadout: Loadout, verdict: Verdict, fixes: bool) -> tuple[Diagnostic, ...]:
    """Return what there is to say of the violations, each fix as edits of the file."""
    from recipeforge.solver.diagnose import diagnose

    own = catalog_for(catalog, loadout)
    return tuple(_with_edits(d, document, loadout, catalog) for d in diagnose(own, loadout, verdict, fixes=fixes))


def read_loadout(
    document: Document, catalog: Catalog, overrides: Mapping[str, Fact], *, fixes: bool = True
) -> tuple[Loadout | None, tuple[Diagnostic, ...]]:
    """Return what the file equips, for the target at hand, and the findings about the file itself."""
    from recipeforge.documents.read import read

    facts = {name: value for name, value in overrides.items() if name != "hardware.count"}
    result = read(document, catalog, facts, fixes=fixes)
    loadout = result.loadout
    if loadout is not None and isinstance(count := overrides.get("hardware.count"), int):
        kept = tuple(s for s in loadout.settings if s.knob != "hardware.count")
        settings = (*kept, Setting("hardware.count", count, loadout.span_of("hardware.count")))
        loadout = replace(loadout, settings=settings, context=settled(loadout.context, "hardware.count"))
    return loadout, result.diagnostics


def catalog_for(catalog: Catalog, loadout: Loadout) -> Catalog:
    """Return the catalog as it holds for a loadout: what another tool's file does not say is that tool's own value."""
    if loadout.dialect == "recipeforge":
        return catalog
    from recipeforge.documents.dialects.defaults import own_defaults

    return own_defaults(catalog, loadout.dialect)


def settled(context: Context, knob: str) -> Context:
    """Return the context after somebody said what a knob is."""
    left = tuple(subject for subject in unsettled_of(context.facts) if subject != knob)
    facts = {name: value for name, value in context.facts.items() if name != UNSETTLED}
    return replace(context, facts=facts | ({UNSETTLED: left} if left else {}))


def _kind(kind: VerdictKind, found: Sequence[Diagnostic]) -> VerdictKind:
    """Return the verdict with the file's own errors counted in: a key that nobody knows has to change or go."""
    errors = {d.code for d in found if d.severity == "error"}
    if errors - {"RF0007", "RF0021"}:
        return "conflicting"
    return "incomplete" if errors and kind == "valid" else kind


def _with_edits(diagnostic: Diagnostic, document: Document, loadout: Loadout, catalog: Catalog) -> Diagnostic:
    """Say each fix in the words of the file. One that the text cannot take without risk keeps no edits."""
    from recipeforge.documents.edit import edits_for

    def edited(fix: Fix) -> Fix:
        return fix if fix.edits or not fix.changes else replace(fix, edits=edits_for(document, loadout, catalog, fix.changes))

    return replace(diagnostic, fixes=tuple(edited(fix) for fix in diagnostic.fixes)) if diagnostic.fixes else diagnostic


def _solutions(document: Document, loadout: Loadout, catalog: Catalog, prefer: Preferences) -> tuple[Solution, ...]:
    from recipeforge.solver.repair import repairs

    own = catalog_for(catalog, loadout)
    return tuple(solution_of(document, loadout, catalog, repair) for repair in repairs(own, loadout, prefer=prefer))


def solution_of(document: Document, loadout: Loadout, catalog: Catalog, repair: Repair) -> Solution:
    """Return a repair with its edits of the text."""
    from recipeforge.documents.edit import edits_for

    return Solution(repair, edits_for(document, loadout, catalog, repair.changes) if repair.changes else ())
