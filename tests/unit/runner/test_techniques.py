"""Which weights each technique trains, and that learned prompts do not shift the loss."""

import pytest

from recipeforge.runner.parts import PARTS

pytest.importorskip("torch")
import torch
from transformers import AutoModelForCausalLM

from recipeforge.runner.batches import Line, Tokens
from recipeforge.runner.loop import Bench, counted

VALUES = {
    "technique.rank": 4,
    "technique.alpha": 8.0,
    "technique.dropout": 0.0,
    "technique.targets": "all-linear",
    "technique.bias": "none",
    "technique.train_embeddings": False,
    "technique.virtual_tokens": 5,
    "technique.trainable_layers": 1,
    "technique.frequencies": 100,
}


@pytest.fixture
def built(tiny_model):
    def build(component: str, **more):
        model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
        return PARTS[component].build(model, VALUES | more, PARTS["fp32"].build())

    return build


def trained(model) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


ADAPTERS = [p for p in PARTS.of_slot("technique") if "adapter" in p.traits and not p.untested and p.component != "qlora"]


@pytest.mark.parametrize("part", ADAPTERS, ids=lambda p: p.component)
def test_an_adapter_leaves_the_base_as_it_is(part, built, tiny_model) -> None:
    """A new adapter says what the base says, but for prompts, and for those that are drawn."""
    model = built(part.component)
    assert trained(model)
    assert not any(name.endswith(("base_layer.weight", "embed_tokens.weight", "lm_head.weight")) for name in trained(model))
    if part.component in ("prompt-tuning", "p-tuning", "prefix-tuning"):
        return
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    ids = torch.arange(24).view(2, 12)
    with torch.no_grad():
        assert torch.allclose(
            model.eval()(input_ids=ids).logits, base(input_ids=ids).logits, atol=STARTS_ELSEWHERE.get(part.component, 1e-4)
        )


STARTS_ELSEWHERE = {"vb-lora": 1.0, "c3a": 0.2, "fourierft": 10.0}
"""Their first coefficients are drawn, in peft as in their papers, so that the first update is not nothing."""


def test_the_last_layers_train_and_nothing_else(built) -> None:
    assert {name.split(".layers.")[-1].split(".")[0] for name in trained(built("freeze"))} == {"1"}
    with pytest.raises(Exception, match="3 layers cannot be chosen from this model's 2"):
        built("freeze", **{"technique.trainable_layers": 3})


def test_frozen_a_matrices_stay_frozen(built) -> None:
    names = trained(built("lora-fa"))
    assert names
    assert all(".lora_B." in name for name in names)


def test_blocks_divide_every_matrix(built) -> None:
    sides = {m.block_size["default"] for m in built("c3a").modules() if isinstance(getattr(m, "block_size", None), dict) and m.block_size}
    assert sides == {32}  # keys and values of the tiny model are 32 wide


def test_the_base_of_a_decomposed_start_is_the_residual(built, tiny_model) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).model.layers[0].self_attn.q_proj.weight
    for component in ("pissa", "olora"):
        layer = built(component).get_base_model().model.layers[0].self_attn.q_proj
        assert not torch.allclose(layer.base_layer.weight, base, atol=1e-4)
        assert torch.allclose(layer.base_layer.weight + layer.get_delta_weight("default"), base, atol=1e-4)


@pytest.mark.parametrize("component", ["prompt-tuning", "p-tuning", "prefix-tuning"])
def test_a_learned_prompt_does_not_shift_the_loss(component: str, built) -> None:
    model = built(component).eval()
    lines = [Line((Tokens(tuple(range(9)), (-100, *range(1, 9))),)), Line((Tokens((4, 5, 6), (-100, 5, 6)),))]
    bench = Bench(torch.device("cpu"), 0, False, None)
    batch = bench.batch(lines)
    with torch.no_grad():
        theirs = model(**batch, use_cache=False).loss.item()
        ours = bench.loss_sum(model, lines).item() / counted(lines)
    assert ours == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ({"technique": "prompt-tuning", "data": "{source: rows.jsonl, format: text, packing: true}"}, "prompt-tuning"),
        ({"technique": "prefix-tuning", "memory": "gradient-checkpointing"}, "prefix-tuning"),
        ({"technique": "pissa", "quantization": "bnb-4bit"}, "pissa"),
        ({"technique": "loftq"}, "loftq"),
        ({"technique": "{use: boft, block_size: 4, block_count: 2}"}, "boft"),
        ({"technique": "full", "optimizer": "apollo"}, "apollo"),
    ],
)
def test_what_cannot_go_together_is_said_before(lines, place: str, make, recipe) -> None:
    from recipeforge.runner.preflight import problems

    made = make(recipe(**lines))
    told = [d.message for d in problems(made.plan, made.loadout) if d.slug == "part-objects"]
    assert len(told) == 1
    assert told[0].startswith(f"{place}: ")
