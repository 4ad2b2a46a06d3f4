"""`recipeforge lsp`: the language server."""

from __future__ import annotations

import logging
import sys

import click

from recipeforge.cli.exits import BAD_USE, CLEAN

LEVELS = ("error", "warning", "info", "debug")


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak on standard input and output. It always does; editors like to say so.")
@click.option("--log-file", type=click.Path(dir_okay=False), metavar="FILE", help="Write the log there instead of standard error.")
@click.option("--log-level", type=click.Choice(LEVELS), default="warning", show_default=True, help="How much to write.")
def command(stdio: bool, log_file: str | None, log_level: str) -> int:
    """Serve an editor: diagnostics, fixes, completion and hover for recipes, on standard input and output."""
    try:
        from recipeforge.lsp.server import serve
    except ModuleNotFoundError as missing:
        if missing.name not in ("pygls", "lsprotocol"):
            raise
        message = f"the language server needs the package {missing.name}; install it with: pip install 'recipeforge[lsp]'"
        click.echo(f"error: {message}", err=True)
        return BAD_USE
    if sys.stdin.isatty():
        click.echo("recipeforge lsp speaks with an editor, not with a person; docs/editors.md shows how to set one up", err=True)
    try:
        logging.basicConfig(filename=log_file, level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    except OSError as error:
        click.echo(f"error: the log {log_file} cannot be written: {error.strerror}", err=True)
        return BAD_USE
    serve()
    return CLEAN
