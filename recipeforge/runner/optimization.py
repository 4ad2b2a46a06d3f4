"""What makes the steps of a run: optimizers, rates of their own, schedules, and a mean of the weights. Imports no torch."""

from typing import Any

from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.averaging import Still
from recipeforge.runner.plan import Plan


def optimization(plan: Plan, model: Any, steps: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return optimizers and schedules, one for each; a mean of the weights comes last."""
    v = plan.values
    optimizers = PARTS[plan.part_in("optimizer")].build(model, v)
    for groups in plan.parts.get("lr_groups", ()):
        PARTS[groups].build(model, v, optimizers)
    schedule = PARTS[plan.part_in("scheduler")].build
    schedulers = tuple(schedule(optimizer, v, steps) for optimizer in optimizers)
    for average in plan.parts.get("averaging", ()):
        optimizers, schedulers = (*optimizers, PARTS[average].build(model, v, steps)), (*schedulers, Still())
    return optimizers, schedulers
