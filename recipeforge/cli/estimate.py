"""`recipeforge estimate`: how much memory the run will take, term by term."""

from __future__ import annotations

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import color_option, format_option, look, note, write
from recipeforge.cli.source import document_at
from recipeforge.cli.target import flags_from, overrides_for, target_options
from recipeforge.render.look import ColorChoice


@click.command("estimate")
@click.argument("recipe")
@format_option("text", "json")
@target_options
@color_option()
def command(recipe: str, style: str, gpu: str | None, gpus: int | None, packages: str | None, color: ColorChoice) -> int:
    """Predict the peak memory of one device.

    RECIPE is a file, or - for standard input. Leaves with 1 when there is nothing to go by: the model's dimensions are not known.
    """
    from recipeforge.api import loaded
    from recipeforge.solver.memory_budget import estimate as estimate_memory

    document, loadout, catalog = loaded(document_at(recipe), overrides_for(recipe, flags_from(gpu, gpus, packages)))
    estimate = estimate_memory(catalog, loadout)
    if style == "json":
        from recipeforge.render.json import dumped, estimate_json

        write(dumped({"format": "recipeforge/estimate/1", "path": document.path, "estimate": estimate_json(estimate)}))
    elif estimate is None:
        note(f"{document.path}: no estimate; the dimensions of `{loadout.model}` are not known (`recipeforge check` says what to do)")
    else:
        from recipeforge.render.estimate import render_estimate

        facts = loadout.context.facts
        device = facts.get("gpu.memory_gib")
        title = f"{document.path}: peak memory of one device" + (f", {facts['gpu.title']}" if "gpu.title" in facts else "")
        write(render_estimate(title, estimate, float(device) if isinstance(device, int | float) else None, look(color)))
    return CLEAN if estimate is not None else FINDINGS
