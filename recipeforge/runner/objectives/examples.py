"""Examples of several columns, and the loss that a trainer of TRL computes of them."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from recipeforge.runner.loop import Schedule, shuffled


@dataclass(frozen=True)
class Example:
    """One row as a trainer prepared it."""

    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return sum(len(value) for name, value in self.columns.items() if name.endswith("_ids") and isinstance(value, list))

    def fingerprint(self) -> bytes:
        """Return bytes that are others for other rows."""
        return hashlib.sha256(json.dumps(self.columns, sort_keys=True, default=str).encode()).digest()


def examples_of(dataset: Any) -> list[Example]:
    """Return a prepared data set's rows without the texts that they were made of."""
    numbers = (int, float, bool)
    kept = [n for n in dataset.column_names if isinstance(dataset[0][n], numbers) or _numbers(dataset[0][n])] if len(dataset) else []
    return [Example({name: row[name] for name in kept}) for row in dataset]


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, int | float) for v in value)


class Means:
    """Weighted means of what was seen, by name."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, name: str, value: float, weight: float) -> None:
        """See a value; one that is no number is not seen."""
        if value == value and weight:
            total, whole = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = total + value * weight, whole + weight

    def taken(self) -> dict[str, float]:
        """Return the means, and begin again."""
        means = {name: total / whole for name, (total, whole) in self._sums.items()}
        self._sums.clear()
        return means


class Judged:
    """The loss of pairs, or of answers marked good or bad: a mean over rows."""

    def __init__(self, trainer: Any, device: torch.device, autocast: str | None) -> None:
        self._trainer, self._device, self._autocast = trainer, device, autocast
        self._means = Means()

    def weigh(self, lines: Sequence[Example]) -> int:
        """Every row counts the same."""
        return len(lines)

    def micro_batches(self, lines: Sequence[Example], plan: Schedule, skip: int) -> Iterator[tuple[list[Example], bool]]:
        """Yield micro-batches in the order that seed and epoch decide."""
        return shuffled(lines, plan, skip)

    def noticed(self) -> dict[str, float]:
        """Return how far good answers stand above bad ones."""
        means = self._means.taken()
        if "reward_chosen" in means and "reward_rejected" in means:
            means["reward_margin"] = means["reward_chosen"] - means["reward_rejected"]
        return means

    def casting(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        return torch.autocast(self._device.type, dtype=getattr(torch, self._autocast)) if self._autocast else nullcontext()

    def loss_sum(self, model: Any, lines: Sequence[Example]) -> torch.Tensor:
        """Return the trainer's loss times the rows."""
        batch = self._trainer.data_collator(_with_others_answers([dict(line.columns) for line in lines]))
        batch = {name: value.to(self._device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}
        with self.casting():
            loss = self._trainer.compute_loss(model, batch)
        self._see(lines)
        return loss * len(lines)

    def of(self, model: Any) -> "Judged":
        """Let the trainer hold another model, such as one loaded again."""
        self._trainer.model = self._trainer.model_wrapped = model
        return self

    def _see(self, lines: Sequence[Example]) -> None:
        seen = getattr(self._trainer, "_metrics", None) or self._trainer._stored_metrics
        last = {name: values[-1] for found in seen.values() for name, values in found.items() if values}
        for found in seen.values():
            found.clear()
        good = sum(bool(line.columns.get("label", True)) for line in lines)
        paired = "label" not in lines[0].columns
        for theirs, ours, weight in (
            ("rewards/accuracies", "reward_accuracy", len(lines)),
            ("accuracy", "reward_accuracy", len(lines)),
            ("margin", "reward_margin", len(lines)),
            ("rewards/chosen", "reward_chosen", len(lines) if paired else good),
            ("rewards/rejected", "reward_rejected", len(lines) if paired else len(lines) - good),
        ):
            if theirs in last:
                self._means.add(ours, float(last[theirs]), weight)


def _with_others_answers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put beside each prompt the answer to the one before, of the same batch: KTO measures its drift on such pairs."""
    if "KL_completion_ids" in rows[0]:
        for row, before in zip(rows, [rows[-1], *rows[:-1]], strict=True):
            row["KL_completion_ids"] = before["completion_ids"]
    return rows
