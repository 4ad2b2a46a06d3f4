"""What other people's CI runs: the pre-commit hook's command, and the steps of the GitHub Action, as they stand in their files."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "examples" / "broken-qlora.yaml"
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
CHECK = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "check")


def test_the_hook_passes_over_what_is_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "half.yaml").write_text("a: [\n")
    assert hook(tmp_path, "compose.yaml", "half.yaml") == (0, "")
    (tmp_path / "train.yaml").write_text(BROKEN.read_text())
    code, told = hook(tmp_path, "compose.yaml", "half.yaml", "train.yaml")
    assert code == 1
    assert "--> train.yaml:" in told
    assert "compose" not in told


def hook(folder: Path, *names: str) -> tuple[int, str]:
    program, *entry = shlex.split(HOOK["entry"])
    assert (program, HOOK["language"], HOOK["types"]) == ("recipeforge", "python", ["yaml"])
    done = subprocess.run(
        [sys.executable, "-m", "recipeforge", *entry, *names], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_the_action_annotates_and_writes_sarif(tmp_path: Path) -> None:
    (tmp_path / "my recipes").mkdir()
    (tmp_path / "my recipes" / "train.yaml").write_text(BROKEN.read_text())
    done, outputs = step(tmp_path, PATHS="my recipes\n", SARIF="found.sarif")
    assert done.returncode == 1
    assert done.stdout.startswith("::error file=my recipes/train.yaml,")
    assert outputs == {"sarif": "found.sarif", "exit-code": "1"}
    results = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"]
    assert {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results} == {"my%20recipes/train.yaml"}


def test_the_actions_inputs_reach_the_command(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text(BROKEN.read_text())
    (tmp_path / "b.recipe.yaml").write_text(BROKEN.read_text())
    codes = {line.split("title=")[1].split(" ")[0] for line in step(tmp_path)[0].stdout.splitlines()}
    assert "RF4001" in codes
    chosen, _ = step(tmp_path, PATHS="train.yaml\n\nb.recipe.yaml", SELECT="RF4001")
    assert len(chosen.stdout.splitlines()) == 2
    assert step(tmp_path, SELECT="RF4001", GPU="a100-80gb", GPUS="2", PACKAGES="torch=2.8")[1] == {"exit-code": "0"}
    assert "RF4001" not in step(tmp_path, IGNORE="RF4001")[0].stdout
    assert step(tmp_path, GPU="; touch hurt", SELECT="RF4001")[1] != {}
    assert not (tmp_path / "hurt").exists()


def test_a_wrong_path_does_not_pass_the_action(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    done, outputs = step(tmp_path, SARIF="found.sarif")
    assert done.returncode == 2
    assert "no recipe under" in done.stderr
    assert outputs == {"exit-code": "2"}
    assert not (tmp_path / "found.sarif").exists()


def test_every_input_of_the_action_is_used_and_described() -> None:
    given = {name: value for name, value in CHECK["env"].items() if "inputs." in value}
    assert {name.lower() for name in given} == set(ACTION["inputs"])
    assert all(value == f"${{{{ inputs.{name.lower()} }}}}" for name, value in given.items())
    assert all("${{" not in run["run"] for run in ACTION["runs"]["steps"] if "run" in run)  # an input is data, never text of a script
    assert all(part["description"] for part in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))


def step(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
    """Run the step that checks, with the shell and the variables that GitHub gives it."""
    forge, output = folder / ".forge", folder / ".output"
    (forge / "bin").mkdir(parents=True, exist_ok=True)
    program = forge / "bin" / "recipeforge"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m recipeforge "$@"\n')
    program.chmod(0o755)
    output.write_text("")
    defaults: dict[str, Any] = {name.upper(): given["default"] for name, given in ACTION["inputs"].items()}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK["run"]],
        cwd=folder,
        env=os.environ | defaults | {"FORGE": str(forge), "GITHUB_OUTPUT": str(output)} | inputs,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, dict(line.split("=", 1) for line in output.read_text().splitlines())
