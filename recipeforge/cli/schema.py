"""`recipeforge schema`: the JSON Schema of the recipe."""

from __future__ import annotations

import click

from recipeforge.cli.exits import CLEAN
from recipeforge.cli.output import write


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of the recipe, for editors.

    Save it, and open a recipe with `# yaml-language-server: $schema=recipe.schema.json`.
    """
    from recipeforge.catalog.load import load
    from recipeforge.catalog.recipe_schema import json_schema
    from recipeforge.render.json import dumped

    write(dumped(json_schema(load())))
    return CLEAN
