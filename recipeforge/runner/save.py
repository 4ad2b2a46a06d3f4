"""Results and checkpoints on disk. Runs in the training process."""

import shutil
from pathlib import Path
from typing import Any

import torch

from recipeforge.runner.loading import is_adapter
from recipeforge.runner.plan import Plan


def save_result(model: Any, tokenizer: Any, plan: Plan, output: Path) -> Path:
    """Write the adapter, or the whole model, with its tokenizer; return the folder."""
    folder = output / ("adapter" if is_adapter(plan) else "model")
    _save(model, plan, folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_checkpoint(model: Any, optimizers: Any, schedulers: Any, plan: Plan, output: Path, step: int) -> Path:
    """Write weights, optimizer and schedule after `step`; the folder appears whole or not at all."""
    folder = output / f"checkpoint-{step}"
    if folder.exists():
        return folder
    unfinished = output / f"checkpoint-{step}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    _save(model, plan, unfinished)
    state = {
        "step": step,
        "optimizers": [o.state_dict() for o in optimizers],
        "schedulers": [s.state_dict() for s in schedulers],
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }
    torch.save(state, unfinished / "training_state.pt")
    unfinished.rename(folder)
    return folder


def _save(model: Any, plan: Plan, folder: Path) -> None:
    if not is_adapter(plan):
        model.save_pretrained(folder)
        return
    for config in model.peft_config.values():
        config.base_model_name_or_path = plan.model.written
    # "auto" would ask the hub for the base's configuration; embeddings that trained are saved as modules of the adapter anyway.
    model.save_pretrained(folder, save_embedding_layers=False)
