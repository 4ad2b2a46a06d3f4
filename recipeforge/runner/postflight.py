"""Post-flight: did the run do what its recipe says, and does what was saved say what the trained model said? In the training process."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recipeforge.runner import checkpoints
from recipeforge.runner.loading import Head, class_for, formats_of, is_adapter, load_base
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.technique import restore_adapter
from recipeforge.runner.plan import Plan
from recipeforge.runner.state import State
from recipeforge.schemas.errors import RunError

_ENOUGH = 8
"""Training losses from which on a trend is one."""
TOLERANCE = 1e-3
"""Nats a token by which the two losses may differ: rounding, no more."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at when the training was over."""

    name: str
    good: bool
    said: str


def of_settings(plan: Plan, model: Any) -> Iterator[Check]:
    """Yield whether libraries took the settings that they were given: some fall back to others and say nothing."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    asked, used = PARTS[plan.part_in("attention")].build(), getattr(base.config, "_attn_implementation", None)
    if used is not None:
        yield Check("attention", used == asked, f"attention `{used}` was used" + ("" if used == asked else f", and `{asked}` asked for"))
    wanted = getattr(torch, formats_of(plan).trained)
    other = [(n, p.dtype) for n, p in model.named_parameters() if p.requires_grad and p.is_floating_point() and p.dtype != wanted]
    told = (
        f"weights train in {wanted}"
        if not other
        else f"{len(other)} weights train in another format than {wanted}: {other[0][0]} in {other[0][1]}"
    )
    yield Check("precision", not other, told.replace("torch.", ""))
    if "gradient-checkpointing" in plan.parts.get("memory", ()):
        on = any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
        yield Check("checkpointing", on, f"activations {'were' if on else 'were not'} recomputed")
    if quantization := plan.parts.get("quantization"):
        kinds = [type(module).__name__ for module in model.modules()]
        small = sum("Linear4bit" in kind or "Linear8bit" in kind or "Quant" in kind for kind in kinds)
        yield Check("quantization", small > 0, f"{small} layers are stored as {quantization[0]} says")


def of_losses(losses: Sequence[float], summary: Mapping[str, float]) -> Iterator[Check]:
    """Yield whether something was learnt; `losses` are the training losses of the last steps."""
    yield Check("finite", all(math.isfinite(loss) for loss in losses), "every loss was a number")
    before, after = summary.get("heldout_loss_before"), summary.get("heldout_loss_after")
    if before is not None and after is not None:
        yield Check(
            "learnt", after < before, f"the held-out loss {'fell' if after < before else 'did not fall'}: {before:.4f} to {after:.4f}"
        )
    elif "heldout_reward_before" in summary and "heldout_reward_after" in summary:
        first, last = summary["heldout_reward_before"], summary["heldout_reward_after"]
        yield Check("learnt", last > first, f"the held-out reward {'rose' if last > first else 'did not rise'}: {first:.4f} to {last:.4f}")
    elif len(losses) >= _ENOUGH:
        part = len(losses) // 4
        first, last = sum(losses[:part]) / part, sum(losses[-part:]) / part
        yield Check("learnt", last < first, f"the training loss {'fell' if last < first else 'did not fall'}: {first:.4f} to {last:.4f}")


def of_files(result: Path, output: Path) -> Iterator[Check]:
    """Yield how large the result is, and whether training could go on from the newest checkpoint."""
    size = size_of(result)
    yield Check("size", size > 0, f"the result takes {size / 2**20:.1f} MiB")
    for folder in checkpoints.found(output)[:1]:
        broken = checkpoints.check(folder).broken
        try:
            step = State.load(folder).progress.step if not broken else 0
        except Exception as error:  # whatever reading it raises, it cannot be gone on from
            broken, step = f"{type(error).__name__}: {error}", 0
        yield Check(
            "resumable", not broken, f"{folder.name} is {f'whole, and of step {step}' if not broken else f'not to be used: {broken}'}"
        )


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def reload(plan: Plan, folder: Path, device: torch.device, head: Head | None = None) -> Any:
    """Return the saved result as someone else would load it."""
    if is_adapter(plan):
        return restore_adapter(load_base(plan, device, head=head), folder, formats_of(plan))
    dtype = getattr(torch, formats_of(plan).trained)
    attention = PARTS[plan.part_in("attention")].build()
    model: Any = class_for(head).from_pretrained(folder, dtype=dtype, attn_implementation=attention)
    return model.to(device)


def check_reloaded(
    plan: Plan, folder: Path, device: torch.device, in_memory: float, measure: Callable[[Any], float], head: Head | None = None
) -> float:
    """Return the loss of the reloaded result.

    Raises:
        RunError: it is not the loss of the model in memory.
    """
    reloaded = measure(reload(plan, folder, device, head))
    if abs(reloaded - in_memory) > TOLERANCE:
        raise RunError(
            f"the saved result is not what was trained: loss {in_memory:.4f} in memory, {reloaded:.4f} loaded again from {folder}"
        )
    return reloaded
