"""`recipeforge status`: what may be added to this recipe?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN
from recipeforge.cli.output import color_option, format_option, look, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, overrides_for, target_options
from recipeforge.render.look import ColorChoice

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog
    from recipeforge.schemas.loadout import Loadout


@click.command("status")
@click.argument("recipe")
@click.argument("component", required=False)
@click.option("--slot", metavar="SLOT", help="Only this slot, such as optimizer.")
@format_option("text", "json")
@target_options
@color_option()
def command(
    recipe: str,
    component: str | None,
    slot: str | None,
    style: str,
    gpu: str | None,
    gpus: int | None,
    packages: str | None,
    color: ColorChoice,
) -> int:
    """Say of every component whether it can be equipped, with what, in place of what, or why not.

    RECIPE is a file, or - for standard input. With a COMPONENT, only of that one: why it is blocked, step by step, and the
    cheapest changes after which the recipe runs with it.
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
    wanted = _component(component, catalog) if component is not None else None
    document, loadout, catalog = loaded(document_at(recipe), overrides_for(recipe, flags_from(gpu, gpus, packages)))
    if wanted is not None:
        write(_one(wanted, document.path, loadout, catalog, style, color))
        return CLEAN
    found = [s for s in statuses(catalog, loadout) if slot is None or catalog.components[s.component].slot == slot]
    if style == "json":
        from recipeforge.render.json import dumped, statuses_json

        write(dumped(statuses_json(document.path, found, {c.id: c.slot for c in catalog.components.values()})))
    else:
        from recipeforge.render.statuses import render_statuses

        write(render_statuses(catalog, found, look(color)))
    return CLEAN


def _component(name: str, catalog: Catalog) -> str:
    """Return the component with this id or alias."""
    folded = name.strip().casefold()
    for component in catalog.components.values():
        if folded in (component.id, *(alias.casefold() for alias in component.aliases)):
            return component.id
    from difflib import get_close_matches

    near = get_close_matches(folded, catalog.components, 1)
    hint = f"; did you mean `{near[0]}`?" if near else "; recipeforge catalog show components lists them"
    raise click.BadParameter(f"there is no component `{name}`{hint}", param_hint="COMPONENT")


def _one(component: str, path: str, loadout: Loadout, catalog: Catalog, style: str, color: ColorChoice) -> str:
    """Return the explanation of one component's status."""
    from recipeforge.solver.blocked import why_not

    told = why_not(catalog, loadout, component)
    if style == "json":
        from recipeforge.render.json import blocked_json, dumped

        return dumped(blocked_json(path, told, catalog.components[component].slot))
    from recipeforge.render.statuses import render_blocked

    return render_blocked(catalog, told, look(color))
