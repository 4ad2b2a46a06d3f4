"""Scheduler parts. `build(optimizer, values, steps) -> torch LR scheduler`, stepped once an optimizer step."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from recipeforge.runner.parts.registry import Objection, Part, Values, Wishes, reads


def warmup_steps(values: Values, steps: int) -> int:
    """Warm-up in steps, from whichever of the two knobs the recipe sets."""
    if "scheduler.warmup_steps" in values:
        return int(values["scheduler.warmup_steps"])
    return math.ceil(float(values.get("scheduler.warmup_ratio", 0.0)) * steps)


def _named(name: str, more: Callable[[Values], dict[str, Any]] = lambda v: {}):
    def build(optimizer: Any, values: Values, steps: int) -> Any:
        from transformers import get_scheduler

        warmup = warmup_steps(values, steps)
        kind = "constant_with_warmup" if name == "constant" and warmup else name
        return get_scheduler(kind, optimizer, num_warmup_steps=warmup, num_training_steps=steps, scheduler_specific_kwargs=more(values))

    return build


def _one_warmup(wishes: Wishes) -> Iterable[Objection]:
    if {"scheduler.warmup_ratio", "scheduler.warmup_steps"} <= wishes.given:
        yield Objection(
            "scheduler.warmup_ratio", "warm-up is given twice, as a ratio and in steps", "keep one of `warmup_ratio` and `warmup_steps`"
        )


def _one_floor(wishes: Wishes) -> Iterable[Objection]:
    yield from _one_warmup(wishes)
    floors = {"scheduler.min_lr", "scheduler.min_lr_ratio"} & wishes.given
    if len(floors) != 1:
        yield Objection(
            "cosine-min-lr", f"{'two floors are' if floors else 'no floor is'} given", "give one of `min_lr` and `min_lr_ratio`"
        )


def _wsd_fits(wishes: Wishes) -> Iterable[Objection]:
    yield from _one_warmup(wishes)
    values = wishes.values
    if "scheduler.decay_steps" not in values:
        yield Objection("wsd", "warmup-stable-decay does not say how long it decays", "add `decay_steps`")
    elif "scheduler.stable_steps" in values and "train.steps" in values:
        total = int(values["train.steps"])
        phases = warmup_steps(values, total) + int(values["scheduler.stable_steps"]) + int(values["scheduler.decay_steps"])
        if phases != total:
            yield Objection("wsd", f"its phases take {phases} steps and the run {total}", "make the phases add up, or drop `stable_steps`")


def _floor(values: Values) -> dict[str, Any]:
    if "scheduler.min_lr" in values:
        return {"min_lr": float(values["scheduler.min_lr"])}
    return {"min_lr_rate": float(values["scheduler.min_lr_ratio"])}


def _wsd(values: Values) -> dict[str, Any]:
    phases = {"num_decay_steps": int(values["scheduler.decay_steps"])}
    if "scheduler.stable_steps" in values:
        phases["num_stable_steps"] = int(values["scheduler.stable_steps"])
    return phases


def _sentence(shape: str):
    def does(v: Values) -> str:
        if "scheduler.warmup_steps" in v:
            return f"{shape}, {v['scheduler.warmup_steps']} steps of warm-up"
        ratio = float(v.get("scheduler.warmup_ratio", 0.0))
        return f"{shape}, {ratio:.0%} of the steps warm up" if ratio else f"{shape}, no warm-up"

    return does


def _part(component: str, shape: str, build: Any, *knobs: str, objections: Any = _one_warmup) -> Part:
    honoured = reads("scheduler", "warmup_ratio", "warmup_steps", *knobs)
    return Part(component, "scheduler", build, _sentence(shape), honoured, objections=objections)


PARTS = (
    _part("constant", "constant rate", _named("constant")),
    _part("linear", "linear decay to zero", _named("linear")),
    _part("cosine", "cosine decay to zero", _named("cosine")),
    _part(
        "cosine-restarts",
        "cosine with hard restarts",
        _named("cosine_with_restarts", lambda v: {"num_cycles": int(v["scheduler.cycles"])}),
        "cycles",
    ),
    _part(
        "cosine-min-lr", "cosine decay to a floor", _named("cosine_with_min_lr", _floor), "min_lr", "min_lr_ratio", objections=_one_floor
    ),
    _part("polynomial", "polynomial decay", _named("polynomial")),
    _part("inverse-sqrt", "inverse square root decay", _named("inverse_sqrt")),
    _part(
        "wsd",
        "warm up, hold, decay",
        _named("warmup_stable_decay", _wsd),
        "stable_steps",
        "decay_steps",
        objections=_wsd_fits,
    ),
)
