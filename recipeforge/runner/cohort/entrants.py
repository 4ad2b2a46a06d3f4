"""Who takes part: one entry a scheduler, each built from the engine's own parts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from recipeforge.runner.cohort.setting import Setting
from recipeforge.runner.parts.reactive import DLRS_VARIANT
from recipeforge.schemas.recipe import Scalar

WARMUP_RATIO = 1 / 16
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Entrant:
    """One scheduler with everything that it is given."""

    name: str
    component: str
    """The catalog's component that its result speaks about."""
    scheduler: str
    """The engine's part that moves the rate."""
    knobs: Callable[[Setting, float], Mapping[str, Scalar]]
    """Scheduler knobs for a setting and a peak rate."""
    optimizer: str = "adamw"
    note: str = ""
    """What a reader has to know about it; a sentence."""

    def values(self, setting: Setting, rate: float) -> dict[str, Scalar]:
        """Return the values of all knobs that its parts read."""
        own = {f"scheduler.{name}": value for name, value in self.knobs(setting, rate).items()}
        return {"optimizer.learning_rate": rate, "optimizer.weight_decay": WEIGHT_DECAY, **own}

    def recipe(self, setting: Setting, rate: float) -> dict[str, Any]:
        """Return the run as a recipe would write it."""
        recipe: dict[str, Any] = {
            "technique": "full",
            "optimizer": {"use": self.optimizer, "learning_rate": rate, "weight_decay": WEIGHT_DECAY},
            "scheduler": {"use": self.scheduler, **self.knobs(setting, rate)},
            "precision": "bf16",
            "batch": {"micro": setting.batch},
            "train": {"steps": setting.steps, "gradient_clip": 1.0},
        }
        if self.follows_held_out:
            recipe["eval"] = {"strategy": "steps", "every": setting.watch_every}
        return recipe

    @property
    def follows_held_out(self) -> bool:
        """Whether it wants to be told a held-out loss while training."""
        return self.scheduler in ("greedy", "reduce-on-plateau")


class Registry:
    """Entrants by name."""

    def __init__(self) -> None:
        self._entrants: dict[str, Entrant] = {}

    def add(self, entrant: Entrant) -> Entrant:
        """Register an entrant.

        Raises:
            ValueError: its name, or its catalog component, already takes part.
        """
        for known in self._entrants.values():
            if entrant.name == known.name or entrant.component == known.component:
                raise ValueError(f"`{entrant.name}` takes part twice (component {entrant.component}); remove one of the two entries")
        self._entrants[entrant.name] = entrant
        return entrant

    def __getitem__(self, name: str) -> Entrant:
        return self._entrants[name]

    def __contains__(self, name: str) -> bool:
        return name in self._entrants

    def __iter__(self) -> Iterator[Entrant]:
        return iter(self._entrants.values())

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the table of contents."""
        return tuple(self._entrants)


def _warm(**more: Scalar) -> Callable[[Setting, float], Mapping[str, Scalar]]:
    return lambda setting, rate: {"warmup_ratio": WARMUP_RATIO, **more}


def _wsd(setting: Setting, rate: float) -> Mapping[str, Scalar]:
    return {"warmup_ratio": WARMUP_RATIO, "decay_steps": max(1, setting.steps // 5)}


def _nothing(setting: Setting, rate: float) -> Mapping[str, Scalar]:
    return {}


def _greedy(setting: Setting, rate: float) -> Mapping[str, Scalar]:
    return {"patience": 1, "min_lr": rate / 100}


def _dlrs(setting: Setting, rate: float) -> Mapping[str, Scalar]:
    return {"window": max(2, setting.steps // 8)}


ENTRANTS = Registry()
for _entrant in (
    Entrant("constant", "constant", "constant", _warm()),
    Entrant("linear", "linear", "linear", _warm()),
    Entrant("cosine", "cosine", "cosine", _warm()),
    Entrant("cosine-min-lr", "cosine-min-lr", "cosine-min-lr", _warm(min_lr_ratio=0.1), note="Its floor is a tenth of the peak."),
    Entrant(
        "polynomial",
        "polynomial",
        "polynomial",
        _warm(),
        note="transformers' default power is 1, so its curve is that of linear down to 1e-7: the two rows show how well a run repeats.",
    ),
    Entrant("inverse-sqrt", "inverse-sqrt", "inverse-sqrt", _warm(), note="Its time scale is the length of the warm-up."),
    Entrant("wsd", "wsd", "wsd", _wsd, note="The last fifth of the steps decays."),
    Entrant("one-cycle", "one-cycle", "one-cycle", _nothing, note="torch's defaults: 30 % of the steps rise, and beta1 moves."),
    Entrant(
        "greedy",
        "greedy",
        "greedy",
        _greedy,
        note="Patience 1 instead of 10 and a floor of a hundredth of the start: with transformers' defaults the rate would hardly move "
        "here. No warm-up.",
    ),
    Entrant(
        "dlrs",
        "dlrs",
        "dlrs",
        _dlrs,
        note=f"The variant of {DLRS_VARIANT} with its constants; a window of an eighth of the steps stands in for the epoch; no warm-up. "
        "Says nothing about other implementations, which disagree.",
    ),
    Entrant(
        "schedule-free",
        "schedule-free-adamw",
        "constant",
        _warm(),
        optimizer="schedule-free-adamw",
        note="Another optimizer in place of a schedule, measured at its averaged weights.",
    ),
    Entrant("cosine-restarts", "cosine-restarts", "cosine-restarts", _warm(cycles=2), note="Two cycles."),
    Entrant(
        "reduce-on-plateau",
        "reduce-on-plateau",
        "reduce-on-plateau",
        lambda setting, rate: {"patience": 1},
        note="Patience 1 instead of torch's 10; no warm-up.",
    ),
):
    ENTRANTS.add(_entrant)
