"""A recipe, trained here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from recipeforge.api.checking import Report, Source, check_document, document_of, read_loadout
from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.tree import Document
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.report import FileReport, Solution

if TYPE_CHECKING:
    from recipeforge.schemas.run import Run


def run(source: Source, *, ledger: str | Path | None = None, resume: bool = False, smoke: bool = False) -> Run:
    """Train a recipe on this machine and return its row of the ledger; needs the `train` extra.

    It is judged for the packages that are installed here. Failed and interrupted runs are answers too: see the row's `state`.
    `resume` goes on with the newest run of this recipe, where there is one that did not finish; `smoke` does two steps and keeps
    nothing but the row.

    Raises:
        RunError: the recipe is not valid, or cannot be carried out here; nothing was started.
    """
    from recipeforge.runner.ledger import Ledger
    from recipeforge.runner.plan import make_plan
    from recipeforge.runner.preflight import problems
    from recipeforge.runner.resume import must_match, newest
    from recipeforge.runner.run_child import run as carry_out

    report = judged_here(document_of(source))
    if report.verdict.kind != "valid" or report.loadout is None:
        errors = [d for d in report.diagnostics if d.severity == "error"]
        told = "; ".join(f"{d.code} {d.message}" for d in errors) or report.verdict.spent
        raise RunError(f"{report.path} was not run, because it is {report.verdict.kind}: {told}")
    plan = make_plan(load_catalog(), report.loadout, report.text)
    place = Path(ledger) if ledger is not None else None
    earlier = None
    if resume:
        with Ledger(place) as book:
            book.close_lost()
            earlier = newest(book, plan)
    if earlier is not None:
        must_match(earlier, plan)
        if earlier.state == "finished":
            return earlier
    if found := problems(plan, report.loadout, goes_on=earlier is not None):
        raise RunError(f"{report.path} cannot run here: {'; '.join(d.message for d in found)}")
    with Ledger(place) as book:
        book.close_lost()
        estimate = report.estimate.total if report.estimate else None
        return carry_out(plan, report.text, book, estimate, earlier=earlier, smoke=smoke)


LESS = 0.8
"""What of its memory a recipe may still take after it went out of memory."""
_LOOKED_AT = 8
"""Repairs, of which the first is taken that this engine can run."""


def lighter(report: FileReport) -> tuple[Solution, ...]:
    """Return the cheapest change to a recipe that takes a fifth less memory and can be run here.

    None where there is no estimate, or no such change.
    """
    from recipeforge.api.solving import solve_document
    from recipeforge.documents.parse import parse
    from recipeforge.runner.parts import PARTS

    if report.estimate is None:
        return ()
    within = {"memory_gib": LESS * report.estimate.total / 2**30}
    found = solve_document(parse(report.text, report.path), report.overrides, within=within, count=_LOOKED_AT)
    able = [s for s in found.solutions if all(c.component is None or c.op == "drop" or PARTS.get(c.component) for c in s.repair.changes)]
    return tuple(able[:1])


def measured_here(facts: Mapping[str, object], ledger: str | Path | None = None) -> dict[str, Fact]:
    """Return the peaks of a recipe's GPU as `bench gpu` found them on this machine; nothing where it is another GPU, or was not measured.

    The time model counts with peaks of data sheets, of which large products attain a known share: what was measured is put on that scale.
    """
    from recipeforge.documents.context import gpu_sheet
    from recipeforge.runner.ledger import Ledger, default_path
    from recipeforge.solver.speed import CEILING

    place = Path(ledger) if ledger is not None else default_path()
    if not place.exists():
        return {}
    with Ledger(place) as book:
        machines = book.machines()
    for machine in machines:
        sheet = gpu_sheet(load_catalog(), machine.device) if machine.kind == "cuda" else None
        if sheet is not None and sheet.id == facts.get("gpu.id"):
            known = {"bf16": "gpu.bf16_tflops", "fp16": "gpu.fp16_tflops", "fp32": "gpu.fp32_tflops"}
            return {known[name]: tflops / CEILING for name, tflops in machine.tflops.items() if known.get(name) in facts}
    return {}


def judged_here(document: Document, *, repairs: bool = False, devices: int | None = None) -> Report:
    """Return the report for the packages that are installed here, but for those whose version the recipe itself names.

    `devices`: how many there are, where the recipe itself does not say.
    """
    from recipeforge.runner.packages import Need

    catalog = load_catalog()
    loadout, _ = read_loadout(document, catalog, {}, fixes=False)
    named = loadout.context.spans if loadout is not None else {}
    versions = {f"packages.{name}": Need(name, "").installed for name in catalog.packages}
    here: dict[str, str | int] = {name: version for name, version in versions.items() if version is not None and name not in named}
    if devices is not None and loadout is not None and not any(s.knob == "hardware.count" for s in loadout.settings):
        here["hardware.count"] = devices
    return check_document(document, here, repairs=repairs)
