"""Pairs of answers, and answers marked good or bad: DPO and its kin, ORPO, KTO, CPO, SimPO, reward models."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from recipeforge.runner.batches import Line, Tokenised, Tokens, tokenise
from recipeforge.runner.loading import Head, formats_of
from recipeforge.runner.objectives.examples import Judged, examples_of
from recipeforge.runner.objectives.objective import Data, split
from recipeforge.runner.objectives.trl_trainers import Spelled, reference_for, trainer_for
from recipeforge.runner.plan import Plan
from recipeforge.runner.records import apart, texts
from recipeforge.runner.rows import DataError, Row


class Preference:
    """A trainer of TRL over judged answers."""

    def __init__(self, spelled: Spelled, *, singly: bool = False, head: bool = False) -> None:
        self._spelled, self._singly, self._head = spelled, singly, head

    def read(self, plan: Plan, rows: Sequence[Row], tokenizer: Any, few: int | None) -> tuple[Data, Tokenised]:
        """Split rows into those to learn from and those held out; the trainer tokenises them later, as it does."""
        sequences = seen(rows, plan, tokenizer)
        if self._singly and plan.values["data.format"] == "preference":
            rows = [Row(record=answer) for row in rows for answer in apart(row.record)]
        kept, held_out = split(rows, plan, few)
        head = Head(("reward",), tokenizer.pad_token_id) if self._head else None
        shown = [] if self._head else proof(held_out or kept[: int(plan.values["batch.micro"])], plan, tokenizer)
        said = f"{len(kept)} judged rows to train on, {len(held_out)} held out"
        return Data(list(kept), list(held_out), shown, head, said), sequences

    def measured(self, plan: Plan, model: Any, tokenizer: Any, data: Data, device: torch.device) -> tuple[Judged, Data]:
        """Return the trainer's loss, and the rows as it prepared them.

        Raises:
            DataError: none of them is short enough.
        """
        options = self._spelled.options(plan.values) | {"max_length": int(plan.values["data.sequence_length"])}
        more = {"ref_model": reference_for(plan, device)} if self._spelled.reference else {}
        rows = [[row.record for row in part] for part in (data.train, data.held_out)]
        trainer = trainer_for(self._spelled, plan, model, tokenizer, device, rows[0], rows[1], options, **more)
        train = examples_of(trainer.train_dataset)
        held_out = examples_of(trainer.eval_dataset) if rows[1] else []
        if not train or (rows[1] and not held_out):
            raise DataError(f"no row is left within {options['max_length']} tokens; raise `data.sequence_length`")
        measure = Judged(trainer, device, formats_of(plan).autocast)
        return measure, replace(data, train=train, held_out=held_out)


def sequences_of(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield every sequence that a model sees of judged rows, as a row of text or a conversation."""
    for row in rows:
        for found in texts(row.record):
            yield Row(text=found) if isinstance(found, str) else Row(messages=tuple((m["role"], m["content"]) for m in found))


def seen(rows: Sequence[Row], plan: Plan, tokenizer: Any) -> Tokenised:
    """Tokenise every sequence that the model will see, to look at."""
    return tokenise(list(sequences_of(rows)), tokenizer, int(plan.values["data.sequence_length"]), False)


def proof(rows: Sequence[Row], plan: Plan, tokenizer: Any) -> list[Line]:
    """Return sequences whose next tokens a saved result has to find as likely as the trained model does."""
    tokens: tuple[Tokens, ...] = seen(rows, plan, tokenizer).rows
    return [Line((row,)) for row in tokens]
