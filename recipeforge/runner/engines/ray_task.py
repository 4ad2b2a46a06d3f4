"""What a machine of a Ray cluster does for one run: start its training process there and pass on what that says."""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOOK_S = 0.5
"""How often to look whether the run is asked to end."""


def carried_out(module: str, order: dict[str, Any], environment: dict[str, str], log: str, asked: str) -> Iterator[str]:
    """Yield each line of the training process, and last its exit code. A file `asked` that appears holds the signal to pass on."""
    Path(order["output"]).mkdir(parents=True, exist_ok=True)
    yield json.dumps({"kind": "stage", "text": f"on {platform.node()}"})
    # Ray's processes do not listen to Ctrl-C, and what they start would not either.
    heard = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with Path(log).open("ab") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env={**os.environ, **environment},
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
    signal.pthread_sigmask(signal.SIG_SETMASK, heard)
    assert process.stdin is not None and process.stdout is not None
    ended = threading.Event()
    try:
        with process.stdin as told:
            told.write(json.dumps(order))
        for number, line in enumerate(process.stdout):
            if number == 0:  # now it listens to signals
                threading.Thread(target=_pass_on, args=(process, Path(asked), ended), daemon=True).start()
            yield line
        yield json.dumps({"kind": "ended", "rank": None, "code": process.wait()})
    finally:
        ended.set()
        if process.poll() is None:
            process.kill()
            process.wait()


def _pass_on(process: "subprocess.Popen[str]", asked: Path, ended: threading.Event) -> None:
    while not ended.wait(LOOK_S):
        if asked.exists():
            process.send_signal(signal.SIGINT)
            return
