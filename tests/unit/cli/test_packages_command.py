"""`recipeforge packages`, and `solve --packages` that asks the same."""

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from recipeforge.catalog.releases import load_releases
from recipeforge.cli import main

GOOD = "recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\nprecision: bf16\nhardware: {gpu: a100-80gb}\n"
DEAD = GOOD.replace("gpu: a100-80gb", "gpu: a100-80gb, count: 2") + "distributed: tensor-parallel\npackages: {transformers: 5.2.0}\n"


def asked(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str, command: str = "packages") -> tuple[int, str, str]:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    code = main.outcome([command, str(path), *options])
    told = capsys.readouterr()
    return code, told.out.replace(str(path), "r.yaml"), told.err.replace(str(tmp_path), "")


def test_both_commands_give_the_same_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(tmp_path, capsys, GOOD)
    assert (code, err) == (0, "")
    assert out.startswith("r.yaml: the most recent versions that satisfy it\n")
    assert f"  peft             {load_releases()['peft'][-1].version}  newest; for LoRA\n" in out
    assert asked(tmp_path, capsys, GOOD, "--packages", command="solve") == (0, out, "")


def test_versions_given_by_option_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = asked(tmp_path, capsys, GOOD, "--packages", "torch=2.9.1,python=3.11", "--format", "json")
    told = json.loads(out)
    versions = {p["package"]: p["version"] for p in told["packages"]}
    assert (code, told["format"], told["kind"], told["proved"]) == (0, "recipeforge/packages/1", "found", True)
    assert (versions["torch"], versions["python"], versions["triton"]) == ("2.9.1", "3.11", "3.5.1")
    triton = next(p for p in told["packages"] if p["package"] == "triton")
    assert triton["needed_by"] == "torch"
    assert triton["bounds"][0]["source"] == "pkg:pypi/torch@2.9.1"
    assert triton["bounds"][0]["citation"]["quote"].startswith("Requires-Dist: triton==3.5.1")


def test_versions_behind_solve_are_still_a_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("precision", "distributed: fsdp2\nprecision").replace("gpu: a100-80gb", "gpu: a100-80gb, count: 2")
    code, out, _ = asked(tmp_path, capsys, text, "--packages", "torch=2.5.1", command="solve")
    assert code == 0
    assert out.startswith("repair 1:")


def test_the_recipe_stands_before_a_lone_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.outcome(["solve", "--packages", "r.yaml"]) == 2
    assert "`--packages` stands behind the recipe: recipeforge solve r.yaml --packages" in capsys.readouterr().err
    code, _, err = asked(tmp_path, capsys, GOOD, "--packages", "--pareto", command="solve")
    assert code == 2
    assert "--packages alone asks for versions" in err


def test_constraints_are_written_for_pip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("gpu: a100-80gb", "gpu: a100-80gb, count: 2") + "distributed: tensor-parallel\n"
    output = tmp_path / "constraints.txt"
    code, _, err = asked(tmp_path, capsys, text, "--packages", "python=3.12,huggingface-hub=1.33.0", "-o", str(output))
    lines = output.read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert code == 0
    assert "wrote /constraints.txt; install with: pip install -c /constraints.txt torch transformers accelerate peft\n" in err
    assert lines[0].endswith("/r.yaml, from releases as of 2026-11-21; written by recipeforge.")
    assert lines[1] == "# For Python 3.12 on Linux x86-64."
    assert {"torch", "transformers", "peft", "huggingface-hub"} <= {pin.name for pin in pins} and "python" not in {pin.name for pin in pins}
    assert all(str(pin.specifier).startswith("==") for pin in pins)
    assert "huggingface-hub==1.33.0" in lines
    rule = lines[lines.index(next(str(pin) for pin in pins if pin.name == "transformers")) - 1]
    assert rule.startswith(
        "# 5.4.0 or newer: RF7103 LoRA on a tensor-parallel base needs transformers 5.4 or newer, not 5.3.0 or older [EV-"
    )
    asked(tmp_path, capsys, text, "--packages", "python=3.12,huggingface-hub=1.33.0")
    assert asked(tmp_path, capsys, text, "--packages", "python=3.12,huggingface-hub=1.33.0", "-o", "-")[1].splitlines()[1:] == lines[1:]


def test_where_there_are_none_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "constraints.txt"
    code, out, err = asked(tmp_path, capsys, DEAD, "-o", str(output))
    assert code == 1
    newest = load_releases()["transformers"][-1].version
    assert out.startswith(f"r.yaml: no versions satisfy it with what is given; the least change: transformers 5.2.0 → {newest}\n")
    assert "could give way: LoRA; or tensor parallelism; or transformers 5.2.0" in out
    assert "was not written: there are no versions that keep what is given" in err
    assert not output.exists()
    told = json.loads(asked(tmp_path, capsys, DEAD, "--format", "json")[1])
    (conflict,) = told["conflicts"]
    assert (told["kind"], conflict["rules"], conflict["minimal"]) == ("none", ["RF7103"], True)
    assert conflict["steps"][-1]["kind"] == "contradiction"
    assert conflict["steps"][0]["range"]["start"]["line"] == 3


def test_errors_that_no_version_cures_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = asked(tmp_path, capsys, GOOD.replace("lora", "qlora"))
    assert code == 0
    assert "r.yaml: 1 error that no version cures, such as QLoRA needs a 4-bit base model (recipeforge check)" in err


def test_a_version_by_option_is_not_told_as_a_line_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = asked(tmp_path, capsys, DEAD, "--packages", "transformers=5.3.0")
    assert "transformers 5.3.0 is asked for by option or configuration" in out
    assert "line 7 asks for transformers" not in out


def test_too_little_time_is_undecided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = asked(tmp_path, capsys, GOOD, "--limit", "0.000000001")
    assert code == 3
    assert "the time ran out before versions were found" in out


def test_no_recipe_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(tmp_path, capsys, "- 1\n")[0] == 2


def test_given_versions_compare_as_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = asked(tmp_path, capsys, GOOD, "--packages", "torch=2.9", "--format", "json")
    torch = next(p for p in json.loads(out)["packages"] if p["package"] == "torch")
    assert (torch["version"], Version(torch["newest"]) > Version("2.9")) == ("2.9", True)
