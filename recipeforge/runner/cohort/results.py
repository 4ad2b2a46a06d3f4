"""A cohort's results on disk: one JSON line a run, written as it ends. The first line says under which conditions.

Whatever stops the program, every line before the last is whole; a torn last line is cut off and its run done again.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recipeforge.runner.cohort.setting import Job, Phase, Setting
from recipeforge.schemas.errors import RunError

FILE = "results.jsonl"
_COHORT = "recipeforge/cohort/1"
_RUN = "recipeforge/cohort-run/1"


@dataclass(frozen=True)
class Result:
    """One finished run."""

    phase: Phase
    scheduler: str
    rate: float
    seed: int
    loss: float | None = None
    """Mean held-out loss, nats; `None` where the run failed."""
    accuracy: float | None = None
    steps: int = 0
    seconds: float = 0.0
    train_loss: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()
    """The learning rate of every step."""
    failed: str = ""
    """Why it has no result; empty where it has one."""
    manifest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`recipe`, `versions`, `machine`, `finished`: what it takes to do the run again."""

    @property
    def job(self) -> Job:
        """The run that this is the result of."""
        return Job(self.phase, self.scheduler, self.rate, self.seed)


@dataclass(frozen=True)
class Cohort:
    """Everything that one file holds."""

    setting: Setting
    versions: Mapping[str, str]
    results: tuple[Result, ...]

    def done(self) -> dict[Job, Result]:
        """Return results by run; of a run that was done twice, the first."""
        found: dict[Job, Result] = {}
        for result in self.results:
            found.setdefault(result.job, result)
        return found


def read(path: Path) -> Cohort:
    """Read a results file; a torn last line is left out.

    Raises:
        RunError: it is none, or a line of it is broken.
    """
    return _parsed(_lines(path)[0], path)


class Book:
    """A results file that grows."""

    def __init__(self, folder: Path, setting: Setting, versions: Mapping[str, str]) -> None:
        """Open a folder's results, or begin them.

        Raises:
            RunError: the folder holds another cohort, is in use, or cannot be written.
        """
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab")
            _lock(self._file, self.path)
            if self._file.tell() == 0:
                self._write({"format": _COHORT, "digest": setting.digest, "setting": asdict(setting), "versions": dict(versions)})
            lines, whole = _lines(self.path)
            self._file.truncate(whole)
        except OSError as error:
            raise RunError(f"{self.path} cannot be written: {error.strerror}; name another folder with --out") from error
        self.cohort = _parsed(lines, self.path)
        self._check(setting, versions)

    def _check(self, setting: Setting, versions: Mapping[str, str]) -> None:
        if self.cohort.setting != setting:
            theirs, ours = asdict(self.cohort.setting), asdict(setting)
            what = ", ".join(f"{name} {theirs[name]}, not {ours[name]}" for name in ours if theirs[name] != ours[name])
            raise RunError(f"{self.path} holds a cohort under other conditions ({what}); name another folder with --out, or ask for those")
        if self.cohort.versions != versions:
            names = sorted(n for n in {*self.cohort.versions, *versions} if self.cohort.versions.get(n) != versions.get(n))
            what = ", ".join(f"{n} {self.cohort.versions.get(n)}, and {versions.get(n)} is installed" for n in names)
            raise RunError(f"{self.path} was measured with {what}; name another folder with --out, or install those versions")

    def add(self, result: Result) -> None:
        """Write one result down, so that nothing but the disk can lose it."""
        self._write({"format": _RUN, **asdict(result)})

    def _write(self, record: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _lock(file: Any, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"another process is filling {path}; wait for it, or name another folder with --out") from None


def _lines(path: Path) -> tuple[list[str], int]:
    """Return the whole lines, and how many bytes they take."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}; `recipeforge bench schedulers` makes one") from None
    whole = content.rfind(b"\n") + 1
    try:
        return content[:whole].decode().splitlines(), whole
    except UnicodeDecodeError:
        raise RunError(f"{path} is no results file: it is not UTF-8; name another folder with --out") from None


def _parsed(lines: list[str], path: Path) -> Cohort:
    head, *rest = lines or [""]
    try:
        about = json.loads(head)
        if about["format"] != _COHORT:
            raise ValueError(about["format"])
        setting = Setting(**about["setting"] | {"rates": tuple(about["setting"]["rates"])})
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path}:1 does not begin a cohort; move the file away, or name another folder with --out") from None
    return Cohort(setting, about["versions"], tuple(_result(line, f"{path}:{number}") for number, line in enumerate(rest, start=2)))


def _result(line: str, where: str) -> Result:
    try:
        record = json.loads(line)
        if record.pop("format") != _RUN:
            raise ValueError
        return Result(**record | {"train_loss": tuple(record["train_loss"]), "rates": tuple(record["rates"])})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError(f"{where} is no result; delete that line, and the run will be done again") from None
