"""Values that no rule can tell apart share a world; values that some rule can, do not."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.loadout import Loadout, Setting
from recipeforge.solver import case, grounding
from recipeforge.solver.case import case_of
from recipeforge.solver.resolve import resolve
from recipeforge.solver.thresholds import kind_of

CATALOG = load()
RECIPE = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: lora\noptimizer: {use: adamw, weight_decay: 2.0e-4}\nhardware: {gpu: t4}\n"


def loadout_of(text: str) -> Loadout:
    loadout = read(parse(text), CATALOG).loadout
    assert loadout is not None
    return loadout


def test_weight_decays_share_a_world() -> None:
    worlds = {id(case_of(CATALOG, loadout_of(re.sub("2.0e-4", rate, RECIPE))).world) for rate in ("2.1e-4", "2.2e-4", "2.3e-4")}
    assert len(worlds) == 1


def test_what_arithmetic_reads_is_told_apart() -> None:
    assert kind_of(CATALOG, "optimizer.learning_rate", 2e-4) != kind_of(CATALOG, "optimizer.learning_rate", 3e-4)  # beside a floor
    assert kind_of(CATALOG, "data.sequence_length", 512) != kind_of(CATALOG, "data.sequence_length", 513)
    assert kind_of(CATALOG, "budget.memory_gib", 15) != kind_of(CATALOG, "budget.memory_gib", 16)
    assert kind_of(CATALOG, "train.epochs", 1) != kind_of(CATALOG, "train.epochs", True)


NUMBERS = [knob for knob in CATALOG.knobs.values() if knob.type in ("int", "float")]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NUMBERS), st.floats(0, 1), st.floats(0, 1))
def test_a_remembered_world_answers_as_a_new_one(knob: object, first: float, second: float) -> None:
    """Whatever was asked before, the verdict is that of a process that was asked nothing."""
    base = loadout_of(RECIPE)
    for share in (first, second):
        low, high = knob.minimum or 0, min(knob.maximum or 4096, 4096)  # type: ignore[attr-defined]
        value = low + share * (high - low)
        value = round(value) if knob.type == "int" else value  # type: ignore[attr-defined]
        settings_ = (*(s for s in base.settings if s.knob != knob.path), Setting(knob.path, value, base.span_of("technique")))  # type: ignore[attr-defined]
        loadout = replace(base, settings=settings_)
        warm = resolve(CATALOG, loadout), broken_in_world(loadout)
        case._worlds.clear()  # pyright: ignore[reportPrivateUsage]
        grounding._grounded.clear()  # pyright: ignore[reportPrivateUsage]
        loadout = replace(loadout)
        cold = resolve(CATALOG, loadout), broken_in_world(loadout)
        assert warm == cold
        assert {v.code for v in cold[0].violations} == cold[1], "the world says otherwise than plain evaluation"


def broken_in_world(loadout: Loadout) -> set[str]:
    """Return what the ground rules say of a recipe as written."""
    solved = case_of(CATALOG, loadout)
    return solved.world.violated(solved.written)
