"""Where the catalog's YAML files define what: components, rules, claims, slots, knobs and facts. Read when it is first asked for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from recipeforge.catalog.files import content_files
from recipeforge.catalog.load import SHIPPED_PACKS

What = Literal["component", "rule", "claim", "slot", "knob", "gpu", "model", "package"]

_FACTS: dict[str, What] = {"gpus": "gpu", "models": "model", "packages": "package"}
"""First word of a file's name, such as `models_gemma.yaml`."""
_FOLDERS: dict[str, What] = {"components": "component", "rules": "rule", "claims": "claim"}
_TOP: dict[str, What] = {"slots": "slot", "knobs": "knob"}
_ENTRY = re.compile(r"""- \{?\s*(?:id|code|path):\s*["']?([^\s,"'}]+)""")


class Place(NamedTuple):
    """An entry of a pack's file."""

    file: Path
    line: int
    """0-based."""
    start: int
    """Column of the id; what stands before it is ASCII, so it is the same in every encoding."""
    end: int


def place_of(what: What, id_: str) -> Place | None:
    """Return where something is defined; `None` for what the packs do not define."""
    return _places().get((what, id_))


@cache
def _places() -> dict[tuple[What, str], Place]:
    found: dict[tuple[What, str], Place] = {}
    for pack in SHIPPED_PACKS:
        for file in content_files(pack):
            of_facts = _FACTS.get(file.stem.partition("_")[0]) if file.parent.name == "facts" else None
            what = of_facts or _FOLDERS.get(file.parent.name) or _TOP.get(file.stem)
            if what is None:
                continue
            try:
                text = file.read_text(encoding="utf-8-sig")
            except OSError:
                continue
            for number, line in enumerate(text.split("\n")):
                match = _ENTRY.match(line)
                if match is not None:
                    found[what, match[1]] = Place(file.resolve(), number, match.start(1), match.end(1))
    return found
