"""The way in: finds the command, and turns every ending into an exit code and one understandable line.

0 clean · 1 findings · 2 bad use, bad input, bad configuration or a bug · 3 undecided · 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from typing import NoReturn

import click

from recipeforge import __version__
from recipeforge.cli.exits import BAD_USE, INTERRUPTED
from recipeforge.cli.output import Listing, hush
from recipeforge.schemas.errors import RecipeForgeError

COMMANDS = (
    "check",
    "solve",
    "packages",
    "status",
    "explain",
    "estimate",
    "convert",
    "run",
    "runs",
    "eject",
    "sweep",
    "parts",
    "bench",
    "catalog",
    "evidence",
    "schema",
    "lsp",
    "serve",
)
"""In the order of the help; each is a module of this folder, imported only when it is called."""

RARELY = (200_000, 20, 20)
"""When garbage is looked for: the catalog is some hundred thousand objects that all stay, and Python by itself walks through them often."""


class Commands(Listing):
    """Commands that are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands that this installation has."""
        return [name for name in COMMANDS if find_spec(f"recipeforge.cli.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by name."""
        if cmd_name not in COMMANDS or not find_spec(f"recipeforge.cli.{cmd_name}"):
            return None
        return import_module(f"recipeforge.cli.{cmd_name}").command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], self.list_commands(ctx), 1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(self.list_commands(ctx))}"
            if not near and (os.path.exists(args[0])):  # noqa: PTH110 (a name with a NUL must not raise)
                hint = f"; did you mean `recipeforge check {args[0]}`?"
            raise click.UsageError(f"no command `{args[0]}`{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="recipeforge", message="%(prog)s %(version)s")
def command() -> None:
    """Forge a training recipe that actually runs.

    Says whether a recipe will run, why not and who says so, what the cheapest change is, and then runs it.
    """


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(*RARELY)
    code = outcome(args)
    _flush()
    gc.freeze()  # the process ends anyway: to look for garbage among all its objects once more takes longer than a check
    sys.exit(code)


def outcome(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its number instead of a crash.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = command.main(args, prog_name="recipeforge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        _complain(error)
        return BAD_USE
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return INTERRUPTED
    except RecipeForgeError as error:
        _say(f"error: {error}")
        return BAD_USE
    except Exception as error:  # whatever it is, the user gets a sentence and we get a log
        if _was_interrupted(error):
            _say("interrupted")
            return INTERRUPTED
        from recipeforge.cli.bug import report_bug

        report_bug(error)
        return BAD_USE


def _was_interrupted(error: BaseException | None) -> bool:
    """Return whether Ctrl-C is what is behind an error: an extension that is just loading turns it into an ImportError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _complain(error: click.ClickException) -> None:
    from recipeforge.render.cells import visible

    context = error.ctx if isinstance(error, click.UsageError) else None
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help; click before 8.2 has no such class
        _say(error.format_message())
        return
    hint = f"\nTry `{context.command_path} --help`." if context is not None else ""
    told = "\n".join(visible(line) for line in error.format_message().splitlines())
    _say(f"error: {told}{hint}")


def _say(text: str) -> None:
    try:
        click.echo(text, err=True)
    except OSError:  # nobody listens on stderr either
        hush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (BrokenPipeError, ValueError):
            hush()
