"""Schedules that listen, and what the loop tells them."""

import pytest

pytest.importorskip("torch")
import torch

from recipeforge.runner import steering
from recipeforge.runner.packages import Need
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.reactive import Dlrs

needs_schedule_free = pytest.mark.skipif(Need("schedulefree", "").installed is None, reason="needs schedulefree")


def optimizer_at(rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=rate)


def rate_of(optimizer: torch.optim.Optimizer) -> float:
    return optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([0.8, 0.6], 2e-4 - 1e-4 * 0.1 * (-0.2 / 0.7)),  # falls: a tenth of the slope up
        ([0.6, 0.8], 2e-4 - 1e-4 * 1.0 * (0.2 / 0.7)),  # rises a little: the whole slope down
        ([0.1, 0.1, 0.9], 2e-4 - 1e-4 * 0.5 * (0.8 / (1.1 / 3))),  # rises much: half of it
        ([0.5, 0.5], 2e-4),
        ([0.5], 2e-4),
    ],
)
def test_dlrs_follows_the_named_variant(losses: list[float], expected: float) -> None:
    optimizer = optimizer_at(2e-4)
    schedule = Dlrs(optimizer)
    for index, loss in enumerate(losses):
        steering.after_step([schedule], loss, ends_epoch=index == len(losses) - 1)
        schedule.step()
    assert rate_of(optimizer) == pytest.approx(expected, rel=1e-9)


def test_dlrs_moves_at_the_end_of_each_window_and_never_below_its_floor() -> None:
    optimizer = optimizer_at(1e-4)
    schedule = PARTS["dlrs"].build(optimizer, {"scheduler.window": 3}, 9)
    rates = []
    for loss in (0.1, 0.1, 0.9) * 3:
        schedule.after_step(loss, ends_epoch=False)
        rates.append(rate_of(optimizer))
    assert rates[0] == rates[1] == 1e-4
    assert rates[2] == rates[4] == 1e-8  # 1e-4 - 1e-4 · 0.5 · 2.18 would be negative
    assert schedule.state_dict() == {"window": 3, "losses": []}


def test_greedy_moves_with_the_held_out_loss_only() -> None:
    optimizer = optimizer_at(1e-4)
    schedule = PARTS["greedy"].build(optimizer, {"scheduler.patience": 0, "scheduler.min_lr": 1e-6}, 9)
    schedule.step()
    steering.after_step([schedule], 9.0, ends_epoch=True)
    assert rate_of(optimizer) == 1e-4
    steering.after_held_out([schedule], 0.5)
    assert rate_of(optimizer) == pytest.approx(1e-4 / 0.95)
    steering.after_held_out([schedule], 0.6)
    assert rate_of(optimizer) == pytest.approx(1e-4)
    assert schedule.state_dict()["best"] == 0.5


def test_reduce_on_plateau_waits_for_its_patience() -> None:
    optimizer = optimizer_at(1e-4)
    schedule = PARTS["reduce-on-plateau"].build(optimizer, {"scheduler.patience": 1}, 9)
    for loss in (0.5, 0.5):
        schedule.after_held_out(loss)
    assert rate_of(optimizer) == 1e-4
    schedule.after_held_out(0.5)
    assert rate_of(optimizer) == pytest.approx(1e-5)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_one_cycle_rises_and_falls_and_has_a_rate_for_every_step(steps: int) -> None:
    optimizer = optimizer_at(1e-3)
    schedule = PARTS["one-cycle"].build(optimizer, {}, steps)
    rates = []
    for _ in range(steps):
        rates.append(rate_of(optimizer))
        optimizer.step()
        schedule.step()
    if steps == 10:
        assert rates[0] == pytest.approx(1e-3 / 25)
        assert max(rates) == pytest.approx(1e-3)
        assert rates[-1] < 1e-6
        assert rates.index(max(rates)) == 2


@needs_schedule_free
def test_schedule_free_rests_while_something_is_measured() -> None:
    weight = torch.nn.Linear(2, 2)
    (optimizer,) = PARTS["schedule-free-adamw"].build(weight, {"optimizer.learning_rate": 0.1, "optimizer.weight_decay": 0.0})
    for _ in range(3):
        weight(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    training = weight.weight.detach().clone()
    with steering.at_rest([optimizer]):
        assert not torch.equal(weight.weight, training)
    assert torch.allclose(weight.weight, training, atol=1e-6)
    steering.settle([optimizer])
    settled = weight.weight.detach().clone()
    with steering.at_rest([optimizer]):
        assert torch.equal(weight.weight, settled)
    assert torch.equal(weight.weight, settled)


HELD_OUT = "{source: rows.jsonl, format: text, sequence_length: 64, validation: 0.1}"


@pytest.mark.parametrize(
    "lines",
    [
        {"scheduler": "one-cycle"},
        {"scheduler": "{use: greedy, min_lr: 1.0e-6}", "eval": "{strategy: steps, every: 2}", "data": HELD_OUT},
        {"scheduler": "reduce-on-plateau", "eval": "{strategy: epoch}", "data": HELD_OUT, "train": "{epochs: 2}"},
        {"scheduler": "dlrs", "train": "{epochs: 2}"},
        pytest.param({"optimizer": "{use: schedule-free-adamw, learning_rate: 1.0e-2}", "data": HELD_OUT}, marks=needs_schedule_free),
    ],
    ids=lambda lines: lines.get("scheduler", "schedule-free"),
)
def test_the_engine_trains_with_them(train, lines: dict[str, str]) -> None:
    heard, _, done = train(**lines)
    assert done
    numbers = heard.summary()
    assert numbers["heldout_loss_after"] < numbers["heldout_loss_before"]
    assert numbers["reload_difference"] <= 1e-3  # what was measured is what was saved


def test_dlrs_hears_the_engines_losses(train) -> None:
    heard, _, _ = train(scheduler="dlrs", train="{epochs: 3}")
    rates = [f["value"] for kind, f in heard.messages if kind == "metric" and f["name"] == "learning_rate"]
    assert len(set(rates)) == 3


def test_a_schedule_that_nobody_feeds_is_refused(make, recipe) -> None:
    made = make(recipe(scheduler="{use: greedy, min_lr: 1.0e-6}"))
    assert "part-objects" in made.slugs()
    assert "part-objects" in make(recipe(scheduler="one-cycle", optimizer="adafactor")).slugs()
