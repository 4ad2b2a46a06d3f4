"""Refresh the vocabulary of one dialect from the source of its tool. No network, and nothing of it is imported or run.

Usage:
    python -m dev.dialect_keys axolotl SOURCE [--with transformers=FOLDER] [--before FOLDER ...] [--commit SHA] [--taken 2026-11-21]

SOURCE is a clone (bare or not; its tags then tell which keys earlier releases knew), a checkout without history, or a folder
that holds the installed package. `--with` names packages that its classes inherit from, each by the folder of the package itself;
`--before` names older releases of transformers, oldest first, so that the keys that came from them can be told gone.
"""

import argparse
import datetime
import importlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dev.dialect_keys import additions
from dev.dialect_keys.history import git, is_clone, last_seen, unpack, vanished
from dev.dialect_keys.write import write

DIALECTS = ("accelerate", "axolotl", "deepspeed", "llamafactory", "torchtune", "trl")
KEYS = Path(__file__).parents[2] / "recipeforge/documents/dialects/keys"


def vocabulary(
    dialect: str, source: Path, beside: dict[str, Path], commit: str, version: str, taken: str, before: list[Path]
) -> dict[str, Any]:
    """The vocabulary of a dialect as its file has it."""
    reading = importlib.import_module(f"dev.dialect_keys.{dialect}")
    gone: dict[str, dict[str, Any]] = {}
    more = additions.load(dialect)
    if is_clone(source):
        commit = git(source, "rev-parse", commit).decode().strip()
        with tempfile.TemporaryDirectory() as folder:
            unpack(source, commit, reading.FOLDERS, Path(folder))
            if hasattr(reading, "VERSION"):
                version = version or release(Path(folder, reading.VERSION).parent)
            found = reading.read(Path(folder), beside)
        version = version or git(source, "describe", "--tags", commit).decode().strip()
        seen, readable = last_seen(source, reading.HISTORY, reading.names)
        own = getattr(reading, "vanished_keys", None)
        gone = own(seen, readable, found) if own else vanished(seen, readable, found["keys"])
        if before:
            gone = {**_vanished_beside(reading, before, beside["transformers"], found["keys"]), **gone}
    else:
        found = reading.read(source, beside)
    keys = found.pop("keys")
    gone |= found.pop("gone", {})
    if hasattr(reading, "older"):
        additions.inherit(keys, gone, additions.load("transformers")["gone"])
    additions.add(keys, gone, more)
    at = commit if is_clone(source) or commit != "HEAD" else version
    return {
        "dialect": dialect,
        "version": version,
        "commit": commit,
        "source": " ".join(f"https://github.com/{reading.REPOSITORY}/tree/{at}/{place}" for place in reading.PLACES),
        **({"beside": {name: release(path) for name, path in sorted(beside.items())}} if beside else {}),
        "taken": taken,
        "keys": keys,
        **found,
        **({"dropped": more["dropped"]} if "dropped" in more else {}),
        "gone": gone,
    }


def _vanished_beside(reading: Any, before: list[Path], now: Path, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Keys that older releases of transformers brought, each with the first release given that has it no more."""
    seen: dict[str, str] = {}
    packages = [*before, now]
    for package in packages:
        seen.update(dict.fromkeys(reading.older(package), release(package)))
    found = vanished(seen, [release(p) for p in packages], keys)
    return {key: {**entry, "since": f"transformers {entry['since']}"} for key, entry in found.items() if "since" in entry}


def release(package: Path) -> str:
    """The version that a package's own folder states, or the record of its installation beside it."""
    for line in (package / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__ ="):
            return line.split("=")[1].strip().strip("\"'")
    record = next(iter(package.parent.glob(f"{package.name}-*.dist-info")), None)
    return record.name.removesuffix(".dist-info").partition("-")[2] if record else "unknown"


def main() -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("dialect", choices=DIALECTS)
    parser.add_argument("source", type=Path)
    parser.add_argument("--with", dest="beside", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--before", type=Path, action="append", default=[], metavar="FOLDER", help="an older transformers, oldest first")
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--version", default="")
    parser.add_argument("--taken", default=datetime.date.today().isoformat())
    parser.add_argument("--out", type=Path, default=KEYS)
    given = parser.parse_args()
    beside = {name: Path(folder) for name, _, folder in (pair.partition("=") for pair in given.beside)}
    made = vocabulary(given.dialect, given.source, beside, given.commit, given.version, given.taken, given.before)
    path = given.out / f"{given.dialect}.json"
    print(f"{path}: {len(made['keys'])} keys, {len(made['gone'])} gone, {'written' if write(path, made) else 'as it was'}")


if __name__ == "__main__":
    main()
