"""`recipeforge lsp` before it serves: what a person who starts it by hand, or without the extra, is told."""

import os
import subprocess
import sys
from pathlib import Path


def forge(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recipeforge", "lsp", *arguments]
    return subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment})


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(\"No module named 'pygls'\", name='pygls')\n")
    done = forge(PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: the language server needs the package pygls; install it with: pip install 'recipeforge[lsp]'\n"


def test_a_log_that_cannot_be_written_is_bad_use(tmp_path: Path) -> None:
    done = forge("--log-file", str(tmp_path / "none" / "log.txt"))
    assert done.returncode == 2
    assert "cannot be written: No such file or directory" in done.stderr


def test_a_client_that_leaves_at_once_ends_the_server() -> None:
    done = forge("--stdio")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
