"""A program in a real terminal (tmux): type, read the screen, wait for words on it."""

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType


class Terminal:
    """A terminal of its own, with one program in it; ended on leaving."""

    def __init__(self, command: str, environment: dict[str, str], where: Path, size: tuple[int, int] = (130, 34)) -> None:
        self._tmux = ["tmux", "-u", "-f", os.devnull, "-L", f"recipeforge-{os.getpid()}-{time.monotonic_ns()}"]
        columns, rows = map(str, size)
        self._environment = environment | {"TERM": "xterm-256color"}
        self._call("new-session", "-d", "-x", columns, "-y", rows, "-c", str(where), command)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True)

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names: `Escape`, `Enter`, `Space`, or the characters themselves."""
        self._call("send-keys", *keys)

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._call("capture-pane", "-p")

    def wait_for(self, words: str, seconds: float = 15.0) -> str:
        """Return the screen as soon as it shows the words."""
        return self._wait(lambda screen: words in screen, f"{words!r} to appear", seconds)

    def wait_without(self, words: str, seconds: float = 15.0) -> str:
        """Return the screen as soon as it no longer shows the words."""
        return self._wait(lambda screen: words not in screen, f"{words!r} to go", seconds)

    def _wait(self, ready, what: str, seconds: float) -> str:
        end = time.monotonic() + seconds
        while not ready(screen := self.screen()):
            assert time.monotonic() < end, f"waited {seconds} s for {what}; the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    def _call(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, f"tmux {arguments[0]}: {done.stderr}"
        return done.stdout
