"""Schedules that move by what the run tells them, not by the number of the step. Each has `step()`, which does nothing."""

import math
from typing import Any

DLRS_VARIANT = "pytorch-dlrs 0.2.1"
"""Implementations of DLRS disagree; this is the one whose three cases and constants stand below."""
_DIVERGING, _STAGNANT, _CONVERGING = 0.5, 1.0, 0.1
_LOWEST_RATE = 1e-8


class OnHeldOut:
    """Moves when a held-out loss arrives: torch's reduce-on-plateau and transformers' GreedyLR."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def step(self) -> None:
        """A step of the optimizer changes nothing."""

    def after_held_out(self, loss: float) -> None:
        """Judge whether the loss still falls."""
        self._inner.step(loss)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {name: value for name, value in vars(self._inner).items() if name != "optimizer"}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        vars(self._inner).update(state)


class Dlrs:
    """The dynamic learning rate schedule of arXiv 2507.21749, in the variant `DLRS_VARIANT`.

    After each epoch, or each `window` of steps, with the slope s = (last loss - first loss) / mean loss and n = floor(log10(rate)):
    rate - 10^n · d · s, where d is 0.5 for s > 1, 1 for 0 <= s <= 1 and 0.1 for s < 0; never below 1e-8.
    """

    def __init__(self, optimizer: Any, window: int | None = None) -> None:
        self._optimizer = optimizer
        self._window = window
        self._losses: list[float] = []

    def step(self) -> None:
        """A step of the optimizer changes nothing."""

    def after_step(self, loss: float, ends_epoch: bool) -> None:
        """Collect the loss; at the end of an epoch or window, set the next rate."""
        self._losses.append(loss)
        if ends_epoch if self._window is None else len(self._losses) == self._window:
            self._move()
            self._losses = []

    def _move(self) -> None:
        mean = sum(self._losses) / len(self._losses)
        if len(self._losses) < 2 or abs(mean) < 1e-10:
            return
        slope = (self._losses[-1] - self._losses[0]) / mean
        share = _DIVERGING if slope > 1 else _STAGNANT if slope >= 0 else _CONVERGING
        for group in self._optimizer.param_groups:
            unit = 10.0 ** math.floor(math.log10(group["lr"]))
            group["lr"] = max(group["lr"] - unit * share * slope, _LOWEST_RATE)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"window": self._window, "losses": list(self._losses)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._window, self._losses = state["window"], list(state["losses"])
