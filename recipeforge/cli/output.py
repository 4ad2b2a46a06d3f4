"""What commands print, and on what kind of terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from recipeforge.render.look import ColorChoice, Look, look_for

_ORNAMENTS = {"⋮": ":", "—": "-", "…": "...", "·": "-", "→": "->", "“": '"', "”": '"', "│": "|", "●": "*", "±": "~", "⇄": "^", "×": "x"}
_PLAINER = str.maketrans(_ORNAMENTS | {"█": "#", "≤": "<=", "≥": ">="})

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def color_option() -> Decorator:
    """Return the `--color` option."""
    kinds = click.Choice(["auto", "always", "never"])
    return click.option("--color", type=kinds, default="auto", show_default=True, help="Colour; NO_COLOR and FORCE_COLOR count too.")


def format_option(*formats: str) -> Decorator:
    """Return the `--format` option."""
    return click.option(
        "--format", "style", type=click.Choice(formats), default=formats[0], show_default=True, help="How to print the answer."
    )


def look(color: ColorChoice) -> Look:
    """Return the look of standard output."""
    return look_for(sys.stdout, color)


def write(text: str, *, aside: bool = False) -> None:
    """Write to standard output, or aside to standard error; a terminal without Unicode gets plain substitutes for ornaments."""
    stream = sys.stderr if aside else sys.stdout
    if (stream.encoding or "").lower().replace("-", "") not in ("utf8", "utf16", "utf32"):
        text = text.translate(_PLAINER)
    try:
        stream.write(text)
    except BrokenPipeError:
        hush()


class Listing(click.Group):
    """A group whose help gives each command's whole first sentence, on as many lines as it takes."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in found if command is not None])


def hush() -> None:
    """Send what is still to be written nowhere: the reader has left, as `head` does, and the answer stays what it was."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError, AttributeError):
            continue


def note(text: str) -> None:
    """Write a line of progress or advice to standard error."""
    sys.stderr.write(text + "\n")
