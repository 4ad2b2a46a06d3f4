"""`recipeforge run --resume` as a person runs it: killed at any moment, by a signal that nobody can catch."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

COMMAND = [sys.executable, "-m", "recipeforge"]
KILLS = int(os.environ.get("RECIPEFORGE_KILLS", "3"))
"""How many moments to kill at; more take longer."""
pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]


@pytest.fixture
def folder(tiny_recipe: Path) -> Path:
    return tiny_recipe.parent


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "run", "r.yaml", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        start_new_session=True,
    )


def shown(folder: Path, *arguments: str) -> dict:
    command = [*COMMAND, "runs", "show", "last", "--format", "json", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True).stdout)


def training_process(starter: int) -> int | None:
    """The one that the command started."""
    children = Path(f"/proc/{starter}/task/{starter}/children")
    try:
        found = children.read_text().split()
    except OSError:
        return None
    return int(found[0]) if found else None


def weights(run: dict) -> bytes:
    return (Path(run["folder"]) / "adapter" / "adapter_model.safetensors").read_bytes()


def killed_once(folder: Path, draw: random.Random, lines: int) -> tuple[bool, int | None]:
    """Go on, and kill behind some line that it writes, within fifty milliseconds; return whether that came to pass, and how it ended."""
    process = start(folder, "--resume")
    assert process.stderr is not None
    moment = draw.randrange(lines)
    for number, _ in enumerate(process.stderr):
        if number == moment:
            time.sleep(draw.uniform(0, 0.05))
            trainer = training_process(process.pid)
            for victim in draw.choice([(process.pid,), (trainer,), (process.pid, trainer)]):
                if victim is not None:
                    os.kill(victim, signal.SIGKILL)
            process.communicate(timeout=300)
            return True, process.returncode
    process.communicate(timeout=300)
    return False, process.returncode


def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(folder: Path) -> None:
    process = start(folder, "--ledger", "whole/ledger.sqlite3")
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    whole = shown(folder, "--ledger", "whole/ledger.sqlite3")
    draw, kills, steps = random.Random(int(os.environ.get("RECIPEFORGE_SEED", "1"))), 0, []
    for round_ in range(10 * KILLS):
        code = None
        while code != 0:  # one run, killed until it ends
            if kills < KILLS:
                killed, code = killed_once(folder, draw, len(said.splitlines()))
                kills += killed
            else:
                process = start(folder, "--resume")
                told = process.communicate(timeout=300)
                code = process.returncode
                assert code == 0, told
            steps.append(shown(folder)["run"]["steps"])
        row = shown(folder)
        assert row["run"]["state"] == "finished", row
        assert row["series"] == whole["series"]
        assert weights(row["run"]) == weights(whole["run"])
        for name in ("heldout_loss_before", "heldout_loss_after", "train_loss_first", "train_loss_last"):
            assert row["run"]["metrics"][name] == whole["run"]["metrics"][name]
        if kills == KILLS:
            break
        (folder / "runs").rename(folder / f"runs-{round_}")
    print(f"{kills} kills; the row's steps after each attempt: {steps}")
    assert kills == KILLS


def test_without_a_recipe_by_id_and_when_there_is_nothing_left(folder: Path) -> None:
    process = start(folder)
    time.sleep(0.1)
    while not list(folder.glob("runs/*/checkpoint-7")) and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    run = shown(folder)["run"]
    assert (run["state"], run["cause"]) == ("failed", "killed")
    assert "--resume" in run["message"]

    text = (folder / "r.yaml").read_text()
    (folder / "r.yaml").write_text(text.replace("1.0e-2", "2.0e-2"))
    told = subprocess.run([*COMMAND, "run", "--resume", "r.yaml"], capture_output=True, text=True, cwd=folder, check=False)
    assert told.returncode == 2
    assert "optimizer.learning_rate: 0.01 then, 0.02 now" in told.stderr
    (folder / "r.yaml").unlink()

    done = subprocess.run([*COMMAND, "run", "--resume", run["id"][:17]], capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "goes on after step" in done.stderr
    assert shown(folder)["run"]["id"] == run["id"]

    (folder / "r.yaml").write_text(text)
    again = subprocess.run([*COMMAND, "run", "r.yaml", "--resume"], capture_output=True, text=True, cwd=folder, check=False)
    assert again.returncode == 0
    assert "is finished; there is nothing to go on with" in again.stderr
