"""Keys that earlier releases knew: read from the tags of a clone, so that a file written for one of them can be told what happened."""

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from dev.dialect_keys.source import SourceError

FINAL = re.compile(r"v?\d+(\.\d+)+(\.post\d+)?$")


def is_clone(path: Path) -> bool:
    """Whether a folder is a clone, bare or with a work tree."""
    return (path / ".git").exists() or ((path / "objects").is_dir() and (path / "HEAD").is_file())


def git(clone: Path, *arguments: str) -> bytes:
    """What a git command prints."""
    return subprocess.run(["git", "-C", str(clone), *arguments], check=True, capture_output=True).stdout


def unpack(clone: Path, commit: str, folders: Iterable[str], target: Path) -> list[str]:
    """Write those folders of a commit that it has below a target; return their names."""
    there = [
        f
        for f in folders
        if subprocess.run(["git", "-C", str(clone), "cat-file", "-e", f"{commit}:{f}"], capture_output=True).returncode == 0
    ]
    if there:
        with tarfile.open(fileobj=io.BytesIO(git(clone, "archive", commit, "--", *there))) as archive:
            archive.extractall(target, filter="data")
    return there


def releases(clone: Path) -> list[tuple[str, str]]:
    """The final releases of a clone, oldest first: version and tag."""
    found = []
    for tag in git(clone, "tag").decode().split():
        if FINAL.match(tag):
            try:
                found.append((Version(tag), tag))
            except InvalidVersion:
                continue
    return [(str(version), tag) for version, tag in sorted(found)]


def last_seen(clone: Path, folders: Iterable[str], read: Callable[[Path], set[str]]) -> tuple[dict[str, str], list[str]]:
    """Each key that some release had, and the newest release that had it; and the releases that could be read, oldest first."""
    seen: dict[str, str] = {}
    readable = []
    for version, tag in releases(clone):
        with tempfile.TemporaryDirectory() as folder:
            if not unpack(clone, tag, folders, Path(folder)):
                continue
            try:
                keys = read(Path(folder))
            except SourceError:
                continue
        readable.append(version)
        seen.update(dict.fromkeys(keys, version))
    return seen, readable


def vanished(seen: Mapping[str, str], readable: list[str], now: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Keys that a release had and that are gone now, each with the first release without it. Below a key that went, only that key."""
    present = set(now)
    parents = {""} | present
    gone: dict[str, dict[str, Any]] = {}
    for key in sorted(seen):
        parent = key.rpartition(".")[0]
        if key in present or key.endswith(("[]", "*")) or parent not in parents:
            continue
        later = readable[readable.index(seen[key]) + 1 :]
        gone[key] = {"instead": None, "how": "removed", **({"since": later[0]} if later else {})}
    return gone
