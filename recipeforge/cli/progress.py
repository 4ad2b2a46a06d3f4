"""A run's messages as lines on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from recipeforge.runner.channel import Message

HELD_OUT = {
    "heldout_loss": "loss",
    "heldout_accuracy": "accuracy",
    "heldout_reward": "reward",
    "heldout_reward_accuracy": "pairs in order",
    "heldout_reward_margin": "reward margin",
}
"""Numbers of held-out rows that people are shown → what they are."""


class Progress:
    """Writes one line for whatever a person would want to see while waiting."""

    def __init__(self, stream: TextIO, quiet: bool = False, name: str = "") -> None:
        self._stream = stream
        self._quiet = quiet
        self._name = name
        """Of the run, where several tell of themselves at once."""
        self._total = 0

    def __call__(self, message: Message) -> None:
        """Hear one message."""
        if message.kind == "total":
            self._total = message["steps"]
        line = self._line(message)
        if line and not self._quiet:
            print(f"{self._name}{line}", file=self._stream, flush=True)

    def _line(self, message: Message) -> str:
        match message.kind:
            case "stage":
                return f"  · {message['text']}"
            case "problem":
                return f"  error: {message['text']}. {message['help']}"
            case "check" if not message["good"]:
                return f"  post-flight: {message['text']}"
            case "note":
                return f"  note: {message['text']}"
            case "metric" if message["name"] in HELD_OUT:
                when = f"after {message['step']} steps" if message["step"] else "before"
                return f"  held-out {HELD_OUT[message['name']]} {when}: {message['value']:.4f}"
            case "step":
                width = len(str(self._total))
                step = f"{message['step']:>{width}}/{self._total}"
                return f"  step {step}  loss {message['loss']:.4f}  rate {message['rate']:.2e}  {message['seconds']:.1f} s"
            case "checkpoint":
                return f"  checkpoint of step {message['step']}: {message['folder']}"
            case "resume":
                return (
                    f"  goes on after step {message['step']}: {message['folder']}"
                    if message["step"]
                    else "  begins again: no checkpoint yet"
                )
            case "result":
                return f"  saved: {message['folder']}"
            case _:
                return ""
