"""`recipeforge convert`: the same run in another tool's words, and a list of what has none there."""

from __future__ import annotations

from pathlib import Path

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, settings_for
from recipeforge.documents.dialects.marks import MARKS, NATIVE

TARGETS = (NATIVE, "axolotl", "llamafactory", "trl")


@click.command("convert")
@click.argument("file")
@click.option("--to", type=click.Choice(TARGETS), required=True, help="In whose words to write it.")
@click.option("-o", "--output", metavar="OUT", help="Write to this file instead of standard output.")
@click.option("--gpu", metavar="ID", help="Carry `auto` over as what this GPU can, such as rtx-4090 or t4.")
@click.option("--dialect", type=click.Choice((NATIVE, *MARKS)), help="Read FILE as this tool's, whatever it looks like.")
def command(file: str, to: str, output: str | None, gpu: str | None, dialect: str | None) -> int:
    """Write a recipe or configuration in another tool's words.

    FILE is a recipe or a configuration of Axolotl, LLaMA-Factory, torchtune or TRL, or - for standard input. What has no words there is
    listed with its place, on standard error and as comments at the end. What nobody wrote stays unwritten, and comments are not kept.

    Leaves with 1 when something was left out, and with 0 when everything is there.
    """
    from recipeforge.api import check_document, read_loadout, target
    from recipeforge.api.errors import NotARecipeError
    from recipeforge.catalog.load import load
    from recipeforge.documents.dialects.converting import convert

    if output and file != "-" and Path(output).resolve() == Path(file).resolve():
        raise click.UsageError(f"{output} is the file that is read; name another")
    document, catalog = document_at(file), load()
    settings = settings_for(file, flags_from(gpu, None, None))
    overrides = target(settings.gpu) | ({"dialect": dialect} if dialect else {})
    loadout, found = read_loadout(document, catalog, overrides)
    if loadout is None:
        raise NotARecipeError(check_document(document, overrides))
    converted = convert(document, loadout, catalog, to, found)
    if output:
        from recipeforge.cli.writing import replace_text

        replace_text(output, converted.text)
    else:
        write(converted.text)
    if converted.left:
        note(f"left out, or not as in {document.path}:")
    for item in converted.left:
        place = f":{item.span.start.line + 1}:{item.span.start.column + 1}" if item.span is not None else ""
        note(f"{document.path}{place}: {item.what}: {item.why}")
    return FINDINGS if converted.left else CLEAN
