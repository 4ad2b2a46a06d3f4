"""Peaks counted on fake tensors: they agree with the formula, which was written down from the same modules' source."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.runner.plan import make_plan
from recipeforge.runner.trace import trace
from recipeforge.schemas.errors import RunError
from recipeforge.solver.memory_budget import moments, state_bytes

CATALOG = load()
pytestmark = pytest.mark.train


def both(**parts: object) -> tuple[int, int]:
    """The trace's peak and the formula's."""
    recipe = {"recipeforge": 1, "model": "HuggingFaceTB/SmolLM2-135M", "precision": "bf16", "batch": {"micro": 2}, **parts}
    text = json.dumps(recipe)
    loadout = read(parse(text, "x.yaml"), CATALOG).loadout
    assert loadout is not None
    found = moments(CATALOG, loadout)
    assert found is not None
    return trace(make_plan(CATALOG, loadout, text), loadout.context.facts, state_bytes(CATALOG, loadout)).total, found.estimate.total


def test_a_loss_of_another_kind_is_not_counted() -> None:
    with pytest.raises(RunError, match="over next tokens, and the recipe's objective is dpo"):
        both(technique="lora", objective="dpo")


@pytest.mark.parametrize(
    "parts",
    [
        {"technique": "lora", "attention": "eager"},
        {"technique": "lora", "memory": ["gradient-checkpointing"]},
        {"technique": "full", "memory": ["gradient-checkpointing"], "data": {"sequence_length": 64}},
        {"technique": "full", "batch": {"micro": 2, "accumulate": 4}},
        {"technique": "full", "precision": "pure-bf16"},
    ],
    ids=lambda parts: " ".join(map(str, parts.values())),
)
def test_the_formula_meets_the_trace(parts: dict[str, object]) -> None:
    counted, predicted = both(**parts)
    assert abs(predicted / counted - 1) < 0.01


def test_the_formula_meets_the_trace_over_a_4_bit_base() -> None:
    pytest.importorskip("bitsandbytes")
    counted, predicted = both(technique="qlora", quantization="bnb-4bit")
    assert abs(predicted / counted - 1) < 0.02


def test_what_the_engine_does_not_have_is_refused() -> None:
    with pytest.raises(RunError, match="`fp8`"):
        both(technique="lora", precision="fp8")
    with pytest.raises(RunError, match="phi"):
        both(technique="lora", model="microsoft/phi-2")


def test_a_trace_leaves_torch_as_it_was() -> None:
    import torch

    before = torch.nn.functional.scaled_dot_product_attention, torch.nn.Module.to, torch.is_autocast_enabled
    with pytest.raises(RunError):
        both(technique="lora", model="microsoft/phi-2")
    assert before == (torch.nn.functional.scaled_dot_product_attention, torch.nn.Module.to, torch.is_autocast_enabled)
    assert not isinstance(torch.empty(1), torch._subclasses.fake_tensor.FakeTensor)
