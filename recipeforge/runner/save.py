"""Results and checkpoints on disk. Runs in the training process."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipeforge.runner import checkpoints, steering
from recipeforge.runner.checkpoints import Why
from recipeforge.runner.engines.ranks import ALONE, Ranks, Whole
from recipeforge.runner.loading import is_adapter
from recipeforge.runner.plan import Plan
from recipeforge.runner.state import Draws, Progress, State, put_back, training_weights

NOW_AND_THEN_S = 600.0
"""Seconds of training between checkpoints where the recipe names no interval: what a crash may cost at most."""
_SHARE = 50
"""Such a checkpoint is not worth more than one part in so many of the time."""
_KEPT = 2


def save_result(model: Any, tokenizer: Any, plan: Plan, output: Path, whole: Whole | None = None) -> Path:
    """Write the adapter, or the whole model, with its tokenizer; return the folder, which appears whole or not at all.

    `whole`: the weights, where the model here holds only a part of each.
    """
    folder = output / ("adapter" if is_adapter(plan) else "model")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with checkpoints.keeping_room(unfinished, f"the {folder.name}"):
        _save(model, plan, unfinished, whole)
        tokenizer.save_pretrained(unfinished)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was ended before it was checked
    unfinished.rename(folder)
    return folder


class Saver:
    """Writes checkpoints when they are due."""

    def __init__(self, plan: Plan, output: Path, marks: dict[str, str], ranks: Ranks = ALONE) -> None:
        self._plan, self._output, self._marks, self._ranks = plan, output, marks, ranks
        self._every = int(plan.values["train.save_every"]) if "train.save_every" in plan.values else None
        self._last = time.monotonic()
        self._took = 0.0
        self.written = 0
        """The step of the last checkpoint."""

    def due(self, step: int, total: int) -> Why | None:
        """Return why there should be a checkpoint of this step."""
        if self._every:
            return "asked" if step % self._every == 0 else None
        waited = time.monotonic() - self._last
        return "now and then" if step < total and waited > max(NOW_AND_THEN_S, _SHARE * self._took) else None

    def write(self, model: Any, optimizers: Sequence[Any], schedulers: Sequence[Any], progress: Progress, why: Why) -> Path:
        """Write everything from which training can go on; return the folder.

        Where an optimizer averages, the checkpoint's model has the averaged weights, and the ones in training lie beside it.
        """
        began = time.monotonic()
        draws = Draws.now()
        everyone = self._ranks.every(draws)
        whole = self._ranks.gathered(model, optimizers, everything=not is_adapter(self._plan))
        if self._ranks.rank:
            self._last, self.written = time.monotonic(), progress.step
            return self._output / f"checkpoint-{progress.step}"
        averaging = steering.are_averaging(optimizers)
        weights = None
        if averaging or is_adapter(self._plan):
            weights = whole.weights if whole else training_weights(model)

        def fill(folder: Path) -> None:
            with steering.at_rest(optimizers):
                _save(model, self._plan, folder, whole)
            if averaging and weights is not None:
                put_back(model, weights)  # to the last bit, which averaging there and back is not
            # Afterwards: an optimizer that averages remembers whether it is at rest.
            own, schedules = [[thing.state_dict() for thing in things] for things in (() if whole else optimizers, schedulers)]
            State(progress, draws, whole.optimizers if whole else own, schedules, weights, self._marks, everyone[1:]).save(folder)

        folder = checkpoints.write(self._output, progress.step, why, fill)
        draws.again()
        checkpoints.thin_out(self._output, _KEPT)
        self._last, self.written = time.monotonic(), progress.step
        self._took = self._last - began
        return folder


def _save(model: Any, plan: Plan, folder: Path, whole: Whole | None) -> None:
    given = {"state_dict": whole.weights} if whole else {}
    if not is_adapter(plan):
        model.save_pretrained(folder, **given)
        return
    for config in model.peft_config.values():
        config.base_model_name_or_path = plan.model.written
    # "auto" would ask the hub for the base's configuration; embeddings that trained are saved as modules of the adapter anyway.
    model.save_pretrained(folder, save_embedding_layers=False, **given)
