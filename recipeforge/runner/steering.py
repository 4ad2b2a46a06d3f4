"""What optimizers and schedules hear from a training loop, besides `step()`. Whoever does not listen is left alone.

An optimizer may have `train()` and `eval()` (schedule-free keeps two sets of weights). A schedule may have
`after_step(loss, ends_epoch)` and `after_held_out(loss)` (see `parts/reactive.py`).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


def after_step(schedulers: Iterable[Any], loss: float, ends_epoch: bool) -> None:
    """Tell the schedules the training loss of a finished step."""
    for scheduler in schedulers:
        if hasattr(scheduler, "after_step"):
            scheduler.after_step(loss, ends_epoch)


def after_held_out(schedulers: Iterable[Any], loss: float) -> None:
    """Tell the schedules a held-out loss that was measured while training."""
    for scheduler in schedulers:
        if hasattr(scheduler, "after_held_out"):
            scheduler.after_held_out(loss)


def are_averaging(optimizers: Iterable[Any]) -> bool:
    """Return whether the weights in the model are others than those that count."""
    return bool(_in_training(optimizers))


def settle(optimizers: Iterable[Any]) -> None:
    """Put the weights that count into the model: training is over."""
    for optimizer in _in_training(optimizers):
        optimizer.eval()


@contextmanager
def at_rest(optimizers: Iterable[Any]) -> Iterator[None]:
    """Put the weights that count into the model while something is measured or saved, then go back to those that train."""
    moved = _in_training(optimizers)
    for optimizer in moved:
        optimizer.eval()
    try:
        yield
    finally:
        for optimizer in moved:
            optimizer.train()


def _in_training(optimizers: Iterable[Any]) -> list[Any]:
    return [o for o in optimizers if hasattr(o, "eval") and any(group.get("train_mode") for group in o.param_groups)]
