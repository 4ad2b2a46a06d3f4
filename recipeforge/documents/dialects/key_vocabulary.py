"""The keys that each tool knows, as data taken from its source: `keys/<dialect>.json`."""

import json
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any

from recipeforge.schemas.record import record

FOLDER = Path(__file__).parent / "keys"
FREE, ITEM = "*", "[]"


@record
class Keys:
    """The key vocabulary of one dialect, from the release that it was taken from."""

    title: str
    version: str
    source: str
    """Where the tool declares them."""
    keys: dict[str, dict[str, Any]]
    """Dotted path → its type, allowed values and so on; `[]` is a list's item, `*` any name."""
    gone: dict[str, dict[str, Any]]
    """Key → what became of it."""
    inside: dict[str, tuple[str, ...]]
    """Path of a mapping, with its separator → the keys that it takes."""
    refuses: bool
    """Whether the tool refuses a key that it does not know; else it drops the key and says nothing."""
    components: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Dotted name of what builds a part → its parameters; `**` where it takes any."""


@cache
def keys_of(name: str, title: str, refuses: bool) -> Keys | None:
    """Return the vocabulary of a dialect; `None` where none is shipped."""
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        return None
    data = json.loads(file.read_text(encoding="utf-8"))
    inside: dict[str, list[str]] = {}
    for path in data["keys"]:
        for at, mark in enumerate((*path, ".")):
            if mark == ".":
                start = path.rfind(".", 0, at) + 1
                name_here = path[start:at].removesuffix(ITEM)
                seen = inside.setdefault(path[:start], [])
                if name_here not in seen:
                    seen.append(name_here)
    frozen = {path: tuple(names) for path, names in inside.items()}
    return Keys(title, data["version"], data["source"], data["keys"], data.get("gone", {}), frozen, refuses, data.get("components", {}))
