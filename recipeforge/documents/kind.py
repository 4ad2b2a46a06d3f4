"""Which files are recipes: by their name, by a top-level `recipeforge:` key near the start, or by keys that only configurations of a
known trainer have. All other YAML is left alone."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from recipeforge.documents.dialects.marks import dialect_of_text

HEAD = 1 << 16
"""The key is looked for in so many characters."""

_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
_NAME = re.compile(r"(?:.+\.)?recipe\.ya?ml\Z", re.IGNORECASE)
_KEY = re.compile(r"^\ufeff?recipeforge[ \t]*:", re.MULTILINE)


def named_as_recipe(name: str) -> bool:
    """Return whether a file's name says that it is a recipe: `recipe.yaml` or `*.recipe.yaml`."""
    return _NAME.match(name) is not None


def calls_itself_recipe(text: str) -> bool:
    """Return whether a text has a top-level `recipeforge:` key near its start."""
    return _KEY.search(text, 0, HEAD) is not None


def says_how_to_train(text: str) -> bool:
    """Return whether a text is a recipe, or a configuration of a trainer that is known here."""
    return calls_itself_recipe(text) or dialect_of_text(text) is not None


def recipes_below(root: str) -> Iterator[str]:
    """Yield the recipes in a folder and the folders below, in order; hidden folders and those of installed packages are left out."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            path = os.path.normpath(os.path.join(folder, name)) if root == "." else os.path.join(folder, name)  # noqa: PTH118
            if is_recipe(path):
                yield path


def is_recipe(path: str) -> bool:
    """Return whether a file is a recipe, or a configuration of a trainer that is known here, by its name or its content."""
    name = os.path.basename(path)  # noqa: PTH119
    return named_as_recipe(name) or (name.lower().endswith((".yaml", ".yml")) and _says_so(Path(path)))


def _says_so(path: Path) -> bool:
    """Return whether a YAML file says near its top how to train."""
    try:
        if not path.is_file():  # a pipe would wait for ever
            return False
        with path.open("rb") as file:
            return says_how_to_train(file.read(HEAD).decode("utf-8", errors="replace"))
    except (OSError, ValueError):
        return False
