"""Which files are recipes: by their name, or by a top-level `recipeforge:` key near the start. All other YAML is left alone."""

import re

HEAD = 1 << 16
"""The key is looked for in so many characters."""

_NAME = re.compile(r"(?:.+\.)?recipe\.ya?ml\Z", re.IGNORECASE)
_KEY = re.compile(r"^\ufeff?recipeforge[ \t]*:", re.MULTILINE)


def named_as_recipe(name: str) -> bool:
    """Return whether a file's name says that it is a recipe: `recipe.yaml` or `*.recipe.yaml`."""
    return _NAME.match(name) is not None


def calls_itself_recipe(text: str) -> bool:
    """Return whether a text has a top-level `recipeforge:` key near its start."""
    return _KEY.search(text, 0, HEAD) is not None
