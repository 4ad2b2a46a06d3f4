"""The face that every objective shows to a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from recipeforge.runner.batches import Line, Tokenised
from recipeforge.runner.loading import Head
from recipeforge.runner.loop import Measure
from recipeforge.runner.plan import Plan
from recipeforge.runner.rows import DataError, Row


@dataclass(frozen=True)
class Data:
    """Examples to learn from and to measure on."""

    train: list[Any]
    held_out: list[Any]
    proof: list[Line]
    """Sequences on which a saved result has to say what the trained model said; none: the held-out examples themselves are those."""
    head: Head | None = None
    """The model's head, where that is none of language."""
    said: str = ""
    """How much of what there is, for people."""


class Objective(Protocol):
    """Rows → data, and then, with a model, a measure."""

    def read(self, plan: Plan, rows: Sequence[Row], tokenizer: Any, few: int | None) -> tuple[Data, Tokenised]:
        """Return data, as far as it can be made without the model, and every sequence that the model will see.

        `few`: rows that may be held out at most.
        """
        ...

    def measured(self, plan: Plan, model: Any, tokenizer: Any, data: Data, device: torch.device) -> tuple[Measure, Data]:
        """Return the loss, and the data that it takes."""
        ...


def split(rows: Sequence[Any], plan: Plan, few: int | None) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return rows to learn from and rows held out.

    Raises:
        DataError: all of them are held out.
    """
    share = float(plan.values["data.validation"])
    held = max(1, round(share * len(rows))) if share else 0
    kept, apart = rows[: len(rows) - held], rows[len(rows) - held :]
    if rows and not kept:
        raise DataError("every row is held out; lower `data.validation`")
    return kept, apart[:few]
