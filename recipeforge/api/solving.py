"""Questions about a recipe that was read: the best changes, the status of every component, the memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from recipeforge.api.checking import Source, check_document, document_of, read_loadout, solution_of, target
from recipeforge.api.errors import NotARecipeError, WrongArgumentError
from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.tree import Document
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.report import Solution
from recipeforge.schemas.verdict import Estimate, Status

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog


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
    return tuple(solution_of(document, loadout, catalog, repair) for repair in found)


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
