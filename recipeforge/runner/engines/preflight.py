"""What an engine cannot do with a plan, or not here. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass

from recipeforge.runner.devices import visible_gpus
from recipeforge.runner.engines import TORCHRUN
from recipeforge.runner.engines.port import port_problem
from recipeforge.runner.plan import IN_PROCESS, Plan

_SHARED = ("sft", "pretrain")
"""Objectives whose micro-batches can be dealt out."""


@dataclass(frozen=True)
class Hindrance:
    """One reason, the knob or component at whose place it is shown, and the next step."""

    slug: str
    message: str
    subject: str
    help: str


def hindrances(plan: Plan) -> Iterator[Hindrance]:
    """Yield what stands between a plan and its engine."""
    count = int(plan.values.get("hardware.count", 1))
    if plan.engine == IN_PROCESS:
        yield from _one_process(plan, count)
    elif plan.engine == TORCHRUN:
        yield from _several(plan, count)


def _one_process(plan: Plan, count: int) -> Iterator[Hindrance]:
    how = f"Add `--engine {TORCHRUN}`"
    if count > 1:
        message = f"the recipe is for {count} devices, and one process trains on one"
        yield Hindrance("several-devices", message, "hardware.count", f"{how}, which starts {count} processes, or write `count: 1`.")
    elif ways := plan.parts.get("distributed"):
        message = f"{', '.join(ways)} needs several processes, and this engine starts one"
        yield Hindrance("several-devices", message, ways[0], f"{how} and `--processes 2`, or drop `distributed`.")


def _several(plan: Plan, count: int) -> Iterator[Hindrance]:
    n = plan.processes
    if count != n:
        message = f"the recipe is for {count} {'device' if count == 1 else 'devices'}, and `--processes` asks for {n}"
        yield Hindrance("processes-disagree", message, "hardware.count", f"Leave `--processes` out, or write `count: {n}`.")
    if (objective := plan.part_in("objective")) not in _SHARED:
        message = f"{objective} trains in one process only; {', '.join(_SHARED)} can be shared"
        yield Hindrance("objective-not-shared", message, objective, f"Leave `--engine {TORCHRUN}` out.")
    if str(plan.values.get("hardware.gpu", "")).lower() != "cpu" and (gpus := visible_gpus()) and gpus < n:
        message = f"{n} processes need a GPU each, and this machine shows {gpus}"
        yield Hindrance("too-few-gpus", message, "hardware.count", f"Ask for `--processes {gpus}`, or run it where there are {n}.")
    if plan.port is not None and (why := port_problem(plan.port)):
        message = f"the processes cannot meet at port {plan.port}: {why}"
        yield Hindrance("port-taken", message, "hardware.count", "Name another with `--port`, or leave it out: a free one is taken.")
