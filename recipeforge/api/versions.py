"""Which versions satisfy a recipe, from what is known about releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from recipeforge.api.checking import Source, document_of, target
from recipeforge.api.solving import loaded
from recipeforge.documents.tree import Document
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.versions import Versions

LIMIT_S = 10.0
"""Seconds for a search, where nothing else is said."""


def versions(
    source: Source,
    *,
    gpu: str | None = None,
    gpus: int | None = None,
    packages: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> Versions:
    """Return the most recent package versions that satisfy a recipe; or why there are none, and the least change of given ones.

    Versions in the recipe and in `packages` stay as they are; `python` is given like a package.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    return versions_for_document(document_of(source), target(gpu, gpus, packages), limit_s=limit_s)


def versions_for_document(document: Document, overrides: Mapping[str, Fact], *, limit_s: float = LIMIT_S) -> Versions:
    """Return the versions that satisfy a parsed recipe for a target.

    Raises:
        NotARecipeError: the text holds no recipe.
    """
    from recipeforge.catalog.releases import load_releases
    from recipeforge.solver.packages import versions_for

    _, loadout, catalog = loaded(document, overrides)
    spans = {name: span for name, span in loadout.context.spans.items() if name not in overrides}  # the file says another version
    loadout = replace(loadout, context=replace(loadout.context, spans=spans))
    return versions_for(catalog, load_releases(), loadout, limit_s)


def pick_names(document: Document, overrides: Mapping[str, Fact]) -> dict[str, str]:
    """Return how the parts of a recipe that versions depend on are called: components, the framework, given versions."""
    _, loadout, catalog = loaded(document, overrides)
    names = {e.component: catalog.components[e.component].title for e in loadout.equipped}
    facts = loadout.context.facts
    given = {s: f"{s.removeprefix('packages.')} {v}" for s, v in facts.items() if s.startswith("packages.")}
    return names | given | ({"framework": str(facts["framework"])} if "framework" in facts else {})
