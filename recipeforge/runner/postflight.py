"""Post-flight: what was saved, put on a fresh base, must say what the trained model said. Runs in the training process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from recipeforge.runner.loading import formats_of, is_adapter, load_base
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.technique import restore_adapter
from recipeforge.runner.plan import Plan
from recipeforge.schemas.errors import RunError

TOLERANCE = 1e-3
"""Nats a token by which the two losses may differ: rounding, no more."""


def reload(plan: Plan, folder: Path, device: torch.device) -> Any:
    """Return the saved result as someone else would load it."""
    if is_adapter(plan):
        return restore_adapter(load_base(plan, device), folder, formats_of(plan))
    dtype = getattr(torch, formats_of(plan).trained)
    attention = PARTS[plan.part_in("attention")].build()
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=attention)
    return model.to(device)


def check_reloaded(plan: Plan, folder: Path, device: torch.device, in_memory: float, measure: Callable[[Any], float]) -> float:
    """Return the loss of the reloaded result.

    Raises:
        RunError: it is not the loss of the model in memory.
    """
    reloaded = measure(reload(plan, folder, device))
    if abs(reloaded - in_memory) > TOLERANCE:
        raise RunError(
            f"the saved result is not what was trained: loss {in_memory:.4f} in memory, {reloaded:.4f} loaded again from {folder}"
        )
    return reloaded
