"""Engines before they start: what does not go together, and whose failure is told."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from recipeforge.runner.engines import folder, preflight
from recipeforge.runner.engines.port import free_port
from recipeforge.runner.plan import Plan, under
from recipeforge.runner.preflight import problems
from recipeforge.runner.resume import differences

TWO = {"hardware": "{gpu: cpu, count: 2}"}


def told(made, engine: str = "torchrun", processes: int = 2, port: int | None = None) -> list[tuple[str, str]]:
    return [(d.slug, d.help) for d in problems(under(made.plan, engine, processes, port), made.loadout)]


def test_several_processes_are_no_problem_where_the_recipe_agrees(make, recipe) -> None:
    assert told(make(recipe(**TWO))) == []
    assert told(make(recipe(**TWO, distributed="[ddp]"))) == []
    assert told(make(recipe(**TWO, distributed="[fsdp2]"))) == []


def test_one_process_says_how_to_get_several(make, recipe) -> None:
    ((slug, help),) = told(make(recipe(**TWO)), "in-process")
    assert (slug, "--engine torchrun" in help) == ("several-devices", True)
    ((slug, help),) = told(make(recipe(distributed="[ddp]")), "in-process")
    assert (slug, "--processes 2" in help) == ("several-devices", True)


def test_counts_that_disagree_are_told_with_the_next_step(make, recipe) -> None:
    assert told(make(recipe(**TWO)), processes=3) == [("processes-disagree", "Leave `--processes` out, or write `count: 3`.")]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ({"technique": "{use: dora, rank: 4}"}, "technique `dora`"),
        ({"optimizer": "{use: adamw-8bit, learning_rate: 1.0e-3}"}, "optimizer `adamw-8bit`"),
        ({"technique": "lora", "quantization": "bnb-8bit"}, "quantization `bnb-8bit`"),
        ({"averaging": "ema"}, "averaging `ema`"),
        ({"regularization": "[neftune]"}, "regularization `neftune`"),
        ({"distributed": "[{use: fsdp2, offload: true}]"}, "`distributed.offload: true`"),
        ({"distributed": "[zero-3]"}, "does not implement distributed `zero-3`"),
        ({"distributed": "[tensor-parallel]"}, "does not implement distributed `tensor-parallel`"),
        ({"distributed": "[pipeline-parallel]"}, "does not implement distributed `pipeline-parallel`"),
    ],
)
def test_what_does_not_go_with_split_weights_is_refused_by_name(make, recipe, lines: dict[str, str], named: str) -> None:
    made = make(recipe(**{"distributed": "[fsdp2]", **TWO, **lines}))
    found = [d.message for d in problems(under(made.plan, "torchrun", 2), made.loadout)]
    assert len(found) == 1
    assert named in found[0]


def test_a_port_that_is_taken_and_gpus_that_are_not_there(make, recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(recipe(**TWO))
    assert told(made, port=free_port()) == []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert [slug for slug, _ in told(made, port=other.getsockname()[1])] == ["port-taken"]
    monkeypatch.setattr(preflight, "visible_gpus", lambda: 1)
    assert told(made) == []  # it is for a CPU
    made = make(recipe(hardware="{gpu: t4, count: 2}"))
    assert "too-few-gpus" in [slug for slug, _ in told(made)]


def test_the_plan_tells_and_keeps_its_engine(make, recipe) -> None:
    plan = make(recipe(**TWO)).plan
    two = under(plan, "torchrun", 2)
    assert dict(two.steps)["processes"] == "2 under torchrun; each takes 4 × 1 sequences of a step"
    assert Plan.from_json(two.to_json()) == two
    assert ("--engine", "in-process", "torchrun") in differences(plan, two)
    older = json.loads(plan.to_json())
    for name in ("engine", "processes", "port"):
        del older[name]
    assert Plan.from_json(json.dumps(older)) == plan


# -- whose failure it was -------------------------------------------------------------------------------------------


def failed(where: Path, rank: int, message: str, *, lost: bool = False) -> None:
    fields = {"state": "failed", "message": message, "cause": "", "steps": 3 - rank, "seconds": 1.0}
    folder.failed(where, rank, fields, lost=lost)


def test_the_first_failure_is_told_and_not_what_followed_from_it(tmp_path: Path) -> None:
    failed(tmp_path, 0, "Connection closed by peer", lost=True)
    failed(tmp_path, 1, "its own error")
    ended, code = folder.ending(tmp_path, {0: 1, 1: 1})
    assert ended is not None
    assert (ended["message"], ended["steps"], code) == ("process 1: its own error", 3, None)


def test_an_error_of_all_is_told_once_as_the_first_process_has_it(tmp_path: Path) -> None:
    failed(tmp_path, 1, "no rows")
    failed(tmp_path, 0, "no rows")
    ended, _ = folder.ending(tmp_path, {0: 1, 1: 1})
    assert ended is not None
    assert ended["message"] == "no rows"


def test_a_killed_process_counts_before_those_that_lost_it(tmp_path: Path) -> None:
    failed(tmp_path, 0, "Connection closed by peer", lost=True)
    assert folder.ending(tmp_path, {0: 1, 1: -signal.SIGKILL}) == (None, (1, -9))
    ended, _ = folder.ending(tmp_path, {0: 1})
    assert ended is not None
    assert ended["message"] == "Connection closed by peer"


def test_a_signal_before_anyone_listens_is_not_lost(tmp_path: Path) -> None:
    assert folder.asked(tmp_path) == ""
    folder.ask(tmp_path, signal.SIGTERM)
    assert folder.asked(tmp_path) == "SIGTERM"


def test_a_signal_reaches_the_first_process(tmp_path: Path) -> None:
    heard = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        folder.here(tmp_path, 0)
        folder.ask(tmp_path, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]
    assert (tmp_path / "0.process").read_text() == str(os.getpid())


# -- whose rows they are --------------------------------------------------------------------------------------------


def test_every_row_is_seen_once_an_epoch_and_every_step_takes_the_rows_of_one_process() -> None:
    pytest.importorskip("torch")
    import itertools

    from recipeforge.runner.engines.ranks import Ranks
    from recipeforge.runner.loop import Schedule, shuffled

    def rank(number: int) -> Ranks:
        ranks = Ranks()
        ranks.rank, ranks.size = number, 3
        return ranks

    lines = list(range(60))
    stream = shuffled(lines, Schedule(micro=2, accumulate=2, steps=5, seed=1, clip=0.0))
    seen = [list(itertools.islice(stream, 6)) for _ in range(5)]
    dealt = [[rank(r).dealt(step) for r in range(3)] for step in seen]
    assert all(len(share) == 2 for step in dealt for share in step)
    assert sorted(row for step in dealt for share in step for group, _ in share for row in group) == lines
