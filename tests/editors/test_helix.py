"""Helix in a terminal, with the configuration that docs/editors.md gives."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from snippets import snippet
from terminal import Terminal

FINDING = "FlashAttention needs an Ampere GPU"


def test_helix_shows_the_finding_once_and_fixes_it(
    tmp_path: Path,
    program: Callable[[str], str],
    environment: dict[str, str],
    recipe: Path,
    cured: Callable[[Path], None],
    saw: Callable[[str], None],
) -> None:
    config = tmp_path / "config" / "helix"
    config.mkdir(parents=True)
    (config / "languages.toml").write_text(snippet("Helix", "toml"))
    (config / "config.toml").touch()
    own = {"XDG_CONFIG_HOME": str(config.parent), "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    version = subprocess.run([program("hx"), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    saw(version)
    with Terminal(f"{program('hx')} {recipe}", environment | own, recipe.parent) as helix:
        helix.wait_for("attention: flash-attention-2")
        helix.wait_for("● 1")  # one finding, says the status line
        time.sleep(1.5)  # a double would come late
        helix.type("]", "d")  # to the finding, which Helix then shows
        helix.wait_for(FINDING)
        helix.type("Space", "d")
        picker = helix.wait_for("ERROR")  # the severity's column: only the picker has it, the code stands on the line already
        listed = [line.strip(" │") for line in picker.splitlines() if "ERROR" in line]
        saw(f"findings: {'; '.join(listed)}")
        assert len(listed) == 1, picker
        helix.type("Escape")
        helix.wait_without("ERROR")
        helix.type("Space", "a")
        menu = helix.wait_for("Use SDPA")
        saw(f"menu: {'; '.join(_menu(menu))}")
        helix.type("Enter")
        helix.wait_for("attention: sdpa")
        helix.wait_without(FINDING)
        helix.type(":")
        helix.wait_for("write-quit")  # the command line lists its commands
        helix.type("w", "q", "Enter")
        _await_file(recipe, "sdpa")
    cured(recipe)


def _menu(screen: str) -> list[str]:
    """Return the menu's lines: they hold what no line of the recipe does."""
    return [line.strip(" │┌┐└┘─") for line in screen.splitlines() if any(word in line for word in ("SDPA", "Drop ", "Ignore RF"))]


def _await_file(path: Path, words: str) -> None:
    end = time.monotonic() + 10
    while words not in path.read_text():
        assert time.monotonic() < end, "Helix did not write the file"
        time.sleep(0.05)
