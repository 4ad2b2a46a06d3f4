"""What the training process tells its parent: one JSON object a line. Both ends are here."""

import json
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass(frozen=True)
class Message:
    """One line.

    Kinds and fields: `stage` text · `note` text, at times as a problem · `problem` text, slug, subject, help · `hardware` names ·
    `resume` step (0: from the beginning), folder · `total` steps · `step` step, loss, rate, seconds · `metric` step, name, value ·
    `summary` name, value · `peak` bytes, how · `checkpoint` folder, step · `result` folder ·
    `check` name, good, text · `end` state, message, cause, steps, seconds · `ended` rank, code: of the process that ended, without a
    last word where there are several.
    """

    kind: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


class Channel:
    """The training process's end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, kind: str, **fields: Any) -> None:
        """Send one message. When the parent is gone this raises `BrokenPipeError`, and the run ends with it."""
        self._stream.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._stream.flush()


def parse(line: str) -> Message:
    """Read one line."""
    fields = json.loads(line)
    return Message(fields.pop("kind"), fields)
