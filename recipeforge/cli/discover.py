"""Which files to check: those named, and in folders those that are recipes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from recipeforge.documents.kind import HEAD, calls_itself_recipe, named_as_recipe

WHAT_COUNTS = "recipes are files called recipe.yaml or *.recipe.yaml, or YAML files with a top-level `recipeforge:` key"

_SKIPPED = {"node_modules", "__pycache__", "site-packages"}


def recipe_paths(paths: Sequence[str]) -> list[str]:
    """Return the files to check, in order, each once; `-` stands for standard input.

    A file that is named is checked whatever it is called. In folders, recipes are `recipe.yaml`, `*.recipe.yaml`, and
    other YAML files with a top-level `recipeforge:`; every other file is left alone.

    Raises:
        click.UsageError: a folder holds no recipe, so that a wrong path does not pass for a clean one.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path == "-" or not os.path.isdir(path):  # noqa: PTH112 (a name with a NUL must not raise)
            found[path] = None
            continue
        inside = list(_in_folder(path))
        if not inside:
            raise click.UsageError(f"no recipe under {path}; {WHAT_COUNTS}")
        found.update(dict.fromkeys(inside))
    return list(found)


def _in_folder(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            path = os.path.normpath(os.path.join(folder, name)) if root == "." else os.path.join(folder, name)  # noqa: PTH118
            if named_as_recipe(name) or (name.lower().endswith((".yaml", ".yml")) and _says_so(Path(path))):
                yield path


def _says_so(path: Path) -> bool:
    """Return whether a YAML file calls itself a recipe near its top."""
    try:
        if not path.is_file():  # a pipe would wait for ever
            return False
        with path.open("rb") as file:
            return calls_itself_recipe(file.read(HEAD).decode("utf-8", errors="replace"))
    except (OSError, ValueError):
        return False
