"""Neovim, with the configuration that docs/editors.md gives."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snippets import HERE, snippet


@pytest.fixture
def neovim(tmp_path: Path, program: Callable[[str], str], environment: dict[str, str]) -> Callable[[Path], dict[str, Any]]:
    """Open a file in Neovim and drive it; return the driver's report."""

    def drive(file: Path) -> dict[str, Any]:
        config = tmp_path / "config" / "nvim"
        config.mkdir(parents=True)
        (config / "init.lua").write_text(snippet("Neovim", "lua"))
        own = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
        report = tmp_path / "report.json"
        command = [program("nvim"), "--headless", str(file), "-c", f"luafile {HERE / 'drive_neovim.lua'}"]
        said = subprocess.run(command, env=environment | own | {"REPORT": str(report)}, capture_output=True, text=True, timeout=90)
        assert report.is_file(), said.stdout + said.stderr
        return json.loads(report.read_text())

    return drive


def test_neovim_shows_the_finding_once_and_fixes_it(
    neovim: Callable[[Path], dict[str, Any]], recipe: Path, cured: Callable[[Path], None], saw: Callable[[str], None]
) -> None:
    report = neovim(recipe)
    saw(f"Neovim {report['client']}, {report.get('encoding')}, {'pull' if report['pulls'] else 'push'}")
    assert report.get("problem") is None
    for found in report["findings"]:
        saw(f"{found['code']} on line {found['line']} under {found['text']!r}: {found['message']}")
    assert [(found["code"], found["text"]) for found in report["findings"]] == [("RF4001", "flash-attention-2")]
    assert report["findings"][0]["source"] == "recipeforge"
    assert report["findings"][0]["href"], "no link to the rule"
    assert report["findings"][0]["related"], "the other participant is not named"
    assert "FlashAttention only supports Ampere GPUs or newer" in report["hover"]
    saw(f"menu: {'; '.join(report['actions'])}")
    assert report["edited"] and report["cleared"]
    cured(recipe)


AXOLOTL = """\
# ours: one card
base_model: HuggingFaceTB/SmolLM2-135M
adapter: lora
lora_r: 16   # small
lora_target_linear: true
datasets:
  - path: ./train.jsonl
    type: alpaca
sequence_len: 1024
micro_batch_size: 2
gradient_accumulation_steps: 4
learning_rate: 2e-4
weight_deccay: 0.1   # a letter too many
bf16: true
"""


def test_neovim_mends_a_misspelt_key_of_axolotl(
    neovim: Callable[[Path], dict[str, Any]], tmp_path: Path, saw: Callable[[str], None]
) -> None:
    """A configuration of another tool, as its users have it: the squiggle asks the right question, and the quick fix answers it."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project/recipeforge.toml").touch()
    file = tmp_path / "project/config.yml"
    file.write_text(AXOLOTL)
    report = neovim(file)
    assert report.get("problem") is None
    for found in report["findings"]:
        saw(f"{found['code']} on line {found['line']} under {found['text']!r}: {found['message']}")
    saw(f"menu: {'; '.join(report['actions'])}")
    (found,) = report["findings"]
    assert (found["code"], found["text"], found["line"]) == ("RF0023", "weight_deccay", 13)
    assert "Did you mean `weight_decay`?" in found["message"]
    assert report["actions"][0] == "Rename to `weight_decay`"
    assert report["edited"] and report["cleared"]
    assert file.read_text() == AXOLOTL.replace("weight_deccay", "weight_decay")
