"""Which files to check: those named, and in folders those that are recipes."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from recipeforge.documents.kind import is_recipe, recipes_below

WHAT_COUNTS = (
    "recipes are files called recipe.yaml or *.recipe.yaml, YAML files with a top-level `recipeforge:` key, "
    "and training configurations of Axolotl, LLaMA-Factory, torchtune and TRL"
)


def recipe_paths(paths: Sequence[str], *, only_recipes: bool = False) -> list[str]:
    """Return the files to check, in order, each once; `-` stands for standard input.

    A file that is named is checked whatever it is called. In folders, recipes are `recipe.yaml`, `*.recipe.yaml`,
    other YAML files with a top-level `recipeforge:`, and those whose keys are a known trainer's; every other file is left alone.
    With `only_recipes` the same goes for files that are named, and nothing at all may be left: hooks name every YAML file that changed.

    Raises:
        click.UsageError: a folder holds no recipe, so that a wrong path does not pass for a clean one.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path == "-" or not os.path.isdir(path):  # noqa: PTH112 (a name with a NUL must not raise)
            if not only_recipes or path == "-" or not _readable(path) or is_recipe(path):
                found[path] = None
            continue
        inside = list(recipes_below(path))
        if not inside and not only_recipes:
            raise click.UsageError(f"no recipe under {path}; {WHAT_COUNTS}")
        found.update(dict.fromkeys(inside))
    return list(found)


def _readable(path: str) -> bool:
    """Return whether a file is there and may be read; one that is not is no file to pass over, but one to complain about."""
    try:
        return os.access(path, os.R_OK)
    except ValueError:  # a name with a NUL
        return False
