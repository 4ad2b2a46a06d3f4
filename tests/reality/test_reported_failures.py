"""Recall: failures that people reported are seen before the run, by the rule that says why.

Run with `-s` to read the counts by subject, and each miss with its reason.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from recipeforge.api import check

FOLDER = Path(__file__).parent
ENTRIES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "reported.yaml").read_text(encoding="utf-8"))
RECALL = 0.9


def recipe_of(entry: dict[str, Any]) -> Path:
    """Return the recipe that an entry of the index is about."""
    return FOLDER / "reported" / f"{entry['id']}.yaml"


def reported(recipe: Path) -> set[str]:
    """Return the codes of all errors and warnings about a recipe."""
    return {d.code for d in check(recipe).diagnostics if d.severity in ("error", "warning")}


def test_index_and_recipes_are_the_same_set() -> None:
    assert {recipe_of(entry) for entry in ENTRIES} == set((FOLDER / "reported").glob("*.yaml"))


def test_the_set_is_broad() -> None:
    assert len(ENTRIES) >= 60
    assert len({entry["subject"] for entry in ENTRIES}) >= 10


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["id"]))
def test_entry_says_where_and_why(entry: dict[str, Any]) -> None:
    assert entry["issue"].startswith("https://github.com/")
    assert entry["issue"] in recipe_of(entry).read_text(encoding="utf-8").splitlines()[0]
    assert entry["quote"]
    assert len(entry["quote"]) <= 300
    assert bool(entry["expect"]) != ("missed" in entry)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["id"]))
def test_failure_is_seen_by_its_rule(entry: dict[str, Any]) -> None:
    seen = reported(recipe_of(entry)) & set(entry["expect"])
    assert bool(seen) != ("missed" in entry)


def test_what_was_seen(saw: Callable[[str], None]) -> None:
    missed = {entry["id"]: entry["missed"] for entry in ENTRIES if "missed" in entry}
    recall = 1 - len(missed) / len(ENTRIES)
    subjects = Counter(str(entry["subject"]) for entry in ENTRIES).most_common()
    lines = [f"reported failures: {len(ENTRIES)}, seen: {len(ENTRIES) - len(missed)} ({recall:.0%})"]
    for sample in sorted({entry["sample"] for entry in ENTRIES}):
        drawn = [entry for entry in ENTRIES if entry["sample"] == sample]
        lines.append(f"  sample {sample}: {sum('missed' not in entry for entry in drawn)} of {len(drawn)}")
    lines.append("  by subject: " + ", ".join(f"{name} {count}" for name, count in subjects))
    lines += [f"  missed: {name}: {reason}" for name, reason in missed.items()]
    saw("\n".join(lines))
    assert recall >= RECALL
