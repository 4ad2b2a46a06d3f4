"""Carry a cohort out: choose each scheduler's rate, then measure it, a few runs at a time, each result written as it comes."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from recipeforge.runner.cohort.entrants import ENTRANTS
from recipeforge.runner.cohort.needs import DATA, MODEL, missing, versions
from recipeforge.runner.cohort.results import Book, Cohort, Result
from recipeforge.runner.cohort.setting import Job, Setting, measuring_jobs, tuning_jobs
from recipeforge.runner.cohort.statistics import best_rate, chosen_rates
from recipeforge.runner.cohort.worker import order_of
from recipeforge.runner.devices import processor
from recipeforge.schemas.errors import RunError

Listener = Callable[[str], None]


def conduct(
    setting: Setting, names: Sequence[str], seeds: int, folder: Path, at_once: int = 1, listen: Listener = lambda text: None
) -> Cohort:
    """Do what of the cohort is not done yet, and return all of it. An interrupt ends the runs at hand and loses only those.

    Raises:
        RunError: a package is missing, the folder holds another cohort, or a worker died.
    """
    if needs := missing():
        told = "; ".join(f"`{need.name}` {need.why}: {need.pip}" for need in needs)
        raise RunError(f"the cohort needs {'a package' if len(needs) == 1 else 'packages'} that this environment lacks: {told}")
    with Book(folder, setting, _versions()) as book, _Crew(setting, folder, at_once) as crew:
        done = book.cohort.done()
        climbing = list(names) if len(setting.rates) > 1 else []
        for rate in setting.rates:
            _do(crew, book, done, list(tuning_jobs(setting, climbing, rate)), f"trying rate {rate:g}", listen)
            climbing = [name for name in climbing if best_rate(name, done, rate) == rate]
        rates = chosen_rates(setting, names, done)
        _do(crew, book, done, list(measuring_jobs(names, rates, seeds)), "measuring", listen)
        return Cohort(setting, book.cohort.versions, tuple(done.values()))


def _do(crew: "_Crew", book: Book, done: dict[Job, Result], jobs: Sequence[Job], phase: str, listen: Listener) -> None:
    left = [job for job in jobs if job not in done]
    if len(left) < len(jobs):
        listen(f"{phase}: {len(jobs) - len(left)} of {len(jobs)} runs are there already")
    for count, (job, answer) in enumerate(crew.work(left), start=1):
        result = _result(job, answer, book.cohort.setting, book.cohort.versions)
        book.add(result)
        done[job] = result
        told = result.failed or f"loss {result.loss:.4f}, accuracy {result.accuracy:.3f}, {result.seconds:.0f} s"
        listen(f"{phase} {count}/{len(left)}: {job.name}: {told}")


def _result(job: Job, answer: dict[str, Any], setting: Setting, installed: Any) -> Result:
    recipe = {"model": MODEL, "data": DATA, "seed": job.seed, **ENTRANTS[job.entrant].recipe(setting, job.rate)}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"recipe": recipe, "versions": dict(installed), "machine": processor() | {"threads": "1"}, "finished": now}
    numbers: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in answer.items()}
    return Result(job.phase, job.entrant, job.rate, job.seed, manifest=manifest, **numbers)


def _versions() -> dict[str, str]:
    python = ".".join(str(n) for n in sys.version_info[:3])
    return {"python": python, "recipeforge": metadata.version("recipeforge"), **versions()}


class _Crew:
    """Worker processes. They start when there is work, and are killed when the crew is left."""

    def __init__(self, setting: Setting, folder: Path, size: int) -> None:
        self._setting, self._folder, self._size = setting, folder, size
        self._workers: list[tuple[subprocess.Popen[str], IO[bytes]]] = []

    def __enter__(self) -> "_Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for process, log in self._workers:
            process.kill()
            process.wait()
            log.close()

    def work(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, dict[str, Any]]]:
        """Yield each job with its answer, in the order in which they end.

        Raises:
            RunError: a worker refused to start, or died.
        """
        todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        answers: queue.SimpleQueue[tuple[Job | None, dict[str, Any]]] = queue.SimpleQueue()
        while len(self._workers) < min(self._size, len(jobs)):
            self._start()
        for number in range(min(self._size, len(jobs))):
            threading.Thread(target=self._feed, args=(number, todo, answers), daemon=True).start()
        for _ in jobs:
            job, answer = answers.get()
            if job is None:
                raise RunError(answer["refused"])
            yield job, answer

    def _start(self) -> None:
        number = len(self._workers)
        log = (self._folder / f"worker-{number}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "recipeforge.runner.cohort.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_environment(),
            # A terminal's Ctrl-C goes to its whole process group; in sessions of their own the workers do not hear it.
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
        self._workers.append((process, log))
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(order_of(self._setting) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise RunError(self._death(number)) from None
        answer = json.loads(process.stdout.readline() or "null")
        if answer is None or "refused" in answer:
            raise RunError(answer["refused"] if answer else self._death(number))

    def _feed(self, number: int, todo: queue.SimpleQueue[Job], answers: queue.SimpleQueue[tuple[Job | None, dict[str, Any]]]) -> None:
        process = self._workers[number][0]
        assert process.stdin is not None and process.stdout is not None
        while True:
            try:
                job = todo.get_nowait()
            except queue.Empty:
                return
            try:
                process.stdin.write(json.dumps(asdict(job)) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except (OSError, ValueError):
                line = ""
            if not line.endswith("\n"):  # nothing, or half an answer: it died
                answers.put((None, {"refused": self._death(number)}))
                return
            answers.put((job, json.loads(line)))

    def _death(self, number: int) -> str:
        log = self._folder / f"worker-{number}.log"
        return f"a worker process ended in the middle of a run; its last words are in {log}. The same command goes on where it stopped"


def _environment() -> dict[str, str]:
    # One thread a run: results do not depend on how sums are split, and runs beside each other do not wait for each other.
    more = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **more, "CUDA_VISIBLE_DEVICES": "", "PYTHONUNBUFFERED": "1"}
