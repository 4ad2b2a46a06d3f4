"""What lies in the folder that the processes of one run share for as long as they run: order, process numbers, notes of failures."""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PLACE = "RECIPEFORGE_TOGETHER"
"""The variable of the environment that names the folder."""
ORDER = "order.json"
_ASKED = "asked"


def here(where: Path, rank: int) -> None:
    """Say that a process is there and listens to signals."""
    (where / f"{rank}.process").write_text(str(os.getpid()))


def ask(where: Path, number: int) -> None:
    """Have the first process end early; the others hear of it from that one."""
    (where / _ASKED).write_text(signal.Signals(number).name)
    with suppress(OSError, ValueError):
        os.kill(int((where / "0.process").read_text()), number)


def asked(where: Path) -> str:
    """Return the signal that came before the first process could listen; empty where none did."""
    with suppress(OSError):
        return (where / _ASKED).read_text()
    return ""


def failed(where: Path, rank: int, fields: Mapping[str, Any], *, lost: bool) -> None:
    """Note how a process failed; `lost`: only because another one was gone."""
    unfinished = where / f"{rank}.failing"
    unfinished.write_text(json.dumps({"rank": rank, "time": time.time(), "lost": lost, "fields": dict(fields)}))
    unfinished.rename(where / f"{rank}.failed")


def ending(where: Path, codes: Mapping[int, int]) -> tuple[dict[str, Any] | None, tuple[int, int] | None]:
    """Return what a run's end was that some process failed: as the first one told it, or else (process, exit code).

    `codes` are those of the processes that ended by themselves. Where one failed because another was gone, that other one counts.
    """
    notes = [json.loads(path.read_text()) for path in where.glob("*.failed")]
    own = sorted((note for note in notes if not note["lost"]), key=lambda note: note["time"])
    if own:
        first = own[0]
        # What all of them found is told as the first process has it.
        same = next((note for note in own if note["rank"] == 0 and note["fields"]["message"] == first["fields"]["message"]), None)
        told = dict((same or first)["fields"])
        if same is None and first["rank"]:
            told["message"] = f"process {first['rank']}: {told['message']}"
        leader = next((note["fields"] for note in notes if note["rank"] == 0), None)
        return told | ({"steps": leader["steps"], "seconds": leader["seconds"]} if leader else {}), None
    if killed := [(rank, code) for rank, code in sorted(codes.items()) if code < 0]:
        return None, killed[0]
    if notes:
        return dict(min(notes, key=lambda note: note["time"])["fields"]), None
    return None, next(iter(sorted(codes.items())), None)
