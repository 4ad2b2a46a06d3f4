"""Rows → token sequences → batches, in an order that only the seed decides. Runs in the training process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy
import torch

from recipeforge.runner.rows import Row
from recipeforge.schemas.errors import RunError

T = TypeVar("T")
IGNORED = -100
"""The label that counts for nothing."""
_OPEN_BINS = 64
"""Half-filled sequences that packing keeps open; more would pack tighter and search longer."""


@dataclass(frozen=True)
class Tokens:
    """One row as the model sees it."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    """`ids`, or `IGNORED` where the loss does not look. Position i is predicted from what stands before it."""


@dataclass(frozen=True)
class Tokenised:
    """All rows, and what was lost on the way."""

    rows: tuple[Tokens, ...]
    cut: int
    """Rows longer than the sequence length."""
    longest: int = 0
    """Tokens of the longest row, before it was cut."""
    given: int = 0
    """Rows before any was left out."""


def tokenise(rows: Sequence[Row], tokenizer: Any, length: int, completion_only: bool) -> Tokenised:
    """Tokenise rows; longer ones are cut at `length`, and ones with nothing to learn are left out."""
    found: list[Tokens] = []
    cut = longest = 0
    for row in rows:
        ids, labels = _conversation(row, tokenizer, completion_only) if row.messages else _text(row, tokenizer)
        cut += len(ids) > length
        longest = max(longest, len(ids))
        # The first token of a row is predicted from nothing.
        tokens = Tokens(tuple(ids[:length]), (IGNORED, *labels[1:length]))
        if any(label != IGNORED for label in tokens.labels):
            found.append(tokens)
    return Tokenised(tuple(found), cut, longest, len(rows))


def _text(row: Row, tokenizer: Any) -> tuple[list[int], list[int]]:
    ids = list(tokenizer(row.text)["input_ids"])
    if tokenizer.eos_token_id is not None and (not ids or ids[-1] != tokenizer.eos_token_id):
        ids.append(tokenizer.eos_token_id)
    return ids, ids


def _conversation(row: Row, tokenizer: Any, completion_only: bool) -> tuple[list[int], list[int]]:
    if not tokenizer.chat_template:
        raise RunError("this model's tokenizer has no chat template; use an instruct model, or `data.format: text`")
    messages = [{"role": role, "content": content} for role, content in row.messages]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    if not completion_only:
        ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        return ids, ids
    spans = _answers(messages, text, tokenizer)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = list(encoded["input_ids"])
    learned = [any(start <= at < end for start, end in spans) for at, _ in encoded["offset_mapping"]]
    return ids, [i if yes else IGNORED for i, yes in zip(ids, learned, strict=True)]


def _answers(messages: list[dict[str, str]], text: str, tokenizer: Any) -> list[tuple[int, int]]:
    """Return where the assistant's words, with their closing marks, stand in the rendered text."""
    spans: list[tuple[int, int]] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = tokenizer.apply_chat_template(messages[:index], tokenize=False, add_generation_prompt=True) if index else ""
        through = tokenizer.apply_chat_template(messages[: index + 1], tokenize=False)
        if not (through.startswith(before) and text.startswith(through)):
            raise RunError("this chat template rewrites earlier turns, so the answers' tokens cannot be told apart; drop `completion_only`")
        spans.append((len(before), len(through)))
    return spans


@dataclass(frozen=True)
class Line:
    """What one line of a batch holds: one row, or several packed ones."""

    rows: tuple[Tokens, ...]

    def __len__(self) -> int:
        return sum(len(row.ids) for row in self.rows)

    def fingerprint(self) -> bytes:
        """Return bytes that are others for other rows."""
        return b"".join(numpy.asarray([*row.ids, -1, *row.labels], dtype=numpy.int64).tobytes() for row in self.rows)


def pack(rows: Sequence[Tokens], length: int) -> list[Line]:
    """Put rows into sequences of at most `length` tokens, each into the first open one with room."""
    closed: list[list[Tokens]] = []
    open_: list[tuple[list[Tokens], int]] = []
    for row in rows:
        for index, (bin_, used) in enumerate(open_):
            if used + len(row.ids) <= length:
                open_[index] = ([*bin_, row], used + len(row.ids))
                break
        else:
            open_.append(([row], len(row.ids)))
            if len(open_) > _OPEN_BINS:
                fullest = max(range(len(open_)), key=lambda i: open_[i][1])
                closed.append(open_.pop(fullest)[0])
    return [Line(tuple(bin_)) for bin_ in (*closed, *(bin_ for bin_, _ in open_))]


def collate(sequences: Sequence[Line], pad: int, packed: bool, device: Any) -> dict[str, Any]:
    """Return one batch, padded on the right.

    Packed rows carry positions that restart with each row and no mask: transformers then lets each row attend to
    itself only. Padding is a row of its own for each token.
    """
    width = max(len(s) for s in sequences)
    ids, labels, places = [], [], []
    for sequence in sequences:
        room = width - len(sequence)
        ids.append([i for row in sequence.rows for i in row.ids] + [pad] * room)
        labels.append([i for row in sequence.rows for i in row.labels] + [IGNORED] * room)
        places.append([p for row in sequence.rows for p in range(len(row.ids))] + [0] * room)
    batch = {"input_ids": torch.tensor(ids, device=device), "labels": torch.tensor(labels, device=device)}
    if packed:
        return batch | {"position_ids": torch.tensor(places, device=device)}
    mask = [[1] * len(s) + [0] * (width - len(s)) for s in sequences]
    return batch | {"attention_mask": torch.tensor(mask, device=device)}


def groups(sequences: Sequence[T], size: int, seed: int, epoch: int) -> Iterator[list[T]]:
    """Yield an epoch's micro-batches, in an order that the seed and the epoch decide. The last may be smaller."""
    order = torch.randperm(len(sequences), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch)).tolist()
    for start in range(0, len(order), size):
        yield [sequences[i] for i in order[start : start + size]]
