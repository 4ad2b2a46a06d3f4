"""How a run ended that did not end well: the cause in a word, and in a sentence with place and next step. Runs in the training process."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from recipeforge.runner.checkpoints import DiskFullError, full
from recipeforge.runner.rows import DataError
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.run import Cause

_NO_MEMORY = (
    # The driver and cuBLAS take memory past torch's allocator, and say in their own words when there is none.
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "Cannot allocate memory",
    "std::bad_alloc",
)
_RISE = 1.5
"""How many times the least loss of the last steps a loss is, to say that it rose."""


class NotFiniteError(RunError):
    """A loss or a gradient is no number any more."""


def told(error: Exception, doing: str, device: str) -> tuple[Cause, str]:
    """Return the cause and the message of whatever ended a run while it was `doing` something."""
    match error:
        case DiskFullError():
            return "disk-full", str(error)
        case NotFiniteError():
            return "not-finite", str(error)
        case DataError():
            return "data", str(error)
        case RunError():
            return "", str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        where = (
            f"on the GPU{_others()}"
            if device == "cuda" or isinstance(error, torch.OutOfMemoryError) or "CU" in str(error)
            else "in main memory"
        )
        return "out-of-memory", f"out of memory {where}, while {doing}; `recipeforge solve --minimize memory` proposes what to change"
    if said := full(error):
        return "disk-full", f"{said}, while {doing}: {error}; make room, or name another disk in `train.output`"
    return "", f"while {doing}: {type(error).__name__}: {error}".splitlines()[0]


def _others() -> str:
    """Say how much of the GPU other processes hold, where that is much."""
    from recipeforge.runner.devices import visible_gpu

    gpu = visible_gpu() if torch.cuda.is_available() else None
    if gpu is None or gpu.memory_gib is None or gpu.free_gib is None:
        return ""
    held = gpu.memory_gib - gpu.free_gib - torch.cuda.memory_reserved() / 2**30
    return f", of whose {gpu.memory_gib:.1f} GiB other processes hold about {held:.1f}" if held > 0.1 * gpu.memory_gib else ""


def not_finite(model: Any, step: int, losses: Sequence[float], loss: float, norm: float, rate: float, clip: float) -> NotFiniteError:
    """Return why a step gave no number, as far as it shows: the likeliest causes first. `losses` are those of the steps before."""
    what = f"loss became {loss}" if not math.isfinite(loss) else f"gradient norm became {norm}"
    broken = next((name for name, p in model.named_parameters() if p.is_floating_point() and not torch.isfinite(p).all()), None)
    if broken is not None:
        when = "as it was loaded" if step == 1 else f"after step {step - 1}"
        return NotFiniteError(
            f"the {what} at step {step}: the weight {broken} holds numbers that are none, {when}; " + _advice(rate, clip, step == 1)
        )
    grows = len(losses) > 1 and losses[-1] > _RISE * min(losses)
    seen = f"; the loss rose from {min(losses):.3g} to {losses[-1]:.3g} in the steps before" if grows else ""
    if math.isfinite(loss):
        seen += f"; the loss itself still was {loss:.4g}, so it is the backward pass that overflowed"
    first = step == 1 and not grows
    return NotFiniteError(f"the {what} at step {step}, at learning rate {rate:.3g}{seen}; " + _advice(rate, clip, first))


def _advice(rate: float, clip: float, first: bool) -> str:
    if first:
        return "no weight had changed yet: check the model's files, the data, and `precision` (fp16 ends at 65,504)"
    clipping = "" if clip else ", set `train: {gradient_clip: 1.0}`"
    return f"lower the learning rate (to {rate / 10:.3g}, say){clipping}, warm up longer, or check the data and `precision`"
