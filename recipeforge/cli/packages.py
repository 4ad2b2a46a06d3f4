"""`recipeforge packages`: which package versions satisfy a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN, FINDINGS, UNDECIDED
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, settings_for, target_options
from recipeforge.render.look import ColorChoice
from recipeforge.schemas.loadout import Fact

if TYPE_CHECKING:
    from recipeforge.documents.tree import Document
    from recipeforge.schemas.versions import Versions


@click.command("packages")
@click.argument("recipe")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the versions to FILE as constraints for pip; - for standard output.",
)
@click.option(
    "--limit",
    "limit_s",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time to search.",
)
@format_option("text", "json")
@target_options
@color_option()
def command(
    recipe: str,
    output: str | None,
    limit_s: float,
    style: str,
    gpu: str | None,
    gpus: int | None,
    packages: str | None,
    color: ColorChoice,
) -> int:
    """Find the most recent package versions that satisfy a recipe, or say why there are none.

    RECIPE is a file, or - for standard input. Versions that the recipe or --packages gives stay as they are; `python` is given
    like a package (--packages python=3.11). What counts: the rules, and what each release requires of the others and of Python,
    as of the day on which that was read. Leaves with 0 when versions were found, 1 when there are none with what is given (the
    least change of it is shown), 3 when the time ran out.
    """
    from recipeforge.api import target

    settings = settings_for(recipe, flags_from(gpu, gpus, packages))
    overrides = target(settings.gpu, settings.gpus, settings.packages)
    return answer(document_at(recipe), overrides, output, limit_s, style, color)


def answer(document: Document, overrides: Mapping[str, Fact], output: str | None, limit_s: float, style: str, color: ColorChoice) -> int:
    """Print the versions that satisfy a recipe, and write them to a file where one is named."""
    from recipeforge.api import pick_names, versions_for_document
    from recipeforge.render.versions import constraints, headline, render_versions, versions_json

    found = versions_for_document(document, overrides, limit_s=limit_s)
    if output == "-":
        write(constraints(document.path, found) if found.kind == "found" else "")
        note(headline(document.path, found))
    elif style == "json":
        write(versions_json(document.path, found))
    else:
        write(render_versions(document.path, found, pick_names(document, overrides), look(color)))
    if found.kind == "found":
        _other_errors(document, overrides, found)
    if output not in (None, "-"):
        _write(str(output), document.path, found)
    return CLEAN if found.kind == "found" else UNDECIDED if found.kind == "undecided" else FINDINGS


def _other_errors(document: Document, overrides: Mapping[str, Fact], found: Versions) -> None:
    """Say how many errors the recipe has with these versions: versions alone make no recipe run."""
    from recipeforge.api import check_document
    from recipeforge.render.summary import plural

    installed: dict[str, Fact] = {f"packages.{c.package}": c.version for c in found.chosen}
    errors = [d for d in check_document(document, {**overrides, **installed}, fixes=False).diagnostics if d.severity == "error"]
    if errors:
        note(f"{document.path}: {plural(len(errors), 'error')} that no version cures, such as {errors[0].message} (recipeforge check)")


def _write(output: str, path: str, found: Versions) -> None:
    from recipeforge.cli.writing import replace_text
    from recipeforge.render.versions import constraints

    if found.kind != "found":
        why = "there are no versions that keep what is given" if found.kind == "none" else "no versions were found in time"
        note(f"{output} was not written: {why}")
        return
    replace_text(output, constraints(path, found))
    note(f"wrote {output}; install with: pip install -c {output} {' '.join(c.package for c in found.chosen if c.direct)}")
