"""Precision: recipes that are documented to run have no error, and what is warned about is counted and shown.

Run with `-s` to read the counts: by whose recipe it is, by model family, by devices, and every warning.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from recipeforge.api import check

FOLDER = Path(__file__).parent
ENTRIES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "documented.yaml").read_text(encoding="utf-8"))


def recipe_of(entry: dict[str, Any]) -> Path:
    """Return the recipe that an entry of the index is about."""
    return FOLDER / "documented" / f"{entry['id']}.yaml"


def codes(recipe: Path, severity: str) -> set[str]:
    """Return the codes of one severity that are reported about a recipe."""
    return {d.code for d in check(recipe).diagnostics if d.severity == severity}


def test_index_and_recipes_are_the_same_set() -> None:
    assert {recipe_of(entry) for entry in ENTRIES} == set((FOLDER / "documented").glob("*.yaml"))


def test_the_set_is_broad() -> None:
    assert len(ENTRIES) >= 60
    assert len({entry["repository"] for entry in ENTRIES}) >= 10
    assert len({entry["family"] for entry in ENTRIES}) >= 6
    devices = {entry["devices"] for entry in ENTRIES}
    assert 1 in devices
    assert any(isinstance(count, int) and count > 8 for count in devices)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["id"]))
def test_recipe_names_its_source(entry: dict[str, Any]) -> None:
    head = recipe_of(entry).read_text(encoding="utf-8").splitlines()[:2]
    assert head[0] == f"# Follows {entry['path']} of {entry['repository']} at {entry['commit'][:12]}."
    assert head[1].startswith(f"# https://github.com/{entry['repository']}/blob/{entry['commit']}/")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["id"]))
def test_documented_recipe_has_no_error(entry: dict[str, Any]) -> None:
    assert codes(recipe_of(entry), "error") == set(entry.get("disputed", {}))


def test_what_was_seen(saw: Callable[[str], None]) -> None:
    warned = {entry["id"]: sorted(codes(recipe_of(entry), "warning")) for entry in ENTRIES}
    disputed = {entry["id"]: entry["disputed"] for entry in ENTRIES if "disputed" in entry}
    lines = [f"documented to run: {len(ENTRIES)}, with an error: {len(disputed)}, warned about: {sum(map(bool, warned.values()))}"]
    for subject in ("repository", "family", "devices"):
        counts = Counter(str(entry[subject]) for entry in ENTRIES).most_common()
        lines.append(f"  by {subject}: " + ", ".join(f"{name} {count}" for name, count in counts))
    lines += [f"  warned: {name}: {', '.join(found)}" for name, found in warned.items() if found]
    lines += [f"  disputed: {name}: {code}: {reason}" for name, found in disputed.items() for code, reason in found.items()]
    saw("\n".join(lines))
    assert len(disputed) / len(ENTRIES) <= 0.02
