"""`recipeforge status`: what may be added to this recipe?"""

from __future__ import annotations

import click

from recipeforge.cli.exits import CLEAN
from recipeforge.cli.output import color_option, format_option, look, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, overrides_for, target_options
from recipeforge.render.look import ColorChoice


@click.command("status")
@click.argument("recipe")
@click.option("--slot", metavar="SLOT", help="Only this slot, such as optimizer.")
@format_option("text", "json")
@target_options
@color_option()
def command(recipe: str, slot: str | None, style: str, gpu: str | None, gpus: int | None, packages: str | None, color: ColorChoice) -> int:
    """Say of every component whether it can be equipped, with what, in place of what, or why not.

    RECIPE is a file, or - for standard input.
    """
    from recipeforge.api import loaded
    from recipeforge.catalog.load import load
    from recipeforge.solver.statuses import statuses

    catalog = load()
    if slot is not None and slot not in catalog.slots:
        from difflib import get_close_matches

        near = get_close_matches(slot, catalog.slots, 1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; there are {', '.join(catalog.slots)}"
        raise click.BadParameter(f"there is no slot `{slot}`{hint}", param_hint="--slot")
    document, loadout, _ = loaded(document_at(recipe), overrides_for(recipe, flags_from(gpu, gpus, packages)))
    found = [s for s in statuses(catalog, loadout) if slot is None or catalog.components[s.component].slot == slot]
    if style == "json":
        from recipeforge.render.json import dumped, statuses_json

        write(dumped(statuses_json(document.path, found, {c.id: c.slot for c in catalog.components.values()})))
    else:
        from recipeforge.render.statuses import render_statuses

        write(render_statuses(catalog, found, look(color)))
    return CLEAN
