"""`recipeforge estimate`: how much memory the run will take, term by term, how long it will last, and what it will cost."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, overrides_for, target_options
from recipeforge.render.look import ColorChoice

if TYPE_CHECKING:
    from recipeforge.runner.trace import Trace
    from recipeforge.schemas.catalog import Catalog
    from recipeforge.schemas.loadout import Loadout


@click.command("estimate")
@click.argument("recipe")
@click.option("--trace", is_flag=True, help="Also count two steps of the model's own code on fake tensors; needs the train extra.")
@format_option("text", "json")
@target_options
@color_option()
def command(recipe: str, trace: bool, style: str, gpu: str | None, gpus: int | None, packages: str | None, color: ColorChoice) -> int:
    """Predict the peak memory of one device, and the speed, the time and the cost of the run.

    RECIPE is a file, or - for standard input. Shown are the terms of the moment at which most is alive, what the other moments of
    a step take, and what the card itself will show as used, as a range. A trace takes seconds to a minute and no GPU. Speed, time
    and cost are ranges too, by published runs and prices: docs/time.md.

    Leaves with 1 when there is nothing to go by: the model's dimensions are not known, or what was to be traced cannot be.
    """
    from recipeforge.api import loaded
    from recipeforge.api.running import measured_here
    from recipeforge.solver.memory_budget import card, moments
    from recipeforge.solver.speed_estimate import LENGTH_UNKNOWN, speed_of, why_unknown

    overrides = overrides_for(recipe, flags_from(gpu, gpus, packages))
    document, loadout, catalog = loaded(document_at(recipe), overrides)
    if measured := measured_here(loadout.context.facts):
        document, loadout, catalog = loaded(document, {**overrides, **measured})
        note(f"{document.path}: speed by what `recipeforge bench gpu` measured on this machine")
    found, shown = moments(catalog, loadout), card(catalog, loadout)
    speed, why = speed_of(catalog, loadout), why_unknown(catalog, loadout)
    counted = traced(document.path, document.text, loadout, catalog) if trace and found else None
    if style == "json":
        from recipeforge.render.estimate import card_json, moments_json, trace_json
        from recipeforge.render.json import dumped, estimate_json
        from recipeforge.render.speed import speed_json

        told = {"format": "recipeforge/estimate/1", "path": document.path, "estimate": estimate_json(found.estimate if found else None)}
        if found and shown:
            told |= {"moments": moments_json(found.totals), "card": card_json(shown)}
        if counted:
            told["trace"] = trace_json(counted.total, counted.moments)
        told["speed"] = speed_json(speed, why)
        write(dumped(told))
    elif found is None:
        note(f"{document.path}: no estimate; the dimensions of `{loadout.model}` are not known (`recipeforge check` says what to do)")
    else:
        from recipeforge.render.estimate import render_estimate, render_more
        from recipeforge.render.speed import render_speed

        facts = loadout.context.facts
        device = facts.get("gpu.memory_gib")
        title = f"{document.path}: peak memory of one device" + (f", {facts['gpu.title']}" if "gpu.title" in facts else "")
        write(render_estimate(title, found.estimate, float(device) if isinstance(device, int | float) else None, look(color)))
        write(render_more(found, shown, (counted.total, counted.moments) if counted else None, look(color)))
        write(render_speed(speed, why, LENGTH_UNKNOWN, look(color)))
    return CLEAN if found is not None and (counted or not trace) else FINDINGS


def traced(path: str, text: str, loadout: Loadout, catalog: Catalog) -> Trace | None:
    """Trace a recipe; what stands in the way is said on standard error."""
    from recipeforge.runner.plan import make_plan
    from recipeforge.schemas.errors import RunError
    from recipeforge.solver.memory_budget import state_bytes

    try:
        from recipeforge.runner.trace import trace
    except ImportError as missing:
        note(f"{path}: no trace, since {missing.name} is not installed; install recipeforge[train]")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries about one another, nothing that the recipe's author could mend
            return trace(make_plan(catalog, loadout, text), loadout.context.facts, state_bytes(catalog, loadout))
    except RunError as error:
        note(f"{path}: no trace; {error}")
        return None
