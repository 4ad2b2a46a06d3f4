"""The JSON face: its exact shape, 1-based places, verbatim quotes."""

import json
from collections.abc import Callable

import sample_report as sample

from recipeforge.render.json import render_json, statuses_json


def test_the_whole_object(golden: Callable[[str, str], None]) -> None:
    golden("report.json", render_json([sample.REPORT, sample.CLEAN], "c0ffee"))


def test_the_keys_of_the_design() -> None:
    told = json.loads(render_json([sample.REPORT], "c0ffee"))
    assert told["format"] == "recipeforge/check/1"
    assert told["catalog"] == "c0ffee"
    file = told["files"][0]
    assert (file["path"], file["dialect"], file["verdict"]) == ("recipe.yaml", "recipeforge", "conflicting")
    assert file["estimate"]["memory_gib"] == {"total": 3.5, "terms": {"weights": 3.0, "activations": 0.5}}
    first = file["diagnostics"][0]
    assert first["range"] == {"start": {"line": 4, "column": 18}, "end": {"line": 4, "column": 23}}
    assert first["citations"][0]["quote"] == sample.QUOTE
    assert first["fixes"][0]["changes"] == [{"op": "add", "slot": "quantization", "component": "bnb-4bit"}]
    insertion = {"start": {"line": 5, "column": 1}, "end": {"line": 5, "column": 1}}
    assert first["fixes"][0]["edits"] == [{"range": insertion, "text": "quantization: bnb-4bit\n"}]


def test_a_long_quote_stays_verbatim() -> None:
    told = json.loads(render_json([sample.REPORT], ""))
    quotes = [c["quote"] for d in told["files"][0]["diagnostics"] for c in d["citations"]]
    assert sample.LONG_QUOTE in quotes


def test_false_and_zero_are_values() -> None:
    from recipeforge.render.json import change_json
    from recipeforge.schemas.change import Change

    assert change_json(Change("set", knob="data.packing", value=False)) == {"op": "set", "knob": "data.packing", "value": False}
    assert change_json(Change("set", knob="technique.dropout", value=0.0))["value"] == 0.0


def test_statuses() -> None:
    slots = {c.id: c.slot for c in sample.CATALOG.components.values()}
    told = statuses_json("recipe.yaml", sample.STATUSES, slots)
    assert [c["status"] for c in told["components"]] == ["equipped", "swap", "available", "conditional", "blocked"]  # type: ignore[index]
