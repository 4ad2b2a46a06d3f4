"""Means of the weights, noise, smoothed labels, and rates of their own."""

import copy

import pytest

pytest.importorskip("torch")
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM

from recipeforge.runner.batches import Line, Tokens
from recipeforge.runner.loop import Bench
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.lr_groups import split
from recipeforge.runner.steering import at_rest


def averaged(component: str, values: dict[str, float], weights: list[float], steps: int = 0):
    model = torch.nn.Linear(1, 1, bias=False)
    average = PARTS[component].build(model, {"averaging.every": 1} | values, steps)
    for weight in weights:
        model.weight.data.fill_(weight)
        average.step()
    return model, average


@pytest.mark.parametrize(
    ("component", "values", "steps", "mean"),
    [
        ("ema", {"averaging.decay": 0.5}, 0, 3.125),  # 1, 1.5, 2.25, 3.125
        ("swa", {}, 0, 2.5),
        ("swa", {}, 4, 4.0),  # the last quarter
        ("swa", {"averaging.every": 2}, 0, 3.0),
        ("lawa", {"averaging.window": 2}, 0, 3.5),
    ],
)
def test_the_mean_is_measured_and_training_goes_on_from_where_it_was(component: str, values, steps: int, mean: float) -> None:
    model, average = averaged(component, values, [1.0, 2.0, 3.0, 4.0], steps)
    with at_rest([average]):
        assert model.weight.item() == pytest.approx(mean)
    assert model.weight.item() == 4.0


@pytest.mark.parametrize(("component", "values"), [("ema", {"averaging.decay": 0.9}), ("swa", {}), ("lawa", {"averaging.window": 3})])
def test_a_mean_goes_on_from_its_state(component: str, values) -> None:
    model, whole = averaged(component, values, [1.0, 2.0, 3.0, 4.0, 5.0])
    _, first = averaged(component, values, [1.0, 2.0])
    again_model, again = averaged(component, values, [])
    again.load_state_dict(copy.deepcopy(first.state_dict()))
    for weight in (3.0, 4.0, 5.0):
        again_model.weight.data.fill_(weight)
        again.step()
    with at_rest([whole]), at_rest([again]):
        assert again_model.weight.item() == model.weight.item()


def test_a_run_with_a_mean_goes_on_to_the_same_bits(train) -> None:
    lines = {"averaging": "{use: ema, decay: 0.9}", "train": "{steps: 6, save_every: 2}", "regularization": "[neftune, label-smoothing]"}
    whole, _, _ = train(**lines)
    _, folder, done = train(stop_after=4, **lines)
    assert not done
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.summary()["heldout_loss_after"] == whole.summary()["heldout_loss_after"]
    assert whole.losses()[-1] == rest.losses()[-1]


def test_noise_is_for_training_alone_and_has_the_papers_size(tiny_model) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    ids = torch.arange(10)[None]
    plain = model.get_input_embeddings()(ids).detach()
    PARTS["neftune"].build(model, {"regularization.noise_alpha": 5.0})
    assert torch.equal(model.eval().get_input_embeddings()(ids), plain)
    moved = (model.train().get_input_embeddings()(ids) - plain).abs().max().item()
    most = 5.0 / (10 * 64) ** 0.5
    assert 0.9 * most < moved <= most + 1e-6


def test_labels_are_smoothed_in_training_alone(tiny_model) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    lines = [Line((Tokens(tuple(range(8)), (-100, *range(1, 8))),))]
    plain, smooth = Bench(torch.device("cpu"), 0, False, None), Bench(torch.device("cpu"), 0, False, None, 0.2)
    assert smooth.loss_sum(model.eval(), lines).item() == plain.loss_sum(model, lines).item()
    model.train()
    logits = model(input_ids=torch.arange(8)[None]).logits[0, :-1]
    expected = functional.cross_entropy(logits, torch.arange(1, 8), reduction="sum", label_smoothing=0.2).item()
    assert smooth.loss_sum(model, lines).item() == pytest.approx(expected, rel=1e-5)


def rates(model, optimizers) -> dict[str, float]:
    by = {id(p): group["lr"] for o in optimizers for group in o.param_groups for p in group["params"]}
    return {name: by[id(p)] for name, p in model.named_parameters() if id(p) in by}


def test_weights_have_rates_of_their_own(tiny_model) -> None:
    values = {"optimizer.learning_rate": 1e-3, "optimizer.weight_decay": 0.1, "lr_groups.decay": 0.5, "lr_groups.embedding_rate": 1e-5}
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    optimizers = PARTS["adamw"].build(model, values)
    PARTS["layer-wise-decay"].build(model, values, optimizers)
    found = rates(model, optimizers)
    assert found["lm_head.weight"] == 1e-3
    assert found["model.layers.1.mlp.up_proj.weight"] == 5e-4
    assert found["model.layers.0.input_layernorm.weight"] == 2.5e-4
    assert found["model.embed_tokens.weight"] == 1.25e-4
    assert len(found) == len(list(model.parameters()))
    decays = {g["weight_decay"] for o in optimizers for g in o.param_groups for p in g["params"] if p.ndim < 2}
    assert decays == {0.0}
    optimizers = PARTS["adamw"].build(model, values)
    PARTS["embedding-lr"].build(model, values, optimizers)
    found = rates(model, optimizers)
    assert {n for n, rate in found.items() if rate == pytest.approx(1e-5)} == {"model.embed_tokens.weight", "lm_head.weight"}


def test_the_base_rate_stays_the_first_groups() -> None:
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in range(3)]
    optimizer = torch.optim.SGD(weights, lr=1.0)
    split([optimizer], lambda p: 16.0 if p is weights[0] else 1.0)
    assert [group["lr"] for group in optimizer.param_groups] == [1.0, 16.0]
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 1]
