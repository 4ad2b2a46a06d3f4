"""How text output may look on the terminal at hand: colours, hyperlinks and width."""

from __future__ import annotations

import os
import sys
from typing import Literal, TextIO

from recipeforge.schemas.record import record

ColorChoice = Literal["auto", "always", "never"]

DEFAULT_WIDTH = 100
"""Columns where there is no terminal to ask; files and CI logs come out the same everywhere."""

_STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "message": "1",
    "gutter": "34",
    "related": "36",
    "note": "1",
    "help": "1;32",
    "quote": "3",
    "quiet": "2",
    "added": "32",
    "removed": "31",
    "hunk": "36",
    "good": "1;32",
    "T1": "1;30;42",
    "T2": "1;30;46",
    "T3": "1;30;43",
}


@record
class Look:
    """What the output device can show. The default is plain text."""

    color: bool = False
    hyperlinks: bool = False
    width: int = DEFAULT_WIDTH

    def paint(self, style: str, text: str) -> str:
        """Return `text` in a named style, or as it is where there is no colour."""
        if not self.color or not text:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def link(self, text: str, url: str) -> str:
        """Return `text` as a terminal hyperlink (OSC 8) to `url`."""
        if not self.hyperlinks or not url.isprintable():
            return text
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"


PLAIN = Look()


def look_for(stream: TextIO | None = None, color: ColorChoice = "auto") -> Look:
    """Return the look for `stream` (default: stdout). The flag wins over `NO_COLOR`, that over `FORCE_COLOR`, that over the terminal."""
    out = sys.stdout if stream is None else stream
    tty = out.isatty() and os.environ.get("TERM") != "dumb"
    if color != "auto":
        colored = color == "always"
    elif os.environ.get("NO_COLOR"):
        colored = False
    elif os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        colored = True
    else:
        colored = tty
    return Look(color=colored, hyperlinks=colored and tty, width=_columns(out) if tty else DEFAULT_WIDTH)


def _columns(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return DEFAULT_WIDTH
    # Terminals report 0 when they do not know; beyond 120 columns prose is hard to read.
    return min(max(columns, 40), 120) if columns else DEFAULT_WIDTH
