"""Which files to check: those named, and in folders those that are recipes."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from recipeforge.documents.kind import recipes_below

WHAT_COUNTS = (
    "recipes are files called recipe.yaml or *.recipe.yaml, YAML files with a top-level `recipeforge:` key, "
    "and training configurations of Axolotl, LLaMA-Factory, torchtune and TRL"
)


def recipe_paths(paths: Sequence[str]) -> list[str]:
    """Return the files to check, in order, each once; `-` stands for standard input.

    A file that is named is checked whatever it is called. In folders, recipes are `recipe.yaml`, `*.recipe.yaml`,
    other YAML files with a top-level `recipeforge:`, and those whose keys are a known trainer's; every other file is left alone.

    Raises:
        click.UsageError: a folder holds no recipe, so that a wrong path does not pass for a clean one.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path == "-" or not os.path.isdir(path):  # noqa: PTH112 (a name with a NUL must not raise)
            found[path] = None
            continue
        inside = list(recipes_below(path))
        if not inside:
            raise click.UsageError(f"no recipe under {path}; {WHAT_COUNTS}")
        found.update(dict.fromkeys(inside))
    return list(found)
