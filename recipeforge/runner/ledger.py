"""The ledger: one SQLite file with a row for every run, written while it goes on. Several processes may write at once."""

import json
import os
import platform
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from recipeforge.runner.migrations import MIGRATIONS
from recipeforge.schemas.errors import StoreError
from recipeforge.schemas.machine import Machine
from recipeforge.schemas.run import Run

BUSY_S = 30.0
_JSON = ("metrics", "versions", "hardware")
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Event:
    """Something that happened in a run."""

    at: str
    kind: str
    detail: str


def default_path() -> Path:
    """`RECIPEFORGE_LEDGER`, or `runs/ledger.sqlite3` here."""
    return Path(os.environ.get("RECIPEFORGE_LEDGER") or Path("runs") / "ledger.sqlite3")


def new_id() -> str:
    """Return a run id: sortable by start time, unique among runs that start in the same second."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def now() -> str:
    """Return this moment, ISO with zone."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _told(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """SQLite's errors, said as ours: what, where, what next."""

    @wraps(method)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return method(*args, **kwargs)
        except sqlite3.DatabaseError as error:
            path = args[0].path  # type: ignore[attr-defined]
            raise _store_error(path, error) from error

    return wrapped


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return StoreError(f"the ledger {path} stayed locked for {BUSY_S:.0f} s by another process; end that process or wait for it")
    return StoreError(f"the ledger {path} cannot be read or written: {error}; move it away (a new one is begun) or restore a backup")


