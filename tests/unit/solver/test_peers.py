"""The engine beside other solvers, and beside what was published about real feature models.

Solvers that are not installed are left out (the extra `peers` brings them).
"""

import json
from pathlib import Path

import pytest

from dev.models.peers import Peer, installed
from dev.models.synthetic import loadouts, synthetic
from dev.models.uvl import load
from recipeforge.solver.consequences import Engine

MODELS = Path(__file__).parents[4] / "shared/reference/feature-models"
PUBLISHED = [
    *("berkeleydb", "eshop", "xtext", "ubuntu1410", "windows8", "pcrichmond", "bank", "financial", "busybox118", "ecos", "ea2468"),
    *("erp", "automotive01", "cnn_light", "cnn_full", "automotive02_1", "automotive02_4", "embtoolkit", "uclinux_config", "freebsd"),
]


@pytest.mark.parametrize("peer", installed(), ids=lambda peer: peer.name)
@pytest.mark.parametrize(("components", "seeds", "budgets"), [(200, 4, 0), (200, 2, 3), (1_000, 1, 0)])
def test_statuses_equal_those_of_other_solvers(peer: type[Peer], components: int, seeds: int, budgets: int) -> None:
    found = 0
    for seed in range(seeds):
        catalog = synthetic(components, seed, budgets)
        engine, other = Engine(catalog.model.formula), peer(catalog.model.formula, components)
        for picks in loadouts(catalog, 12, seed):
            ours, theirs = engine.consequences(picks), other.ask(picks)
            assert (ours is None) == (theirs is None) == (not other.satisfiable(picks))
            if ours is not None:
                assert not ours.undecided
                said = other.read(theirs)
                assert {v for v in ours.forced if v < components} == said.forced
                assert {v for v in ours.blocked if v < components} == said.blocked
                found += 1
    assert 0 < found < 12 * seeds, "some loadouts can stand together, and some cannot"


@pytest.mark.parametrize("name", PUBLISHED)
def test_dead_and_core_features_are_those_that_were_published(name: str) -> None:
    if not (MODELS / "MANIFEST.json").is_file():
        pytest.skip(f"the feature models are not at {MODELS}")
    published = next(m["stats"] for m in json.loads((MODELS / "MANIFEST.json").read_text()) if m["name"] == name)
    model = load(MODELS / f"{name}.uvl")
    assert len(model.names) == int(float(published["NumberOfFeatures"]))
    root = Engine(model.formula, among=range(len(model.names)), limit_s=120).root
    assert root is not None and not root.undecided
    features = range(len(model.names))
    counts = sum(v in root.forced for v in features), sum(v in root.blocked for v in features)
    assert counts == (int(published["Number_CORE"]), int(published["Number_Dead"]))
