"""Questions about a recipe that was read: the best changes, the status of every component, the memory it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from recipeforge.api.checking import Source, catalog_for, check_document, document_of, read_loadout, solution_of, target
from recipeforge.api.errors import NotARecipeError, WrongArgumentError
from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.tree import Document
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.preferences import NO_PREFERENCES, Preferences
from recipeforge.schemas.record import record
from recipeforge.schemas.report import Solution
from recipeforge.schemas.verdict import Estimate, Status

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog
    from recipeforge.solver.speed_estimate import Speed

LIMIT_S = 5.0
"""Seconds for a search, where nothing else is said."""


@record
class Found:
    """Answers, best first, and whether the search for them came to its end."""

    solutions: tuple[Solution, ...]
    complete: bool = True
    """False: the time ran out. There may be more, and one that is not `proved` may not be the cheapest."""


def solve(
    source: Source,
    *,
    minimize: Literal["changes", "memory", "time"] = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    avoid: Sequence[str] = (),
    limit_s: float = LIMIT_S,
) -> tuple[Solution, ...]:
    """Return the best ways to make a recipe run, cheapest first; none where it already does.

    `within` holds extra budgets, such as `{"memory_gib": 16}`; `wall_clock` is in seconds. `minimize="memory"` gives one answer, of
    least peak memory, `minimize="time"` one of least time a token.
    `keep` and `avoid` name slots, components, parameters (`data.sequence_length`) or groups of them (`batch`): what is kept
    stays as the recipe has it, what is avoided comes in only where nothing else cures.

    Raises:
        NotARecipeError: the text holds no recipe.
        WrongArgumentError: an argument names what is not there, or `count` is below 1.
    """
    if minimize not in ("changes", "memory", "time"):
        raise WrongArgumentError(f"minimize={minimize!r} is none of 'changes', 'memory' and 'time'")
    _judged(within, count)
    told = _preferences(keep, avoid)
    overrides, document = target(gpu, gpus, packages), document_of(source)
    return solve_document(document, overrides, minimize=minimize, within=within, count=count, prefer=told, limit_s=limit_s).solutions


def solve_document(
    document: Document,
    overrides: Mapping[str, Fact],
    *,
    minimize: Literal["changes", "memory", "time"] = "changes",
    within: Mapping[str, float] | None = None,
    count: int = 3,
    prefer: Preferences = NO_PREFERENCES,
    limit_s: float = LIMIT_S,
) -> Found:
    """Return the best ways to make a parsed recipe run for a target.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.complete import complete

    document, loadout, catalog = loaded(document, overrides)
    ranking = complete(catalog, loadout, minimize, within or {}, count, limit_s, prefer)
    return Found(tuple(solution_of(document, loadout, catalog, repair) for repair in ranking.repairs), ranking.complete)


def pareto(
    source: Source,
    *,
    within: Mapping[str, float] | None = None,
    count: int = 8,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    avoid: Sequence[str] = (),
) -> tuple[Solution, ...]:
    """Return recipes that run, the cheapest changes first, each with less memory or more speed than what costs less.

    None where memory cannot be told. Up to `count` steps down in memory, and as many up in speed where it is known; the recipe as
    written is one of the answers where it runs.

    Raises:
        NotARecipeError: the text holds no recipe.
        WrongArgumentError: an argument names what is not there, or `count` is below 1.
    """
    _judged(within, count)
    told = _preferences(keep, avoid)
    return pareto_document(document_of(source), target(gpu, gpus, packages), within=within, count=count, prefer=told).solutions


def pareto_document(
    document: Document,
    overrides: Mapping[str, Fact],
    *,
    within: Mapping[str, float] | None = None,
    count: int = 8,
    prefer: Preferences = NO_PREFERENCES,
    limit_s: float = LIMIT_S,
) -> Found:
    """Return the choices between memory, speed and changes of a parsed recipe.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.pareto import front

    document, loadout, catalog = loaded(document, overrides)
    ranking = front(catalog, loadout, within, count, limit_s, prefer)
    return Found(tuple(solution_of(document, loadout, catalog, repair) for repair in ranking.repairs), ranking.complete)


def _judged(within: Mapping[str, float] | None, count: int) -> None:
    for name in within or ():
        if name not in budgets():
            raise WrongArgumentError(f"`{name}` is no budget that is judged before a run; there is {', '.join(budgets())}")
    if count < 1:
        raise WrongArgumentError(f"count={count} asks for no answer; it is at least 1")


def _preferences(keep: Sequence[str], avoid: Sequence[str]) -> Preferences:
    from recipeforge.api.config import ConfigError, known_names

    try:
        return known_names(Preferences(tuple(keep), tuple(avoid)), "`")
    except ConfigError as error:
        raise WrongArgumentError(str(error)) from None


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


def speed(source: Source, *, gpu: str | None = None, gpus: int | None = None, packages: Mapping[str, str] | None = None) -> Speed | None:
    """Return the predicted speed, time and cost as ranges; `None` where the model's dimensions or the GPU's peak are not known.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.speed_estimate import speed_of

    _, loadout, catalog = loaded(source, target(gpu, gpus, packages))
    return speed_of(catalog, loadout)


def time_unjudged(document: Document, overrides: Mapping[str, Fact], minimize: str, within: Mapping[str, float]) -> str:
    """Return why a question about time or money got no answer from the time model; empty where it did, or where none was asked.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.solver.speed_estimate import why_unjudged, why_unknown

    _, loadout, catalog = loaded(document, overrides)
    if within.keys() & {"wall_clock", "cost_usd"}:
        return why_unjudged(catalog, loadout, "cost_usd" in within)
    return why_unknown(catalog, loadout) if minimize == "time" else ""


def loaded(source: Source | Document, overrides: Mapping[str, Fact]) -> tuple[Document, Loadout, Catalog]:
    """Return the document, its loadout and the catalog.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    document, catalog = source if isinstance(source, Document) else document_of(source), load_catalog()
    loadout, _ = read_loadout(document, catalog, overrides)
    if loadout is None:
        raise NotARecipeError(check_document(document, overrides))
    return document, loadout, catalog_for(catalog, loadout)
