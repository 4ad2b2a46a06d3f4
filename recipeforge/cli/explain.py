"""`recipeforge explain`: the page of a rule or a component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN
from recipeforge.cli.output import color_option, format_option, look, write
from recipeforge.render.look import ColorChoice

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog


@click.command("explain")
@click.argument("name", metavar="CODE|SLUG|COMPONENT")
@format_option("text", "markdown")
@color_option()
def command(name: str, style: str, color: ColorChoice) -> int:
    """Show a rule with its reason, an example and its evidence, or a component with the rules about it."""
    from recipeforge.api import explain

    page = explain(name)
    if page is None:
        raise click.UsageError(f"no rule and no component is called `{name}`{_meant(name)}")
    if style == "markdown":
        write(page)
    else:
        from recipeforge.render.rule_page import render_page

        write(render_page(page, look(color)))
    return CLEAN


def _meant(name: str) -> str:
    from difflib import get_close_matches

    from recipeforge.catalog.load import load

    catalog = load()
    if said := _no_page(name, catalog):
        return said
    names = [*catalog.rules, *(rule.slug for rule in catalog.rules.values()), *catalog.components]
    near = get_close_matches(name.upper(), catalog.rules, 1, 0.8) or get_close_matches(name.lower(), names, 2)
    return (
        f"; did you mean {' or '.join(f'`{one}`' for one in near)}?"
        if near
        else "; recipeforge catalog show rules, or components, lists them"
    )


def _no_page(name: str, catalog: Catalog) -> str:
    """Return what a name of another kind is, and where to read about it; empty where it is nothing either."""
    from recipeforge.documents.context import gpu_sheet, model_sheet

    if name in catalog.slots:
        return f": it is a slot, and recipeforge status RECIPE --slot {name} lists what it takes"
    if any(name in (knob.path, knob.name) for knob in catalog.knobs.values()):
        return ": it is a knob, and recipeforge catalog show knobs lists those"
    if gpu_sheet(catalog, name):
        return ": it is a GPU, and recipeforge catalog show gpus lists those"
    if model_sheet(catalog, name):
        return ": it is a model, and recipeforge catalog show models lists those"
    return ""
