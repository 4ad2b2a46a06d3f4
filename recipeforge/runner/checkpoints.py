"""Checkpoints as folders: written whole or not at all, sealed with sizes and hashes, and told apart when they are broken.

A folder `checkpoint-N` appears by a rename after every file in it and its seal, `manifest.json`, have reached the disk. No torch here: the
process that starts a run looks through them, too.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recipeforge.schemas.errors import RunError

FORMAT = "recipeforge/checkpoint/1"
MANIFEST = "manifest.json"
_NAME = re.compile(r"checkpoint-(\d+)")
PATIENCE_S = 60.0
"""How long to wait for a training process whose starter is gone: it notices that after its step."""
_UNFINISHED = ".unfinished"
_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "files may not become that large here"}

Why = Literal["asked", "now and then", "ended early"]
"""Who wanted a checkpoint: the recipe's interval, the program's own care, or the end of a run before its time."""


class DiskFullError(RunError):
    """What was to be written did not fit."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder that claims to be one; `broken` says why it is not to be trusted."""

    folder: Path
    step: int
    why: str = ""
    broken: str = ""


def write(output: Path, step: int, why: Why, fill: Callable[[Path], None]) -> Path:
    """Let `fill` write files into a folder, and make that the checkpoint of `step`.

    A checkpoint of this step that is there already and whole is left as it is.

    Raises:
        DiskFullError: it did not fit; what was written of it is gone again.
    """
    folder = output / f"checkpoint-{step}"
    if folder.exists():
        if not check(folder).broken:
            return folder
        shutil.rmtree(folder)
    unfinished = folder.with_name(folder.name + _UNFINISHED)
    shutil.rmtree(unfinished, ignore_errors=True)
    with keeping_room(unfinished, f"the checkpoint of step {step}"):
        unfinished.mkdir()
        fill(unfinished)
        _seal(unfinished, step, why)
        unfinished.rename(folder)
        _to_disk(output)
    return folder


@contextmanager
def keeping_room(folder: Path, what: str) -> Iterator[None]:
    """While files are written to `folder`: where they do not fit, take them away again and say so.

    Raises:
        DiskFullError: they did not fit.
    """
    try:
        yield
    except Exception as error:
        written = _size(folder)
        said = full(error)
        shutil.rmtree(folder, ignore_errors=True)
        if not said:
            raise
        raise DiskFullError(
            f"{said}: {what} could not be written to {folder.parent} (it stopped after {written / 2**20:.1f} MiB); "
            "make room there, or name another disk in `train.output`"
        ) from error


def full(error: BaseException | None) -> str:
    """Return in words that a disk was full, if that is what is behind an error; libraries in other languages bring no number."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return _FULL[error.errno]
        for number, words in _FULL.items():
            if os.strerror(number) in str(error) or f"os error {number})" in str(error):
                return words
        error = error.__cause__ or error.__context__
    return ""


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _seal(folder: Path, step: int, why: Why) -> None:
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    told = {name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for name, path in files.items()}
    for path in files.values():
        _to_disk(path)
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"format": FORMAT, "step": step, "why": why, "files": told}, indent=1), encoding="utf-8")
    _to_disk(manifest)
    _to_disk(folder)


def _to_disk(path: Path) -> None:
    """Wait until a file, or a folder's list of names, would survive a power cut."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def found(output: Path) -> list[Path]:
    """Return the folders that are named like checkpoints, newest first; whether they are whole is another question."""
    named = [(int(m.group(1)), p) for p in output.glob("checkpoint-*") if (m := _NAME.fullmatch(p.name)) and p.is_dir()]
    return [path for _, path in sorted(named, reverse=True)]


def check(folder: Path) -> Checkpoint:
    """Read a checkpoint's every byte and hold it against its seal."""
    match = _NAME.fullmatch(folder.name)
    step = int(match.group(1)) if match else 0
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, why = dict(manifest["files"]), str(manifest["why"])
        if manifest["format"] != FORMAT or manifest["step"] != step:
            return Checkpoint(folder, step, why, f"its {MANIFEST} is of {manifest['format']}, step {manifest['step']}")
    except FileNotFoundError:
        return Checkpoint(folder, step, broken=f"it has no {MANIFEST}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Checkpoint(folder, step, broken=f"its {MANIFEST} cannot be read ({type(error).__name__})")
    return Checkpoint(folder, step, why, next((said for name, told in files.items() if (said := _differs(folder / name, name, told))), ""))


def _differs(path: Path, name: str, told: dict[str, object]) -> str:
    try:
        size = path.stat().st_size
        if size != told["bytes"]:
            return f"{name} has {size} bytes instead of {told['bytes']}"
        return "" if _digest(path) == told["sha256"] else f"{name} is not what was written"
    except FileNotFoundError:
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"


def newest_good(output: Path, say: Callable[[str], None] = lambda text: None) -> Checkpoint | None:
    """Return the newest checkpoint that is whole; each newer one that is not is named to `say`."""
    for folder in found(output):
        checkpoint = check(folder)
        if not checkpoint.broken:
            return checkpoint
        say(f"{folder} is passed over: {checkpoint.broken}")
    return None


def thin_out(output: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints that nobody asked for; the recipe's own stay."""
    for folder in [f for f in found(output) if _why(f) != "asked"][keep:]:
        shutil.rmtree(folder, ignore_errors=True)


def _why(folder: Path) -> str:
    try:
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["why"])
    except (OSError, ValueError, KeyError, TypeError):
        return "asked"


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Keep a second training process out of a run's folder; the system lets go of the lock however this one ends.

    Raises:
        RunError: another one is still at work there after `PATIENCE_S`.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with (output / "lock").open("w") as lock:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RunError(f"another process still trains in {output}; wait until it has ended, or end it") from None
                time.sleep(0.1)
        yield
