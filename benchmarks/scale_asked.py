"""What the scale benchmark asks about: a synthetic catalog with its loadouts."""

from dataclasses import dataclass

from dev.models.synthetic import Synthetic, loadouts, synthetic
from recipeforge.solver.consequences import Engine

COUNTS = {50: 40, 200: 40, 1_000: 30, 10_000: 8}
"""Loadouts of a catalog of this size."""
PEER_S = 30.0
"""A peer gets this long for one kind of question; then its medians are over fewer calls."""


@dataclass(frozen=True)
class Asked:
    """A catalog, its engine, and loadouts: all, those that can stand together, those that cannot."""

    catalog: Synthetic
    engine: Engine
    picks: list[list[int]]
    consistent: list[list[int]]
    clashing: list[list[int]]


def prepare(components: int, budgets: int) -> Asked:
    """Make a catalog and compile it."""
    catalog = synthetic(components, 0, budgets)
    engine = compiled(catalog)
    picks = loadouts(catalog, COUNTS[components])
    stands = [engine.stands(p) for p in picks]
    consistent = [p for p, well in zip(picks, stands, strict=True) if well]
    return Asked(catalog, engine, picks, consistent, [p for p, well in zip(picks, stands, strict=True) if not well])


def compiled(catalog: Synthetic) -> Engine:
    """Return the engine for the components of a catalog."""
    return Engine(catalog.model.formula, among=range(catalog.components))
