"""Package versions from what a project has already: requirements, constraints and lock files. Nothing is resolved or fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from recipeforge.schemas.errors import RecipeForgeError

SUFFIXES = (".txt", ".in", ".lock", ".toml")
"""Endings by which a word is taken for such a file."""
MAX_BYTES = 1 << 26
MAX_DEPTH = 8
"""So many files may name each other with `-r`."""


class LockedError(RecipeForgeError):
    """The file cannot be used."""


def names_a_file(word: str) -> bool:
    """Return whether a word is the name of such a file, and no package with its version."""
    return word.lower().endswith(SUFFIXES) and "=" not in word


def locked_versions(path: Path) -> dict[str, str]:
    """Return the version of each package that a file settles; ranges settle nothing, nor do two versions of one package.

    Raises:
        LockedError: the file is missing or broken; the message says where.
    """
    found: dict[str, set[str]] = {}
    for name, version in _pairs(path, 0):
        found.setdefault(_normal(name), set()).add(version)
    return {name: next(iter(versions)) for name, versions in found.items() if len(versions) == 1 and _readable(next(iter(versions)))}


def _pairs(path: Path, depth: int) -> Iterator[tuple[str, str]]:
    text = _text(path)
    if path.suffix in (".txt", ".in"):
        yield from _requirements(text, path, depth)
    elif path.name == "Pipfile.lock":
        yield from _pipfile(text, path)
    else:
        yield from _toml(text, path)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LockedError(f"{path} is too large for a file of package versions")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LockedError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise LockedError(f"{path} cannot be read: {error}") from None


def _requirements(text: str, path: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Return what lines such as `torch==2.6.0 ; sys_platform == "linux" --hash=…` pin; those for other machines are passed over."""
    from packaging.requirements import InvalidRequirement, Requirement

    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if included := re.match(r"(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", line):
            if depth < MAX_DEPTH:
                yield from _pairs(path.parent / included[1], depth + 1)
            continue
        try:
            wanted = Requirement(re.split(r"\s--", line)[0].strip())
        except InvalidRequirement:
            continue  # an option, a URL, a folder: no version
        pins = [spec.version for spec in wanted.specifier if spec.operator in ("==", "===") and "*" not in spec.version]
        if len(pins) == 1 and (wanted.marker is None or wanted.marker.evaluate()):
            yield wanted.name, pins[0]


def _toml(text: str, path: Path) -> Iterator[tuple[str, str]]:
    """Return the packages of uv's, Poetry's and PDM's lock files and of `pylock.toml`."""
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LockedError(f"{path} is not valid TOML: {error}") from None
    rows = table.get("package", table.get("packages"))
    if not isinstance(rows, list):
        raise LockedError(f"{path} is no lock file: it lists no packages")
    for row in cast("list[Any]", rows):
        if isinstance(row, dict):
            one = cast("dict[str, Any]", row)
            if isinstance(one.get("name"), str) and isinstance(one.get("version"), str):
                yield one["name"], one["version"]


def _pipfile(text: str, path: Path) -> Iterator[tuple[str, str]]:
    try:
        table = json.loads(text)["default"]
    except (ValueError, KeyError, TypeError):
        raise LockedError(f"{path} is no lock file of Pipenv") from None
    for name, row in cast("dict[str, Any]", table if isinstance(table, dict) else {}).items():
        version = cast("dict[str, Any]", row).get("version") if isinstance(row, dict) else None
        if isinstance(version, str) and version.startswith("=="):
            yield name, version.removeprefix("==")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _readable(version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
