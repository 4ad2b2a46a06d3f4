"""LLaMA-Factory: the dataclasses that its parser reads a file into, transformers' training arguments among them."""

import ast
from pathlib import Path
from typing import Any

from dev.dialect_keys.fields import Entry, close, enforced, entries, join, joined
from dev.dialect_keys.shapes import Reader
from dev.dialect_keys.source import Module, SourceError, Sources

REPOSITORY = "hiyouga/LLaMA-Factory"
PLACES = ("src/llamafactory/hparams",)
FOLDERS = ("src/llamafactory",)
HISTORY = ("src/llamafactory/hparams", "src/llamafactory/extras", "src/llmtuner/hparams", "src/llmtuner/extras")
COMMANDS = {"train": "_TRAIN_ARGS", "infer": "_INFER_ARGS", "eval": "_EVAL_ARGS"}
"""What a file is read for, and the name of the list of classes that it is read into."""
MEGATRON, SWITCH = "_TRAIN_MBRIDGE_ARGS", "use_megatron_bridge"
"""The list that training reads a file into instead where that key is true."""
TRANSFORMERS = ("transformers.training_args_seq2seq", "Seq2SeqTrainingArguments")


def sources(root: Path, beside: dict[str, Path]) -> Sources:
    """The package below a checkout's root, or below a folder of installed packages."""
    base = root / "src" if (root / "src").is_dir() else root
    return Sources({**{p: base / p for p in ("llamafactory", "llmtuner") if (base / p).is_dir()}, **beside})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Every key of every command; one that not all commands read says which do."""
    reader = Reader(sources(root, beside))
    module, tables = _tables(reader)
    keys: dict[str, Entry] = {}
    readers: dict[str, list[str]] = {}
    for command, classes in tables.items():
        for name in classes:
            owner = reader.sources.require_class(module.name, name)
            found = entries(reader, owner)
            close(found, enforced(reader, owner))
            for key, entry in found.items():
                join(keys, key, entry)
                if command not in readers.setdefault(key, []):
                    readers[key].append(command)
    for key in keys.keys() & _split(reader):
        keys[key]["type"] = joined({*keys[key]["type"].split("|"), "list"})
    for key, entry in keys.items():
        if readers[key] == [MEGATRON]:
            readers[key] = ["train"]
            entry["needs"] = SWITCH
        said = [c for c in readers[key] if c != MEGATRON]
        if said != list(COMMANDS) and "." not in key and "[" not in key:
            entry["commands"] = said
    return {"keys": keys}


def names(root: Path) -> set[str]:
    """The keys of an older release that are its own."""
    reader = Reader(sources(root, {}))
    module, tables = _tables(reader)
    owners = [reader.sources.lookup(module, name) for classes in tables.values() for name in classes]
    return {key for owner in owners if owner and isinstance(owner.node, ast.ClassDef) for key in entries(reader, owner)}


def older(package: Path) -> set[str]:
    """The keys of an older release of transformers."""
    reader = Reader(Sources({"transformers": package}))
    return set(entries(reader, reader.sources.require_class(*TRANSFORMERS)))


def _tables(reader: Reader) -> tuple[Module, dict[str, list[str]]]:
    """The parser's module, and the classes of each command."""
    for package in ("llamafactory", "llmtuner"):
        if (module := reader.sources.module(f"{package}.hparams.parser")) is not None:
            found = {}
            for command, name in {**COMMANDS, MEGATRON: MEGATRON}.items():
                table = next((n for n in module.names.get(name, ()) if isinstance(n, ast.List) and n.elts), None)
                if table is not None:
                    found[command] = [ast.unparse(e) for e in table.elts]
            if found:
                return module, found
    raise SourceError("no parser with its tables of arguments")


def _split(reader: Reader) -> set[str]:
    """Fields that are declared as text and split at commas: a list is taken as it is."""
    found: set[str] = set()
    for path in sorted((reader.sources.roots["llamafactory"] / "hparams").glob("*.py")):
        for node in ast.walk(reader.sources.require(f"llamafactory.hparams.{path.stem}".removesuffix(".__init__")).tree):
            if (
                isinstance(node, (ast.Assign, ast.AnnAssign))
                and isinstance(node.value, ast.Call)
                and ast.unparse(node.value.func).endswith("split_arg")
            ):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {t.attr for t in targets if isinstance(t, ast.Attribute)}
    return found
