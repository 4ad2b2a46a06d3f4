"""Averaging parts. `build(model, values, steps) -> Average`, which steps after the optimizers and is measured and saved in their place."""

from collections import deque
from typing import Any

from recipeforge.runner.parts.registry import Part, Values, reads

SWA_BEGINS = 0.75
"""The share of a run after which SWA collects weights, as its authors do it."""


class Average:
    """A mean of the trained weights. It listens to the training loop as an optimizer does (see `steering`)."""

    def __init__(self, model: Any, every: int, since: int = 0) -> None:
        self._weights = [p for p in model.parameters() if p.requires_grad]
        self._every, self._since = every, since
        self._steps = self._entries = 0
        self._mean: list[Any] = []
        self._trained: list[Any] | None = None
        self.param_groups: list[dict[str, Any]] = [{"params": [], "train_mode": True}]

    def step(self) -> None:
        """Take the weights of a finished step in, where it is time to."""
        self._steps += 1
        if self._steps > self._since and self._steps % self._every == 0:
            self._entries += 1
            self.enter([p.detach().float() for p in self._weights])

    def enter(self, weights: list[Any]) -> None:
        """Take weights into the mean: here, the plain mean of all so far."""
        self._move(weights, 1 / self._entries)

    def _move(self, weights: list[Any], share: float) -> None:
        if not self._mean:
            self._mean = [w.clone() for w in weights]
        else:
            for mean, weight in zip(self._mean, weights, strict=True):
                mean.lerp_(weight, share)

    def zero_grad(self) -> None:
        """Nothing: gradients are the optimizers'."""

    def eval(self) -> None:
        """Put the mean into the model."""
        if self._mean and self._trained is None:
            self._trained = [p.detach().clone() for p in self._weights]
            self._put(self._mean)
        self.param_groups[0]["train_mode"] = False

    def train(self) -> None:
        """Put the weights in training back."""
        if self._trained is not None:
            self._put(self._trained)
            self._trained = None
        self.param_groups[0]["train_mode"] = True

    def _put(self, weights: list[Any]) -> None:
        for parameter, weight in zip(self._weights, weights, strict=True):
            parameter.data.copy_(weight)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"steps": self._steps, "entries": self._entries, "mean": self._mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._steps, self._entries = state["steps"], state["entries"]
        self._mean = [m.to(p.device, copy=True) for m, p in zip(state["mean"], self._weights, strict=False)]


class Ema(Average):
    """A running mean: each new entry moves it by one minus the decay."""

    def __init__(self, model: Any, every: int, decay: float) -> None:
        super().__init__(model, every)
        self._decay = decay

    def enter(self, weights: list[Any]) -> None:
        """Move the mean; the first entry is its start."""
        self._move(weights, 1 - self._decay)


class Lawa(Average):
    """The mean of the latest weights."""

    def __init__(self, model: Any, every: int, window: int) -> None:
        super().__init__(model, every)
        self._latest: deque[list[Any]] = deque(maxlen=window)

    def enter(self, weights: list[Any]) -> None:
        """Take the newest in and let the oldest go."""
        self._latest.append([w.clone() for w in weights])
        self._mean = [sum(entries[1:], entries[0].clone()) / len(entries) for entries in zip(*self._latest, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return super().state_dict() | {"latest": list(self._latest)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        super().load_state_dict(state)
        self._latest.extend([w.to(p.device, copy=True) for w, p in zip(entry, self._weights, strict=True)] for entry in state["latest"])


class Still:
    """The schedule of an average: it has no rate."""

    def step(self) -> None:
        """Nothing moves."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing to keep."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to go on with."""


def ema(model: Any, values: Values, steps: int) -> Average:
    """An exponential moving average."""
    return Ema(model, int(values["averaging.every"]), float(values["averaging.decay"]))


def swa(model: Any, values: Values, steps: int) -> Average:
    """The plain mean of the last quarter of a run."""
    return Average(model, int(values["averaging.every"]), int(steps * SWA_BEGINS))


def lawa(model: Any, values: Values, steps: int) -> Average:
    """The mean of the latest weights."""
    return Lawa(model, int(values["averaging.every"]), int(values["averaging.window"]))


def _every(v: Values) -> str:
    return "step" if int(v["averaging.every"]) == 1 else f"{v['averaging.every']} steps"


PARTS = (
    Part(
        "ema",
        "averaging",
        build=ema,
        does=lambda v: f"a running mean of the weights, decay {float(v['averaging.decay']):g} a {_every(v)}, is measured and saved",
        reads=reads("averaging", "decay", "every"),
    ),
    Part(
        "swa",
        "averaging",
        build=swa,
        does=lambda v: f"the mean of the weights after every {_every(v)} of the last quarter is measured and saved",
        reads=reads("averaging", "every"),
    ),
    Part(
        "lawa",
        "averaging",
        build=lawa,
        does=lambda v: f"the mean of the weights after the latest {v['averaging.window']} times {_every(v)} is measured and saved",
        reads=reads("averaging", "every", "window"),
    ),
)
