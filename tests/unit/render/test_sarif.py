"""SARIF 2.1.0: what the standard demands of the parts that are used."""

import json
from collections.abc import Callable
from dataclasses import replace

import sample_report as sample

from recipeforge.render.sarif import render_sarif


def log() -> dict:
    return json.loads(render_sarif([sample.REPORT, sample.CLEAN], sample.CATALOG, "0.1.0"))


def test_the_whole_log(golden: Callable[[str, str], None]) -> None:
    golden("report.sarif.json", render_sarif([sample.REPORT], sample.CATALOG, "0.1.0"))


def test_the_envelope() -> None:
    assert log()["version"] == "2.1.0"
    assert log()["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log()["runs"]
    assert run["tool"]["driver"]["name"] == "recipeforge"
    assert run["columnKind"] == "unicodeCodePoints"


def test_every_result_names_its_rule() -> None:
    (run,) = log()["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]


def test_rules_carry_tier_and_source() -> None:
    rule = log()["runs"][0]["tool"]["driver"]["rules"][0]
    assert rule["properties"]["tier"] == "T2"
    assert rule["helpUri"] == "https://example.org/peft.py"
    assert "RF1001" in rule["help"]["markdown"]


def test_regions_are_1_based_and_in_order() -> None:
    for result in log()["runs"][0]["results"]:
        places = result["locations"] + result.get("relatedLocations", [])
        for place in places:
            region = place["physicalLocation"]["region"]
            assert min(region.values()) >= 1
            assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
        assert all("message" in place for place in result.get("relatedLocations", []))


def test_fixes_replace_regions_and_fixes_without_edits_are_left_out() -> None:
    first, last = log()["runs"][0]["results"][0], log()["runs"][0]["results"][-1]
    assert [fix["description"]["text"] for fix in first["fixes"]] == ["Add bnb 4-bit (safe)", "Call it LoRA (unsafe)"]
    change = first["fixes"][0]["artifactChanges"][0]
    assert change["replacements"][0]["insertedContent"]["text"] == "quantization: bnb-4bit\n"
    assert "fixes" not in last


def test_paths_become_uris() -> None:
    for path, uri in (("a b/猫.yaml", "a%20b/%E7%8C%AB.yaml"), ("/tmp/a b.yaml", "file:///tmp/a%20b.yaml")):
        told = json.loads(render_sarif([replace(sample.CLEAN, path=path)], sample.CATALOG, "0.1.0"))
        assert told["runs"][0]["artifacts"][0]["location"]["uri"] == uri
