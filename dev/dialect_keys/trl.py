"""TRL: the dataclasses that its commands and trainers read a file into, transformers' training arguments among them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import Version

from dev.dialect_keys.fields import Entry, close, enforced, entries, join
from dev.dialect_keys.history import vanished
from dev.dialect_keys.options import options
from dev.dialect_keys.shapes import Reader
from dev.dialect_keys.source import Definition, SourceError, Sources

REPOSITORY = "huggingface/trl"
PLACES = ("trl/trainer", "trl/experimental", "trl/scripts")
FOLDERS = ("trl",)
HISTORY = ("trl/trainer", "trl/experimental", "trl/scripts")
SHARED = ("ScriptArguments", "ModelConfig", "DatasetMixtureConfig")
TRANSFORMERS = ("transformers.training_args", "TrainingArguments")
LAUNCH = "accelerate.commands.launch"


def sources(root: Path, beside: dict[str, Path]) -> Sources:
    """The package below a checkout's root or a folder of installed packages."""
    return Sources({"trl": root / "trl", **beside})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Every key of every trainer; one that not all have says which."""
    reader = Reader(sources(root, beside))
    keys: dict[str, Entry] = {}
    readers: dict[str, list[str]] = {}
    trainers = {name: [owner, *_shared(reader)] for name, owner in _trainers(reader)}
    commands = {name: list(_command(reader, name)) for name in trainers}
    for name, owners in trainers.items():
        for owner in [*owners, *commands[name]]:
            found = entries(reader, owner)
            close(found, enforced(reader, owner))
            for key, entry in found.items():
                join(keys, key, entry)
                if name not in readers.setdefault(key, []):
                    readers[key].append(name)
    for key, entry in keys.items():
        if len(readers[key]) < len(trainers) and "." not in key and "[" not in key:
            entry["trainers"] = readers[key]
    keys["env"] = {"type": "map", "open": True, "note": "environment variables, set before anything else"}
    keys["env.*"] = {"type": "bool|int|float|str"}
    if (launch := reader.sources.module(LAUNCH)) is not None:
        for key, entry in options(reader, launch).items():
            keys.setdefault(key, {"type": entry["type"], "note": "passed on to accelerate launch by the trl command"})
    keys.setdefault("accelerate_config", {"type": "str", "note": "a launch file that TRL ships, by name, or a path"})
    return {"keys": keys, "trainers": {name: {"command": reader.sources.module(f"trl.scripts.{name}") is not None} for name in trainers}}


def names(root: Path) -> set[str]:
    """The keys of an older release that are its own, each with its trainer."""
    reader = Reader(sources(root, {}))
    found = {f"{name}:{key}" for name, owner in _trainers(reader) for key in entries(reader, owner) if "." not in key}
    if not found:
        raise SourceError("no trainer's config")
    return found | {f":{key}" for owner in _shared(reader) for key in entries(reader, owner) if "." not in key}


def vanished_keys(seen: dict[str, str], readable: list[str], found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What became of keys that some trainer, or all of them, had. Trainers that are no more are left out."""
    keys, trainers = found["keys"], [*found["trainers"]]
    now = {f"{t}:{k}" for k, e in keys.items() for t in e.get("trainers", trainers)} | {f":{k}" for k in keys}
    gone: dict[str, dict[str, Any]] = {}
    for path, entry in vanished({k: v for k, v in seen.items() if k.split(":")[0] in {"", *trainers}}, readable, now).items():
        trainer, _, key = path.partition(":")
        here = gone.setdefault(key, {**entry, "trainers": []})
        here["trainers"] += [trainer] if trainer else []
        if "since" in here and "since" in entry:
            here["since"] = max(here["since"], entry["since"], key=Version)
        else:  # one of them went after the last release
            here.pop("since", None)
    for key, entry in gone.items():
        if key not in keys:
            entry.pop("trainers")
    return gone


def older(package: Path) -> set[str]:
    """The keys of an older release of transformers."""
    reader = Reader(Sources({"transformers": package}))
    return set(entries(reader, reader.sources.require_class(*TRANSFORMERS)))


def _trainers(reader: Reader) -> Iterator[tuple[str, Definition]]:
    """Each trainer's name and the class of its settings."""
    base = reader.sources.roots["trl"]
    for path in sorted([*base.glob("trainer/*_config.py"), *base.glob("experimental/*/*_config.py")]):
        module = reader.sources.require(".".join(("trl", *path.relative_to(base).with_suffix("").parts)))
        name = path.stem.removesuffix("_config")
        wanted = (name.replace("_", "") + "config").lower()
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name.lower() == wanted and name not in ("base", "model"):
                yield name, Definition(module, node.name, node)


def _shared(reader: Reader) -> list[Definition]:
    """The classes that every script reads beside its trainer's own."""
    found = []
    for name in SHARED:
        for module in ("trl.scripts.utils", "trl.trainer.model_config", "trl.trainer.utils"):
            source = reader.sources.module(module)
            definition = reader.sources.lookup(source, name) if source else None
            if definition is not None and isinstance(definition.node, ast.ClassDef):
                found.append(definition)
                break
    return found


def _command(reader: Reader, trainer: str) -> Iterator[Definition]:
    """The classes that the trainer's own command declares."""
    module = reader.sources.module(f"trl.scripts.{trainer}")
    if module is None:
        return
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Arguments"):
            yield Definition(module, node.name, node)
