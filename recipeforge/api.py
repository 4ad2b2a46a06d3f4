"""The same answers from Python that the command line gives. It ties the rooms; it decides nothing itself.

Rooms are imported where they are needed: `check` on a valid recipe loads no solver backend and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.tree import Document
from recipeforge.schemas.errors import RecipeForgeError, RunError
from recipeforge.schemas.loadout import Fact, Loadout, Setting
from recipeforge.schemas.report import FileReport, Solution
from recipeforge.schemas.rule import Severity
from recipeforge.schemas.verdict import Estimate, Repair, Status, Verdict, VerdictKind

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog
    from recipeforge.schemas.diagnostic import Diagnostic, Fix
    from recipeforge.schemas.run import Run

FIX_ROUNDS = 50
"""Times a text is fixed and checked again; every round leaves strictly fewer findings, so this is only a guard."""

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

Source = str | Path
Wanted = Callable[["Diagnostic"], bool]


class Report(FileReport):
    """A `FileReport` that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        from recipeforge.render.html import report_html

        return report_html(self)


class NotARecipeError(RecipeForgeError):
    """The text holds no recipe, so there is nothing to solve; `report` says why."""

    def __init__(self, report: FileReport) -> None:
        first = report.diagnostics[0] if report.diagnostics else None
        if first is not None and first.code == "RF0018":  # there is no text that could be shown; the message names the path
            super().__init__(f"{first.message}; {first.help[:1].lower()}{first.help[1:].removesuffix('.')}")
        else:
            told = first.message if first is not None else "it holds no recipe"
            super().__init__(f"{report.path}: {told}; `recipeforge check` shows where")
        self.report = report


class WrongArgumentError(RecipeForgeError, ValueError):
    """A function was called with a value that it does not take; the message says which it does."""


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


def check_document(document: Document, overrides: Mapping[str, Fact] | None = None, *, repairs: bool = False) -> Report:
    """Return the report on a parsed document, for the target that `overrides` describe."""
    from recipeforge.documents.ignores import apply_ignores
    from recipeforge.solver.diagnose import diagnose
    from recipeforge.solver.resolve import resolve

    catalog, overrides = load_catalog(), overrides or {}
    loadout, found = read_loadout(document, catalog, overrides)
    if loadout is None:
        kept = apply_ignores(document, catalog, found)
        return Report(document.path, document.text, "", Verdict("unreadable"), kept, (), catalog.hash, None, overrides)
    verdict = resolve(catalog, loadout)
    told = tuple(_with_edits(d, document, loadout, catalog) for d in diagnose(catalog, loadout, verdict))
    findings = tuple(sorted((*found, *told), key=lambda d: (d.primary.span, d.code)))
    kept = apply_ignores(document, catalog, findings)
    verdict = replace(verdict, kind=_kind(verdict.kind, found))
    return Report(
        path=document.path,
        text=document.text,
        dialect=loadout.dialect,
        verdict=verdict,
        diagnostics=kept,
        repairs=_solutions(document, loadout, catalog) if repairs and verdict.kind != "valid" else (),
        catalog_hash=catalog.hash,
        loadout=loadout,
        overrides=overrides,
        ignored=len(set(findings) - set(kept)),
    )


def read_loadout(document: Document, catalog: Catalog, overrides: Mapping[str, Fact]) -> tuple[Loadout | None, tuple[Diagnostic, ...]]:
    """Return what the file equips, for the target at hand, and the findings about the file itself."""
    from recipeforge.documents.read import read

    facts = {name: value for name, value in overrides.items() if name != "hardware.count"}
    result = read(document, catalog, facts)
    loadout = result.loadout
    if loadout is not None and isinstance(count := overrides.get("hardware.count"), int):
        kept = tuple(s for s in loadout.settings if s.knob != "hardware.count")
        loadout = replace(loadout, settings=(*kept, Setting("hardware.count", count, loadout.span_of("hardware.count"))))
    return loadout, result.diagnostics


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


def solve(
    source: Source,
    *,
    minimize: Literal["changes", "memory"] = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
) -> tuple[Solution, ...]:
    """Return the best ways to make a recipe run, cheapest first; none where it already does.

    `within` holds extra budgets, such as `{"memory_gib": 16}`. `minimize="memory"` gives one answer, of least peak memory.

    Raises:
        NotARecipeError: the text holds no recipe.
        WrongArgumentError: `minimize` or `within` names what cannot be saved, or `count` is below 1.
    """
    if minimize not in ("changes", "memory"):
        raise WrongArgumentError(f"minimize={minimize!r} is neither 'changes' nor 'memory'")
    for name in within or ():
        if name not in budgets():
            raise WrongArgumentError(f"`{name}` is no budget that is judged before a run; there is {', '.join(budgets())}")
    if count < 1:
        raise WrongArgumentError(f"count={count} asks for no answer; it is at least 1")
    return solve_document(document_of(source), target(gpu, gpus, packages), minimize=minimize, within=within, count=count)


