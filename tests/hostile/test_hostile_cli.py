"""The command on every hostile file: the right exit code, no traceback, ≤ 2 s and ≤ 500 MB for the whole process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cases import CASES, Case

MAX_SECONDS = 2.0
MAX_RSS_BYTES = 500_000_000


@pytest.fixture(scope="module", autouse=True)
def _catalog_cache_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Compiling the catalog after a change of its packs is not what is timed here.
    path = tmp_path_factory.mktemp("warm") / "recipe.yaml"
    path.write_text("recipeforge: 1\nmodel: HuggingFaceTB/SmolLM2-135M\ntechnique: lora\n", encoding="utf-8")
    assert subprocess.run([sys.executable, "-m", "recipeforge", "check", path], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_check_answers(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    out = tmp_path / "out.txt"
    started = time.perf_counter()
    with out.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "recipeforge", "check", path], stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = out.read_text(encoding="utf-8", errors="replace")
    assert process.returncode == case.exit_code, text[-2000:]
    assert "Traceback" not in text
    assert time.perf_counter() - started < MAX_SECONDS
    assert usage.ru_maxrss * 1024 < MAX_RSS_BYTES
    for code in set(case.codes) if case.name != "folder" else ():
        assert code in text
