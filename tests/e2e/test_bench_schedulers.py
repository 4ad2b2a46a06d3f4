"""`recipeforge bench schedulers` as a person runs it: real encoder, real sentences, real processes and signals, but very few of each."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recipeforge.runner.cohort.needs import NEEDS, missing

COMMAND = [sys.executable, "-m", "recipeforge", "bench", "schedulers"]
TINY = ("--only", "linear,dlrs", "--seeds", "2", "--steps", "4", "--rates", "1e-4", "--validation", "8", "--out", "cohort")

needs_cohort = pytest.mark.skipif(
    bool(missing()), reason=f"needs {', '.join(need.name for need in NEEDS)}; missing here: {', '.join(n.name for n in missing())}"
)


def bench(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=folder, timeout=900, check=False)


def records(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "cohort" / "results.jsonl").read_text().splitlines()]


@needs_cohort
def test_a_tiny_cohort_is_interrupted_goes_on_and_is_told(tmp_path: Path) -> None:
    process = subprocess.Popen([*COMMAND, *TINY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("measuring 1/4: linear, seed 0, rate 0.0001: loss "), first + process.stderr.read()
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.split("\n")[-4:] == ["what ended is kept in cohort; the same command goes on from there", "", "interrupted", ""]
    assert "Traceback" not in told
    kept = records(tmp_path)
    assert 2 <= len(kept) < 5

    done = bench(*TINY, "--format", "json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"measuring: {len(kept) - 1} of 4 runs are there already\n")
    head, *runs = records(tmp_path)
    assert runs[: len(kept) - 1] == kept[1:]
    assert {(run["scheduler"], run["seed"]) for run in runs} == {("linear", 0), ("dlrs", 0), ("linear", 1), ("dlrs", 1)}
    for seed in (0, 1):  # the first loss is measured before any step: the same sentences, head and dropout for both
        linear, dlrs = (next(run for run in runs if (run["scheduler"], run["seed"]) == (name, seed)) for name in ("linear", "dlrs"))
        assert linear["train_loss"][0] == dlrs["train_loss"][0]
        assert linear["rates"] != dlrs["rates"]
        assert linear["steps"] == len(linear["train_loss"]) == 4
    assert runs[0]["train_loss"][0] != runs[2]["train_loss"][0]
    assert runs[0]["manifest"]["versions"] == head["versions"]

    told_json = json.loads(done.stdout)
    assert told_json["format"] == "recipeforge/cohort-summary/1"
    assert [line["leader"] for line in told_json["schedulers"]] == [True, False]
    table = bench("--report", "--out", "cohort", folder=tmp_path)
    assert table.returncode == 0
    assert "★" in table.stdout
    assert told_json["verdict"] in table.stdout
    assert bench("--report", "--out", "cohort", "--format", "markdown", folder=tmp_path).stdout.startswith("|  | scheduler |")


def test_bad_input_says_what_next(tmp_path: Path) -> None:
    for arguments, says in (
        (("--only", "linaer"), "no scheduler `linaer` takes part; did you mean `linear`?"),
        (("--only", "zzz"), "there are constant, linear"),
        (("--only", ","), "names no scheduler"),
        (("--rates", "fast"), "`fast` is no list of numbers such as 1e-4,2e-4"),
        (("--rates", "1e-4,2"), "a learning rate lies between 0 and 1"),
        (("--report", "--out", "gone"), "`recipeforge bench schedulers` makes one"),
        (("--steps", "0"), "--steps"),
    ):
        done = bench(*arguments, folder=tmp_path)
        assert done.returncode == 2, arguments
        assert says in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr


@needs_cohort
def test_more_steps_than_sentences_is_told(tmp_path: Path) -> None:
    done = bench("--only", "linear", "--steps", "5000", "--rates", "1e-4", "--out", "cohort", folder=tmp_path)
    assert done.returncode == 2
    assert "sentences and there are 8530; give fewer `--steps`" in done.stderr
