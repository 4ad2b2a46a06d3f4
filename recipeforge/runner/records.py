"""Rows of more than one text: pairs, judged answers, prompts, labelled texts. Columns and forms are those that TRL's trainers take.

A text is either a string, which is taken as it stands, or a list of messages, which goes through the model's chat template.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One data format."""

    columns: tuple[str, ...]
    wants: str
    """How a row looks, for messages."""
    read: Callable[[Record], dict[str, Any] | None]
    """Returns the columns of a row; `None` for one that is of another kind."""


def texts(record: Record) -> Iterator[str | list[dict[str, str]]]:
    """Yield every sequence that a model may see of a record: a string, or a list of messages; the best answer first."""
    prompt = record.get("prompt")
    if "text" in record:
        yield record["text"]
    answers = [record[name] for name in ("chosen", "completion", "rejected") if name in record]
    for answer in answers:
        yield answer if prompt is None else prompt + answer
    if not answers and prompt is not None:
        yield prompt


def apart(record: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a pair as a good and a bad answer to one prompt."""
    return (
        {"prompt": record["prompt"], "completion": record["chosen"], "label": True},
        {"prompt": record["prompt"], "completion": record["rejected"], "label": False},
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_talk(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(m, dict) and set(m) == {"role", "content"} and all(isinstance(v, str) for v in m.values()) for m in value)
    )


def _same_form(*values: object) -> bool:
    return all(map(_is_text, values)) or all(map(_is_talk, values))


def _pair(record: Record) -> dict[str, Any] | None:
    prompt, chosen, rejected = (record.get(name) for name in ("prompt", "chosen", "rejected"))
    if prompt is None and _is_talk(chosen) and _is_talk(rejected):
        prompt, chosen, rejected = _shared(chosen, rejected)
    if not _same_form(prompt, chosen, rejected):
        return None
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected}


def _shared(chosen: Any, rejected: Any) -> tuple[Any, Any, Any]:
    """Split two conversations behind the messages that they begin with in common."""
    same = 0
    while same < min(len(chosen), len(rejected)) and chosen[same] == rejected[same]:
        same += 1
    return chosen[:same], chosen[same:], rejected[same:]


def _judged(record: Record) -> dict[str, Any] | None:
    prompt, completion, label = (record.get(name) for name in ("prompt", "completion", "label"))
    if not _same_form(prompt, completion) or not isinstance(label, bool):
        return None
    return {"prompt": prompt, "completion": completion, "label": label}


def _prompt(record: Record) -> dict[str, Any] | None:
    prompt = record.get("prompt")
    return {**record, "prompt": prompt} if _same_form(prompt) else None


def _labelled(record: Record) -> dict[str, Any] | None:
    text, label = record.get("text"), record.get("label")
    return {"text": text, "label": str(label)} if _is_text(text) and isinstance(label, str | int) else None


KINDS = {
    "preference": Kind(
        ("prompt", "chosen", "rejected"),
        '{"prompt": "…", "chosen": "…", "rejected": "…"}, all three strings or all three lists of messages',
        _pair,
    ),
    "unpaired-preference": Kind(
        ("prompt", "completion", "label"),
        '{"prompt": "…", "completion": "…", "label": true}, both texts strings or both lists of messages',
        _judged,
    ),
    "prompts": Kind(("prompt",), '{"prompt": "…"}, a string or a list of messages', _prompt),
    "classification": Kind(("text", "label"), '{"text": "…", "label": "…"}', _labelled),
}
"""Format → how its rows are read."""
