"""Emacs with eglot in a terminal, with the configuration that docs/editors.md gives."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from snippets import snippet
from terminal import Terminal

FINDING = "FlashAttention needs an Ampere GPU"
QUIET = "(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil)\n"


def test_emacs_shows_the_finding_once_and_fixes_it(
    tmp_path: Path,
    program: Callable[[str], str],
    environment: dict[str, str],
    recipe: Path,
    cured: Callable[[Path], None],
    saw: Callable[[str], None],
) -> None:
    (tmp_path / ".emacs").write_text(QUIET + snippet("Emacs", "elisp"))
    saw(subprocess.run([program("emacs"), "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0])
    with Terminal(f"{program('emacs')} -nw {recipe}", environment | {"HOME": str(tmp_path)}, recipe.parent) as emacs:
        emacs.wait_for("Flymake[1")
        time.sleep(1.5)  # a double would come late
        assert "Flymake[1 0]" in emacs.screen(), emacs.screen()
        _call(emacs, "flymake-goto-next-error")
        shown = emacs.wait_for(FINDING)
        saw(f"echo area: {shown.rstrip().splitlines()[-1]}")
        _call(emacs, "flymake-show-buffer-diagnostics")
        emacs.wait_for("Flymake diagnostics for")
        listed = [line for line in emacs.screen().splitlines() if " error " in line]
        saw(f"findings: {'; '.join(' '.join(line.split()) for line in listed)}")
        assert len(listed) == 1, emacs.screen()
        _call(emacs, "delete-other-windows")
        _call(emacs, "eglot-code-actions")
        emacs.wait_for("Pick an action")
        emacs.type("Tab")
        menu = emacs.wait_for("Ignore RF4001")
        saw(f"menu: {'; '.join(line.strip() for line in menu.splitlines() if any(w in line for w in ('SDPA', 'Drop ', 'RF4001')))}")
        emacs.type("Enter")  # the preferred one is the default
        emacs.wait_for("attention: sdpa")
        emacs.wait_for("Flymake[0")
        emacs.type("C-x", "C-s")
        emacs.wait_for("Wrote ")
    cured(recipe)


def _call(emacs: Terminal, command: str) -> None:
    """Run a command by its name, as a person does."""
    emacs.type("M-x")
    emacs.wait_for("M-x")
    emacs.type(command, "Enter")
