"""Scheduler parts. `build(optimizer, values, steps) -> torch LR scheduler`, stepped once an optimizer step."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from recipeforge.runner.parts.reactive import DLRS_VARIANT, Dlrs, OnHeldOut
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


def rex(optimizer: Any, values: Values, steps: int) -> Any:
    """REX (arXiv 2107.04197): with the share z of the steps behind the warm-up, the rate times (1 - z) / (1 - z / 2)."""
    from torch.optim.lr_scheduler import LambdaLR

    warmup = warmup_steps(values, steps)

    def share(step: int) -> float:
        if step < warmup:
            return step / warmup
        left = 1 - min(1.0, (step - warmup) / max(1, steps - warmup))
        return left / (0.5 + left / 2)

    return LambdaLR(optimizer, share)


def exponential(optimizer: Any, values: Values, steps: int) -> Any:
    """torch's ExponentialLR, once a step."""
    from torch.optim.lr_scheduler import ExponentialLR

    return ExponentialLR(optimizer, gamma=float(values["scheduler.gamma"]))


def step(optimizer: Any, values: Values, steps: int) -> Any:
    """torch's StepLR."""
    from torch.optim.lr_scheduler import StepLR

    return StepLR(optimizer, step_size=int(values["scheduler.step_size"]), gamma=float(values["scheduler.gamma"]))


def _has_gamma(wishes: Wishes) -> Iterable[Objection]:
    if "scheduler.gamma" not in wishes.values:
        yield Objection(wishes.parts["scheduler"][0], "it does not say by which factor the rate drops", "add `gamma`")


def _has_steps(wishes: Wishes) -> Iterable[Objection]:
    yield from _has_gamma(wishes)
    if "scheduler.step_size" not in wishes.values:
        yield Objection("step", "it does not say after how many steps the rate drops", "add `step_size`")


def one_cycle(optimizer: Any, values: Values, steps: int) -> Any:
    """torch's OneCycleLR with its own defaults: 30 % of the steps rise, momentum moves between 0.85 and 0.95 against the rate."""
    from torch.optim.lr_scheduler import OneCycleLR

    return OneCycleLR(optimizer, max_lr=[group["lr"] for group in optimizer.param_groups], total_steps=steps)


def reduce_on_plateau(optimizer: Any, values: Values, steps: int) -> OnHeldOut:
    """torch's ReduceLROnPlateau on the held-out loss: a tenth of the rate after `patience` measurements without a better one."""
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    return OnHeldOut(ReduceLROnPlateau(optimizer, patience=int(values.get("scheduler.patience", 10))))


def greedy(optimizer: Any, values: Values, steps: int) -> OnHeldOut:
    """transformers' GreedyLR on the held-out loss: 5 % up or down after `patience` measurements that were better, or were not."""
    from transformers.optimization import GreedyLR

    floor: dict[str, Any] = {"min_lr": float(values["scheduler.min_lr"])} if "scheduler.min_lr" in values else {}
    return OnHeldOut(GreedyLR(optimizer, patience=int(values.get("scheduler.patience", 10)), **floor))


def dlrs(optimizer: Any, values: Values, steps: int) -> Dlrs:
    """DLRS on the training loss, once an epoch or once a window of steps."""
    return Dlrs(optimizer, int(values["scheduler.window"]) if "scheduler.window" in values else None)


def _has_momentum(wishes: Wishes) -> Iterable[Objection]:
    if "adafactor" in wishes.parts.get("optimizer", ()):
        yield Objection("one-cycle", "it moves the optimizer's momentum, and Adafactor has none here", "use another schedule or optimizer")


def _is_measured(wishes: Wishes) -> Iterable[Objection]:
    if wishes.values.get("eval.strategy") == "none":
        subject = wishes.parts["scheduler"][0]
        yield Objection(subject, "it follows the held-out loss, and none is measured", "add `eval: {strategy: steps, every: …}`")


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


def _plain_part(component: str, does: Callable[[Values], str], build: Any, *knobs: str, objections: Any = lambda wishes: ()) -> Part:
    """A schedule that has no warm-up of ours."""
    return Part(component, "scheduler", build, does, reads("scheduler", *knobs), objections=objections)


def _dlrs_sentence(values: Values) -> str:
    often = f"{values['scheduler.window']} steps" if "scheduler.window" in values else "epoch"
    return f"DLRS ({DLRS_VARIANT}): a new rate from the training losses of each {often}"


PARTS = (
    _part("constant", "constant rate", _named("constant")),
    _part("constant-with-warmup", "constant rate after a warm-up", _named("constant")),
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
    _part("polynomial", "polynomial decay", _named("polynomial", lambda v: {"power": float(v["scheduler.power"])}), "power"),
    _part("rex", "ever faster decay to zero (REX)", rex),
    _plain_part(
        "exponential", lambda v: f"{v.get('scheduler.gamma')} times the rate after every step", exponential, "gamma", objections=_has_gamma
    ),
    _plain_part(
        "step",
        lambda v: f"{v.get('scheduler.gamma')} times the rate after every {v.get('scheduler.step_size')} steps",
        step,
        "gamma",
        "step_size",
        objections=_has_steps,
    ),
    _part("inverse-sqrt", "inverse square root decay", _named("inverse_sqrt")),
    _part(
        "wsd",
        "warm up, hold, decay",
        _named("warmup_stable_decay", _wsd),
        "stable_steps",
        "decay_steps",
        objections=_wsd_fits,
    ),
    _plain_part("one-cycle", lambda v: "one cycle up and down, momentum against it", one_cycle, objections=_has_momentum),
    _plain_part(
        "reduce-on-plateau",
        lambda v: "a tenth of the rate when the held-out loss stops falling",
        reduce_on_plateau,
        "patience",
        objections=_is_measured,
    ),
    _plain_part(
        "greedy",
        lambda v: "5 % up while the held-out loss falls, 5 % down while it does not",
        greedy,
        "patience",
        "min_lr",
        objections=_is_measured,
    ),
    _plain_part("dlrs", _dlrs_sentence, dlrs, "window"),
)