def solve_document(
    document: Document,
    overrides: Mapping[str, Fact],
    *,
    minimize: Literal["changes", "memory"] = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
) -> tuple[Solution, ...]:
    """Return the best ways to make a parsed recipe run for a target.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.complete import complete

    document, loadout, catalog = loaded(document, overrides)
    found = complete(catalog, loadout, minimize, within or {}, count)
    return tuple(_solution(document, loadout, catalog, repair) for repair in found)


def budgets() -> tuple[str, ...]:
    """Return the budgets that are judged before a run, such as `memory_gib`."""
    limits = (limit for rule in load_catalog().rules.values() for limit in rule.budget_limits)
    return tuple(dict.fromkeys(limit.removeprefix("budget.") for limit in limits if limit.startswith("budget.")))


def keeps_within(document: Document, overrides: Mapping[str, Fact], within: Mapping[str, float]) -> bool:
    """Return whether a recipe, as it is written, runs within extra budgets.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.complete import with_budgets
    from recipeforge.solver.resolve import resolve

    _, loadout, catalog = loaded(document, overrides)
    return resolve(catalog, with_budgets(loadout, within)).kind == "valid"


def status(
    source: Source,
    *,
    slot: str | None = None,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
) -> tuple[Status, ...]:
    """Return what equipping each component would mean, given the recipe.

    Raises:
        NotARecipeError: the text holds no recipe.
        WrongArgumentError: there is no such slot.
    """
    from recipeforge.solver.statuses import statuses

    _, loadout, catalog = loaded(source, target(gpu, gpus, packages))
    if slot is not None and slot not in catalog.slots:
        raise WrongArgumentError(f"there is no slot `{slot}`; there are {', '.join(catalog.slots)}")
    return tuple(s for s in statuses(catalog, loadout) if slot is None or catalog.components[s.component].slot == slot)


def estimate(
    source: Source, *, gpu: str | None = None, gpus: int | None = None, packages: Mapping[str, str] | None = None
) -> Estimate | None:
    """Return the predicted peak memory of one device, term by term; `None` where the model's dimensions are not known.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.memory_budget import estimate as memory_of

    _, loadout, catalog = loaded(source, target(gpu, gpus, packages))
    return memory_of(catalog, loadout)


def explain(name: str) -> str | None:
    """Return the page, as Markdown, of a rule (code or slug) or a component (id or alias); `None` where nothing has that name."""
    from recipeforge.catalog.pages import rule_page
    from recipeforge.render.component_page import component_page

    catalog = load_catalog()
    wanted = name.strip().casefold()
    rule = catalog.rules.get(wanted.upper()) or catalog.rule_by_slug(wanted)
    if rule is not None:
        return rule_page(catalog, rule)
    for component in catalog.components.values():
        if wanted in (component.id, *(alias.casefold() for alias in component.aliases)):
            return component_page(catalog, component)
    return None


def run(source: Source, *, ledger: str | Path | None = None) -> Run:
    """Train a recipe on this machine and return its row of the ledger; needs the `train` extra.

    It is judged for the packages that are installed here. Failed and interrupted runs are answers too: see the row's `state`.

    Raises:
        RunError: the recipe is not valid, or cannot be carried out here; nothing was started.
    """
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.packages import Need
    from recipeforge.runner.plan import make_plan
    from recipeforge.runner.preflight import problems
    from recipeforge.runner.run_child import run as carry_out

    catalog, document = load_catalog(), document_of(source)
    loadout, _ = read_loadout(document, catalog, {})
    named = loadout.context.spans if loadout is not None else {}
    here = {f"packages.{name}": Need(name, "").installed for name in catalog.packages}
    report = check_document(document, {name: version for name, version in here.items() if version and name not in named})
    errors = [d for d in report.diagnostics if d.severity == "error"]
    if report.verdict.kind != "valid" or report.loadout is None:
        told = "; ".join(f"{d.code} {d.message}" for d in errors) or report.verdict.spent
        raise RunError(f"{report.path} was not run, because it is {report.verdict.kind}: {told}")
    plan = make_plan(catalog, report.loadout, report.text)
    if found := problems(plan, report.loadout):
        raise RunError(f"{report.path} cannot run here: {'; '.join(d.message for d in found)}")
    with Ledger(Path(ledger) if ledger is not None else None) as book:
        return carry_out(plan, report.text, book, report.estimate.total if report.estimate else None)


def loaded(source: Source | Document, overrides: Mapping[str, Fact]) -> tuple[Document, Loadout, Catalog]:
    """Return the document, its loadout and the catalog.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    document, catalog = source if isinstance(source, Document) else document_of(source), load_catalog()
    loadout, _ = read_loadout(document, catalog, overrides)
    if loadout is None:
        raise NotARecipeError(check_document(document, overrides))
    return document, loadout, catalog


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


def _solutions(document: Document, loadout: Loadout, catalog: Catalog) -> tuple[Solution, ...]:
    from recipeforge.solver.repair import repairs

    return tuple(_solution(document, loadout, catalog, repair) for repair in repairs(catalog, loadout))


def _solution(document: Document, loadout: Loadout, catalog: Catalog, repair: Repair) -> Solution:
    from recipeforge.documents.edit import edits_for

    return Solution(repair, edits_for(document, loadout, catalog, repair.changes) if repair.changes else ())


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
