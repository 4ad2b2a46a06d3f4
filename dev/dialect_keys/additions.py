"""What a source does not say where a program could read it, seen by eye: corrections and successors, one YAML file a dialect."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "additions"


class Stale(Exception):
    """An addition speaks of a key that the source has no more."""


def load(dialect: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The additions to one dialect: `keys` (new, or marked `amend` and changed), `gone`, `dropped`."""
    path = FOLDER / f"{dialect}.yaml"
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def inherit(keys: Mapping[str, Any], gone: dict[str, dict[str, Any]], more: Mapping[str, Mapping[str, Any]]) -> None:
    """Name the successors of keys that came from a library below; one that is still read can only be deprecated."""
    for key, entry in more.items():
        if key in keys and entry["how"] != "deprecated":
            continue
        how = "removed" if entry["how"] == "deprecated" and key not in keys else entry["how"]
        gone[key] = {"instead": None, **gone.get(key, {}), **entry, "how": how}


def add(keys: dict[str, dict[str, Any]], gone: dict[str, dict[str, Any]], more: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Put additions into a vocabulary.

    Raises:
        Stale: an amended key is not there, or a key that was to be added is.
    """
    for key, entry in more.get("amend", {}).items():
        if key not in keys:
            raise Stale(f"`{key}` was to be amended and is not there")
        keys[key] = {k: v for k, v in {**keys[key], **entry}.items() if v != "drop"}
    for key, entry in more.get("keys", {}).items():
        if key in keys:
            raise Stale(f"`{key}` was to be added and is there")
        keys[key] = dict(entry)
        gone.pop(key, None)
    for key, entry in more.get("gone", {}).items():
        if entry["how"] == "deprecated" and key not in keys:
            raise Stale(f"`{key}` is called deprecated and is read no more")
        instead = entry.get("instead")
        if instead is not None and instead not in keys and instead.split(".")[0] not in keys:
            raise Stale(f"`{key}` is said to be `{instead}` now, which is not there")
        gone[key] = {"instead": None, **gone.get(key, {}), **entry}