class Ledger:
    """An open ledger."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the ledger {self.path} cannot be opened: {error}; set RECIPEFORGE_LEDGER to a writable file") from error
        try:
            self._db.row_factory = sqlite3.Row
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    @_told
    def _prepare(self) -> None:
        self._use_wal()
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        if self._version() == len(MIGRATIONS):
            return
        with self._transaction():
            # Read again under the lock: another process may have migrated meanwhile.
            version = self._version()
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"the ledger {self.path} has schema {version}, newer than this program's {len(MIGRATIONS)}; update recipeforge"
                )
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                for statement in (s for s in script.split(";") if s.strip()):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {number}")

    def _use_wal(self) -> None:
        """Let readers and a writer work at once. SQLite does not wait for locks here, so two processes that begin a ledger must."""
        deadline = time.monotonic() + BUSY_S
        while self._db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    # -- writing ------------------------------------------------------------------------------------------

    @_told
    def begin(self, run: Run, recipe_text: str) -> None:
        """Write a new run's row."""
        values = _columns(run) | {"recipe_text": recipe_text, "host": platform.node(), "pid": os.getpid()}
        names = ", ".join(values)
        self._db.execute(f"INSERT INTO runs ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values()))

    @_told
    def begin_again(self, run: Run) -> None:
        """Take a run up that has ended: this process is the one that carries it out from now on.

        Raises:
            StoreError: it is carried out already.
        """
        values = _columns(run) | {"host": platform.node(), "pid": os.getpid()}
        sets = ", ".join(f"{name} = ?" for name in values)
        done = self._db.execute(f"UPDATE runs SET {sets} WHERE id = ? AND state NOT IN ('running', 'finished')", (*values.values(), run.id))
        if done.rowcount != 1:
            raise StoreError(f"run {run.id} is finished, or another process carries it out; `recipeforge runs show {run.id}` tells")

    @_told
    def forget_after(self, run: str, step: int) -> None:
        """Remove the numbers of steps behind `step`, which will be done once more; of all steps where it is 0."""
        self._db.execute("DELETE FROM metrics WHERE run = ? AND (step > ? OR ? = 0)", (run, step, step))

    @_told
    def update(self, run: Run) -> None:
        """Write what is known of a run by now."""
        values = _columns(run)
        self._db.execute(f"UPDATE runs SET {', '.join(f'{n} = ?' for n in values)} WHERE id = ?", (*values.values(), run.id))

    @_told
    def metric(self, run: str, step: int, name: str, value: float) -> None:
        """Write one number of one step; the last one written for a step stands. NaN is stored as NULL, which is what SQLite has for it."""
        self._db.execute("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?)", (run, step, name, value))

    @_told
    def event(self, run: str, kind: str, detail: str) -> None:
        """Write down that something happened."""
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (run, now(), kind, detail))

    @_told
    def close_lost(self) -> int:
        """Mark runs of this machine as failed whose process is gone without a last word; return how many."""
        rows = self._db.execute("SELECT id, pid FROM runs WHERE state = 'running' AND host = ?", (platform.node(),)).fetchall()
        lost = [row["id"] for row in rows if not _alive(row["pid"])]
        for id_ in lost:
            message = "its process is gone and left no word of how it ended; `recipeforge run --resume` goes on from its last checkpoint"
            self._db.execute(
                "UPDATE runs SET state = 'failed', cause = 'killed', message = ? WHERE id = ? AND state = 'running'", (message, id_)
            )
        return len(lost)

    @_told
    def measured(self, machine: Machine) -> None:
        """Write down what was measured of a device; what was measured of it before goes."""
        text = json.dumps(asdict(machine) | {"at": machine.at or now()})
        self._db.execute("INSERT OR REPLACE INTO machines VALUES (?, ?, ?, ?)", (machine.host, machine.device, machine.at or now(), text))

    # -- reading ------------------------------------------------------------------------------------------

    @_told
    def machines(self, host: str | None = None) -> tuple[Machine, ...]:
        """Return what was measured of the devices of a machine, by default this one; the newest first."""
        rows = self._db.execute("SELECT measured FROM machines WHERE host = ? ORDER BY at DESC", (host or platform.node(),))
        return tuple(Machine(**json.loads(row["measured"])) for row in rows)

    @_told
    def runs(self, limit: int | None = None) -> tuple[Run, ...]:
        """Return runs, newest first."""
        rows = self._db.execute("SELECT * FROM runs ORDER BY id DESC LIMIT ?", (-1 if limit is None else limit,))
        return tuple(_run(row) for row in rows)

    @_told
    def find(self, prefix: str) -> tuple[Run, ...]:
        """Return the runs whose id begins like this; `last` is the newest."""
        if prefix == "last":
            return self.runs(limit=1)
        rows = self._db.execute("SELECT * FROM runs WHERE substr(id, 1, ?) = ? ORDER BY id DESC", (len(prefix), prefix))
        return tuple(_run(row) for row in rows)

    @_told
    def series(self, run: str) -> dict[str, tuple[tuple[int, float | None], ...]]:
        """Return the numbers of a run by name: (step, value), in order."""
        found: dict[str, list[tuple[int, float | None]]] = {}
        for row in self._db.execute("SELECT name, step, value FROM metrics WHERE run = ? ORDER BY name, step", (run,)):
            found.setdefault(row["name"], []).append((row["step"], row["value"]))
        return {name: tuple(values) for name, values in found.items()}

    @_told
    def events(self, run: str) -> tuple[Event, ...]:
        """Return what happened in a run, in order."""
        rows = self._db.execute("SELECT at, kind, detail FROM events WHERE run = ? ORDER BY rowid", (run,))
        return tuple(Event(row["at"], row["kind"], row["detail"]) for row in rows)

    @_told
    def recipe_text(self, run: str) -> str:
        """Return the recipe as it was when the run began."""
        with closing(self._db.execute("SELECT recipe_text FROM runs WHERE id = ?", (run,))) as cursor:
            row = cursor.fetchone()
        return row["recipe_text"] if row else ""


def _columns(run: Run) -> dict[str, Any]:
    values = asdict(run)
    return values | {name: json.dumps(values[name], sort_keys=True) for name in _JSON}


def _run(row: sqlite3.Row) -> Run:
    values: dict[str, Any] = {name: row[name] for name in Run.__dataclass_fields__}
    try:
        values |= {name: json.loads(values[name]) for name in _JSON}
        values["smoke"] = bool(values["smoke"])
        return Run(**values)
    except ValueError as error:
        raise sqlite3.DatabaseError(f"run {values['id']} holds broken JSON ({error})") from error


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
