"""Texts and their classes: cross-entropy over the scores of a head."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch.nn import functional

from recipeforge.runner.batches import Tokenised, Tokens
from recipeforge.runner.loading import Head, formats_of
from recipeforge.runner.loop import Schedule, shuffled
from recipeforge.runner.objectives.examples import Means
from recipeforge.runner.objectives.objective import Data, split
from recipeforge.runner.plan import Plan
from recipeforge.runner.rows import DataError, Row


@dataclass(frozen=True)
class Labelled:
    """One text as the model sees it, and the number of its class."""

    ids: tuple[int, ...]
    label: int

    def __len__(self) -> int:
        return len(self.ids)

    def fingerprint(self) -> bytes:
        """Return bytes that are others for other rows."""
        return numpy.asarray([*self.ids, -1, self.label], dtype=numpy.int64).tobytes()


class Classification:
    """A head on the model learns to name the class of a text; classes are numbered in alphabetical order."""

    def read(self, plan: Plan, rows: Sequence[Row], tokenizer: Any, few: int | None) -> tuple[Data, Tokenised]:
        """Tokenise, with the special tokens that the model knows, and number the classes.

        Raises:
            DataError: there is only one class.
        """
        labels = tuple(sorted({row.record["label"] for row in rows}))
        if len(labels) < 2:
            raise DataError(f"all {len(rows)} rows are of one class, {labels[0]}" if labels else "there are no rows")
        number = {label: index for index, label in enumerate(labels)}
        length = int(plan.values["data.sequence_length"])
        whole = [list(tokenizer(row.record["text"])["input_ids"]) for row in rows]
        cut = [tokenizer(row.record["text"], truncation=True, max_length=length)["input_ids"] for row in rows]
        found = [Labelled(tuple(ids), number[row.record["label"]]) for ids, row in zip(cut, rows, strict=True) if ids]
        kept, apart = split(found, plan, few)
        said = f"{len(kept)} texts of {len(labels)} classes to train on, {len(apart)} held out"
        tokens = tuple(Tokens(text.ids, text.ids) for text in found)
        longest = max(map(len, whole), default=0)
        shown = Tokenised(tokens, sum(len(ids) > length for ids in whole), longest, len(rows))
        return Data(list(kept), list(apart), [], Head(labels, tokenizer.pad_token_id), said), shown

    def measured(self, plan: Plan, model: Any, tokenizer: Any, data: Data, device: torch.device) -> tuple["Scores", Data]:
        """Return the loss of classes."""
        return Scores(device, tokenizer.pad_token_id, formats_of(plan).autocast), data


class Scores:
    """The mean cross-entropy of a text's class, nats, and the share of texts whose class has the highest score."""

    def __init__(self, device: torch.device, pad: int, autocast: str | None) -> None:
        self._device, self._pad, self._autocast = device, pad, autocast
        self._means = Means()

    def weigh(self, lines: Sequence[Labelled]) -> int:
        """Every text counts the same."""
        return len(lines)

    def micro_batches(self, lines: Sequence[Labelled], plan: Schedule, skip: int) -> Iterator[tuple[list[Labelled], bool]]:
        """Yield micro-batches in the order that seed and epoch decide."""
        return shuffled(lines, plan, skip)

    def noticed(self) -> dict[str, float]:
        """Return the share that was right."""
        return self._means.taken()

    def casting(self) -> AbstractContextManager[Any]:
        """Return the context of a forward pass."""
        return torch.autocast(self._device.type, dtype=getattr(torch, self._autocast)) if self._autocast else nullcontext()

    def loss_sum(self, model: Any, lines: Sequence[Labelled]) -> torch.Tensor:
        """Return the summed cross-entropy."""
        width = max(map(len, lines))
        ids = torch.tensor([[*line.ids, *[self._pad] * (width - len(line))] for line in lines], device=self._device)
        mask = torch.tensor([[1] * len(line) + [0] * (width - len(line)) for line in lines], device=self._device)
        labels = torch.tensor([line.label for line in lines], device=self._device)
        with self.casting():
            scores = model(input_ids=ids, attention_mask=mask).logits
        right = (scores.argmax(-1) == labels).float().mean().item()
        self._means.add("accuracy", right, len(lines))
        return functional.cross_entropy(scores.float(), labels, reduction="sum")
