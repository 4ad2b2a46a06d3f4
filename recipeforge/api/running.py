"""A recipe, trained here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recipeforge.api.checking import Source, check_document, document_of, read_loadout
from recipeforge.catalog.load import load as load_catalog
from recipeforge.schemas.errors import RunError

if TYPE_CHECKING:
    from recipeforge.schemas.run import Run


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
