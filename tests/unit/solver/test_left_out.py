"""What the estimates of memory and time leave out is said: sampling, and a teacher."""

import pytest

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.speed_estimate import speed_of

CATALOG = load()
RECIPE = """
recipeforge: 1
model: HuggingFaceTB/SmolLM2-135M
technique: lora
objective: {objective}
precision: bf16
batch: {micro: 8}
hardware: {gpu: a100-80gb}
"""


def left_out(objective: str) -> list[str]:
    """Return what both estimates say that they do not count."""
    text = RECIPE.replace("{objective}", objective)
    loadout = read(parse(text, "recipe.yaml"), CATALOG).loadout
    assert loadout is not None
    memory, speed = estimate(CATALOG, loadout), speed_of(CATALOG, loadout)
    assert memory is not None and speed is not None
    return [words for words in (*memory.assumed, *speed.assumed) if "not counted" in words]


@pytest.mark.parametrize("objective", ["grpo", "gspo", "rloo", "online-dpo", "ppo"])
def test_sampling_is_left_out(objective: str):
    assert left_out(objective) == ["sampling memory not counted", "the time of sampling not counted"]


def test_a_teacher_is_left_out():
    assert left_out("distillation") == ["the teacher not counted", "the time of the teacher not counted"]
    assert len(left_out("gkd")) == 4


@pytest.mark.parametrize("objective", ["sft", "dpo", "kto", "reward", "classification"])
def test_nothing_is_left_out_of_what_reads_rows(objective: str):
    assert left_out(objective) == []


def test_every_technique_says_what_trains_and_every_objective_what_a_row_becomes():
    """A part without the number would count as nothing, and a budget would call any model small enough beside it."""
    kinds = {"base", "layers", "adapter", "vectors", "prompt"}
    assert {c.id for c in CATALOG.members("technique") if c.effects.get("trains") not in kinds} == set()
    assert {c.id for c in CATALOG.members("objective") if "rows_per_example" not in c.effects} == set()
