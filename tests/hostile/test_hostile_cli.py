"""The command on every hostile file: the right exit code, no traceback, ≤ 2 s and ≤ 500 MB for the whole process."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import CASES, Case

MAX_SECONDS = 2.0
MAX_MEMORY_KB = 500_000


def _check(path: Path, memory_kb: int = MAX_MEMORY_KB) -> subprocess.CompletedProcess[bytes]:
    # A limit, not a measurement: Linux lets a child inherit the peak of the process that forked it.
    limited = ["sh", "-c", f'ulimit -d {memory_kb}; exec "$@"', "sh"]
    return subprocess.run([*limited, sys.executable, "-m", "recipeforge", "check", path], capture_output=True, check=False)


@pytest.fixture(scope="module", autouse=True)
def _catalog_cache_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Compiling the catalog after a change of its packs is not what is timed here.
    path = tmp_path_factory.mktemp("warm") / "recipe.yaml"
    path.write_text("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\n", encoding="utf-8")
    assert _check(path).returncode == 0


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_check_answers(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    started = time.perf_counter()
    process = _check(path)
    spent = time.perf_counter() - started
    text = (process.stdout + process.stderr).decode("utf-8", errors="replace")
    assert process.returncode == case.exit_code, text[-2000:]
    assert "Traceback" not in text
    assert spent < MAX_SECONDS
    for code in set(case.codes) if case.name != "folder" else ():
        assert code in text


def test_the_memory_limit_bites(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("recipeforge: 1\n", encoding="utf-8")
    assert b"MemoryError" in _check(path, memory_kb=2_000).stderr
