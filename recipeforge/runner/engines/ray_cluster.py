"""Runs as tasks of a Ray cluster: one that is started here and stopped again, or one that is there. The ledger stays the caller's.

Every message comes back to the process that asked, and only that one writes rows. Files are read and written where a task runs: machines
of a cluster need the recipe's folder, the model and the output at the same paths.
"""

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipeforge.runner import channel
from recipeforge.runner.book import Book
from recipeforge.runner.channel import Message
from recipeforge.runner.engines import MODULES, ray_task
from recipeforge.runner.ledger import Ledger
from recipeforge.runner.packages import Need
from recipeforge.runner.plan import Plan
from recipeforge.runner.run_child import LOG, entered, environment
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.run import Run

RAY = Need("ray", "spreads runs over a cluster", minimum="2.60")
STORE_BYTES = 80 * 2**20
"""Of shared memory: messages are small, and Ray would take a third of the machine's."""
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", "RAY_DEDUP_LOGS": "0"}
_PATIENCE_S = 1.0

Hear = Callable[["Work", Message], None]


@dataclass(frozen=True)
class Work:
    """One run to be."""

    plan: Plan
    text: str
    """The recipe's."""
    estimate_bytes: int | None = None
    earlier: Run | None = None
    """The run that it goes on with."""
    smoke: bool = False

    @property
    def gpus(self) -> int:
        """How many GPUs it takes; 0 for a CPU, also where the recipe names none."""
        return 0 if str(self.plan.values.get("hardware.gpu", "cpu")).lower() == "cpu" else self.plan.processes


@dataclass
class _Running:
    """A task, and the row that it fills."""

    work: Work
    book: Book
    leaving: contextlib.ExitStack
    messages: Any
    """Ray's generator."""
    why: str = ""


@dataclass
class Cluster:
    """A Ray cluster, as long as it is entered. Without an address one is started here, and stopped at the end."""

    address: str | None = None
    cpus: int = 1
    """Cores that each process of a run takes."""
    _asked: Path = field(default=Path(), init=False)
    _stops: int = field(default=0, init=False)
    _ray: Any = field(default=None, init=False)

    @contextlib.contextmanager
    def entered(self) -> Iterator["Cluster"]:
        """Start or join it.

        Raises:
            RunError: Ray is not installed, or the cluster cannot be reached.
        """
        if RAY.installed is None or RAY.too_old:
            raise RunError(f'`--engine ray` needs Ray {RAY.minimum} or newer; run `pip install "recipeforge[ray]"`')
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        import ray

        self._ray = ray
        folder = tempfile.mkdtemp(prefix="rf-ray-")  # short: sockets in it may have paths of about a hundred characters
        quiet: dict[str, Any] = {
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "_temp_dir": folder,
            "num_cpus": os.cpu_count(),
        }
        try:
            ray.init(self.address, log_to_driver=False, logging_level=logging.ERROR, **({} if self.address else quiet))
            yield self
        except (ConnectionError, ValueError) as error:
            raise RunError(f"the Ray cluster at {self.address} cannot be used: {error}") from error
        finally:
            ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, works: Sequence[Work], ledger: Ledger, hear: Hear = lambda work, message: None) -> list[Run]:
        """Carry all of them out, as many at once as there is room for, and return the rows of those that began, in the order of `works`.

        One that fails leaves the others alone. SIGINT and SIGTERM let none begin any more and are passed on to those that run; a second
        one ends them.
        """
        waiting, running, ended = deque(works), list[_Running](), dict[int, Run]()
        with tempfile.TemporaryDirectory(prefix=".asked-", dir=ledger.path.parent, ignore_cleanup_errors=True) as place, self._listening():
            self._asked = Path(place) / "to-end"
            try:
                while running or (waiting and not self._stops):
                    while waiting and not self._stops and self._has_room(running, waiting[0]):
                        running.append(self._begun(waiting.popleft(), ledger))
                    for one in self._heard(running, hear):
                        running.remove(one)
                        ended[id(one.work)] = self._closed(one)
            finally:
                for one in running:
                    one.book.killed = True
                    with contextlib.suppress(Exception):
                        self._ray.cancel(one.messages, force=True)
                    ended[id(one.work)] = self._closed(one)
        return [ended[id(work)] for work in works if id(work) in ended]

    def _has_room(self, running: Sequence[_Running], work: Work) -> bool:
        """Return whether the cluster has what the next one takes; where it never will, it is told by the task's own end."""
        if not running:
            return True
        there = self._ray.cluster_resources()
        cores = sum(self.cpus * one.work.plan.processes for one in running) + self.cpus * work.plan.processes
        gpus = sum(one.work.gpus for one in running) + work.gpus
        return cores <= there.get("CPU", 0) and gpus <= there.get("GPU", 0)

    def _begun(self, work: Work, ledger: Ledger) -> _Running:
        leaving = contextlib.ExitStack()
        book, order = leaving.enter_context(
            entered(work.plan, work.text, ledger, work.estimate_bytes, earlier=work.earlier, smoke=work.smoke)
        )
        needs = {"CPU": self.cpus * work.plan.processes, "GPU": work.gpus}
        there = self._ray.cluster_resources()
        one = _Running(work, book, leaving, None)
        if short := [f"{n:g} {name}" for name, n in needs.items() if n > there.get(name, 0)]:
            one.why = f"no cluster has room for it: it takes {' and '.join(short)}, and there are " + ", ".join(
                f"{there.get(name, 0):g} {name}" for name in needs
            )
            return one
        task = self._ray.remote(max_retries=0, num_cpus=needs["CPU"], num_gpus=needs["GPU"])(ray_task.carried_out)
        own = environment(work.plan)
        one.messages = task.remote(MODULES[work.plan.engine], order, own, str(Path(order["output"]) / LOG), str(self._asked))
        return one

    def _heard(self, running: Sequence[_Running], hear: Hear) -> list[_Running]:
        """Wait for messages and take in those that are there; return which runs ended."""
        done = [one for one in running if one.messages is None]
        by_task = {one.messages: one for one in running if one.messages is not None}
        if not by_task:
            return done
        ready, _ = self._ray.wait(list(by_task), num_returns=len(by_task), timeout=_PATIENCE_S if len(done) == 0 else 0, fetch_local=False)
        if not ready:
            return done
        for task in ready:
            one = by_task[task]
            try:
                message = channel.parse(self._ray.get(next(task)))
            except StopIteration:
                done.append(one)
            except Exception as error:  # of Ray: a machine that is gone, a package that is not there
                one.why = f"its task on the cluster ended: {type(error).__name__}: {error}".strip().splitlines()[0]
                done.append(one)
            else:
                one.book.note(message)
                hear(one.work, message)
        return done

    def _closed(self, one: _Running) -> Run:
        if one.why:
            one.book.note(Message("end", {"state": "failed", "message": one.why, "cause": "", "steps": one.book.row.steps, "seconds": 0.0}))
        one.leaving.close()
        return one.book.row

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        def heard(number: int, _: object) -> None:
            self._stops += 1
            if self._stops > 1:
                raise KeyboardInterrupt
            self._asked.write_text(signal.Signals(number).name)

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @property
    def interrupted(self) -> bool:
        """Whether someone asked for the end."""
        return self._stops > 0
