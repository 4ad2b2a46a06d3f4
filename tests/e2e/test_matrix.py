"""A share of `benchmarks/matrix.py`: what is judged valid trains, what is judged invalid does not, or does what its rule says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

ROOT = Path(__file__).parents[2]


@pytest.mark.train
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages")
def test_verdicts_are_true_of_forced_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "matrix.py"), "--valid", "8", "--invalid", "5", "--seed", "5"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "valid: 8; 8 trained" in done.stdout
    assert "agreement: 13 of 13 = 100.0%" in done.stdout
