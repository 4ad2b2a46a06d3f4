"""What the engine says it can do, and that it refuses the rest."""

import json

import pytest
from click.testing import CliRunner

from recipeforge.catalog.load import load
from recipeforge.cli.parts import command
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.table import table
from recipeforge.runner.preflight import problems

CATALOG = load()


def test_the_table_has_every_component_and_every_part() -> None:
    entries = {entry.component: entry for entry in table(CATALOG)}
    assert set(entries) == set(CATALOG.components)
    assert {part.component for part in PARTS} == {c for c, entry in entries.items() if entry.implemented}
    assert all(entries[part.component].slot == part.slot for part in PARTS)
    assert all(entry.tested == (entry.implemented and not entry.untested) for entry in entries.values())


def test_every_component_that_is_not_implemented_is_refused_by_name(make, recipe) -> None:
    many = {slot.id for slot in CATALOG.slots.values() if slot.cardinality == "many"}
    missing = [c for c in CATALOG.components.values() if PARTS.get(c.id) is None]
    assert len(missing) > 100
    for component in missing:
        written = f"[{component.id}]" if component.slot in many else component.id
        made = make(recipe(**{component.slot: written}))
        told = [d.message for d in problems(made.plan, made.loadout) if d.slug == "part-not-implemented"]
        assert told == [f"the local engine does not implement {component.slot} `{component.id}`"]


def test_every_knob_that_a_part_reads_is_one_of_the_catalog() -> None:
    assert {knob for part in PARTS for knob in part.reads} - set(CATALOG.knobs) == set()


def test_the_command_lists_what_is_there_and_counts_the_rest() -> None:
    said = CliRunner().invoke(command, ["--slot", "optimizer"]).output
    assert "adamw " in said
    assert "badam" not in said
    assert "badam" in CliRunner().invoke(command, ["--slot", "optimizer", "--all"]).output
    told = json.loads(CliRunner().invoke(command, ["--format", "json"]).output)
    assert told["format"] == "recipeforge/parts/1"
    assert {p["component"] for p in told["parts"] if p["implemented"]} == {part.component for part in PARTS}
    with pytest.raises(Exception, match="no slot `optimiser`"):
        CliRunner().invoke(command, ["--slot", "optimiser"], standalone_mode=False, catch_exceptions=False)
