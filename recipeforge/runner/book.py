"""A run's row as it grows from what the training process tells, true to the end whatever becomes of that process or of the ledger."""

import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recipeforge.runner.channel import Message
from recipeforge.runner.ledger import Ledger
from recipeforge.schemas.errors import StoreError
from recipeforge.schemas.run import Run

_EVENTS = ("stage", "note", "problem", "checkpoint", "result", "resume")
AGAIN_S = 60.0
"""How long to leave a ledger alone that could not be written."""


class Book:
    """Writes a run down. A ledger that is locked or full does not end the training: what is to be written waits."""

    def __init__(self, ledger: Ledger, row: Run) -> None:
        self._ledger = ledger
        self.row = row
        self.killed = False
        """Whether a second interrupt ended the process."""
        self.exit_code: int | None = None
        self._who = "the training process"
        self._waiting: deque[Callable[[], None]] = deque()
        self._again = 0.0
        self._out_of_memory = _kills_for_memory()

    def note(self, message: Message) -> None:
        """Write one message down."""
        row, f, ledger = self.row, message.fields, self._ledger
        if message.kind == "check":
            self._write(lambda: ledger.event(row.id, "check", f"{'good' if f['good'] else 'odd'}: {f['text']}"))
        if message.kind in _EVENTS:
            self._write(lambda: ledger.event(row.id, message.kind, f.get("text") or f.get("folder") or ""))
        match message.kind:
            case "metric":
                self._write(lambda: ledger.metric(row.id, f["step"], f["name"], f["value"]))
                if f["name"] == "train_loss":
                    self.row = replace(row, steps=f["step"])
            case "summary":
                self.row = replace(row, metrics={**row.metrics, f["name"]: f["value"]})
            case "resume":
                self._write(lambda: ledger.forget_after(row.id, f["step"]))
                self.row = replace(row, steps=f["step"])
            case "peak":
                self.row = replace(row, peak_memory_bytes=max(f["bytes"], row.peak_memory_bytes or 0), peak_memory_kind=f["how"])
            case "hardware":
                self.row = replace(row, hardware={**row.hardware, **f["names"]})
            case "result" | "checkpoint" if not row.smoke:
                self.row = replace(row, output=f["folder"])
            case "ended":
                self.exit_code = f["code"]
                self._who = self._who if f["rank"] is None else f"training process {f['rank']}"
                return
            case "end":
                cause = f.get("cause", "")
                self.row = replace(row, state=f["state"], message=f["message"], cause=cause, steps=f["steps"], seconds=f["seconds"])
            case _:
                return
        self._save()

    def close(self, log: Path) -> None:
        """Give a run that ended without a last word the end it had.

        Raises:
            StoreError: it could not be written, the last time either.
        """
        if self.row.state == "running":
            self.row = replace(self.row, **self._end(log))
            self._save()
        self._again = 0.0
        if (error := self._flush()) is not None:
            raise StoreError(
                f"{error}; the run itself {self.row.state}, and what it wrote is in {self.row.output or 'no folder'}"
            ) from error

    def _save(self) -> None:
        row = self.row
        self._write(lambda: self._ledger.update(row))

    def _write(self, how: Callable[[], None]) -> None:
        self._waiting.append(how)
        if time.monotonic() >= self._again and self._flush() is not None:
            self._again = time.monotonic() + AGAIN_S

    def _flush(self) -> StoreError | None:
        while self._waiting:
            try:
                self._waiting[0]()
            except StoreError as error:
                return error
            self._waiting.popleft()
        return None

    def _end(self, log: Path) -> dict[str, str]:
        if self.killed:
            return {"state": "interrupted", "cause": "killed", "message": "killed by a second interrupt; no checkpoint of the last steps"}
        code = self.exit_code
        if code is None or code >= 0:
            return {"state": "failed", "message": f"{self._who} ended with code {code}; its last words: {_last_words(log)}"}
        name = signal.Signals(-code).name
        if name != "SIGKILL":
            return {"state": "failed", "message": f"{self._who} was ended by {name}; its last words: {_last_words(log)}"}
        if _kills_for_memory() > self._out_of_memory:
            told = f"the system ended {self._who} by SIGKILL, because memory ran out; try a smaller `batch.micro`"
            return {"state": "failed", "cause": "out-of-memory", "message": told}
        told = f"{self._who} was ended by SIGKILL; the system kills what takes too much memory: try a smaller `batch.micro`"
        return {"state": "failed", "cause": "killed", "message": told}


def _kills_for_memory() -> int:
    """Return how many processes this Linux has ended for want of memory, its control group's among them; 0 where it does not say."""
    found = 0
    for path in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        found += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return found


def _last_words(log: Path) -> str:
    """Return the last line of a log and where it stands; that of a smoke test is gone by the time someone could look."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    return f"{next((line.strip() for line in reversed(lines) if line.strip()), 'none')} ({log})"
