"""DeepSpeed's JSON: the sections that are models, which refuse other keys, and the rest that its code picks out of the file."""

import ast
from pathlib import Path
from typing import Any

from dev.dialect_keys.fields import Entry, entries, joined
from dev.dialect_keys.shapes import UNSEEN, Reader, type_of
from dev.dialect_keys.source import SourceError, Sources

REPOSITORY = "deepspeedai/DeepSpeed"
PLACES = ("deepspeed/runtime/config.py", "deepspeed/runtime/zero/config.py")
FOLDERS = ("deepspeed",)
HISTORY = ("deepspeed/runtime", "deepspeed/monitor", "deepspeed/comm", "deepspeed/compile/config.py")
FILE = "param_dict"
"""What its code calls the file, once read."""
NESTED = ("get_sparse_attention_mode", "get_sparse_attention_type")
"""Functions that are handed a section and call it by the same name."""
MODELS = {
    "zero_optimization": ("deepspeed.runtime.zero.config", "DeepSpeedZeroConfig"),
    "bf16": ("deepspeed.runtime.precision_config", "DeepSpeedBF16Config"),
    "bfloat16": ("deepspeed.runtime.precision_config", "DeepSpeedBF16Config"),
    "fp16": ("deepspeed.runtime.precision_config", "DeepSpeedFP16Config"),
    "compile": ("deepspeed.compile.config", "CompileConfig"),
    "tensor_parallel": ("deepspeed.runtime.tensor_parallel.config", "TPTrainingConfig"),
    "hybrid_engine": ("deepspeed.runtime.config", "HybridEngineConfig"),
    "comms_logger": ("deepspeed.comm.config", "CommsLoggerConfig"),
    "tensorboard": ("deepspeed.monitor.config", "TensorBoardConfig"),
    "wandb": ("deepspeed.monitor.config", "WandbConfig"),
    "csv_monitor": ("deepspeed.monitor.config", "CSVConfig"),
    "comet": ("deepspeed.monitor.config", "CometConfig"),
}
"""Each section that is a model, and where it stands."""


def sources(root: Path) -> Sources:
    """The package below a checkout's root or a folder of installed packages."""
    return Sources({"deepspeed": root / "deepspeed"})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Every key of the file; of sections that are no models, the name only."""
    reader = Reader(sources(root))
    keys: dict[str, Entry] = {name: {**entry, "open": True} if entry["type"] == "any" else entry for name, entry in _picked(reader).items()}
    gone: dict[str, dict[str, Any]] = {}
    for section, (module, name) in MODELS.items():
        owner = reader.sources.require_class(module, name)
        keys[section] = {"type": "map", "closed": True}
        for key, entry in entries(reader, owner, f"{section}.").items():
            keys[key] = {**entry, "closed": True} if entry["type"] == "map" and not entry.get("open") else entry
        gone |= _deprecated(reader, section, module)
    for entry in keys.values():
        if not entry.get("open") and "closed" not in entry:
            _automatic(entry)
    return {"keys": keys, "gone": {k: v for k, v in gone.items() if k in keys}}


def names(root: Path) -> set[str]:
    """The keys of an older release."""
    reader = Reader(sources(root))
    found = set(_picked(reader))
    if not found:
        raise SourceError("nothing reads the file")
    for section, (module, name) in MODELS.items():
        holder = reader.sources.module(module)
        owner = reader.sources.lookup(holder, name) if holder else None
        if owner is not None and isinstance(owner.node, ast.ClassDef) and reader.is_model(owner):
            found |= {section, *entries(reader, owner, f"{section}.")}
    return found


def _picked(reader: Reader) -> dict[str, Entry]:
    """What code takes out of the file by name: `get_scalar_param(param_dict, A, 1)`, `A in param_dict`, `param_dict[A]`, `.get(A)`."""
    found: dict[str, Entry] = {}
    module = reader.sources.module("deepspeed.runtime.config")
    if module is None:
        return found
    sections = [n for n in module.tree.body if isinstance(n, ast.FunctionDef) and n.name in NESTED]
    skipped = {id(inner) for function in sections for inner in ast.walk(function)}
    for node in ast.walk(module.tree):
        key, default = _taken(node) if id(node) not in skipped else (None, None)
        value = reader.constant(key, module) if key is not None else UNSEEN
        if isinstance(value, str):
            said = reader.constant(default, module)
            plain = said is not UNSEEN and isinstance(said, (bool, int, float, str))
            if plain or value not in found:
                found[value] = {"type": type_of(said), "default": said} if plain else {"type": "any"}
    return found


def _taken(node: ast.AST) -> tuple[ast.expr | None, ast.expr | None]:
    """The key that an expression takes out of the file, and the default beside it."""
    if isinstance(node, ast.Call):
        arguments = [ast.unparse(a) for a in node.args[:1]]
        if ast.unparse(node.func).endswith(("get_scalar_param", "get_dict_param")) and arguments == [FILE] and len(node.args) > 2:
            return node.args[1], node.args[2]
        if ast.unparse(node.func) == f"{FILE}.get" and node.args:
            return node.args[0], None
    if isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) in (FILE, f"{FILE}.keys()"):
        return node.left, None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == FILE:
        return node.slice, None
    return None, None


def _automatic(entry: Entry) -> None:
    """`auto`, which the trainer above fills in and which models leave at their default, beside what the type says."""
    types = entry["type"].split("|")
    if {"any", "list", "map"} & {*types}:
        return
    if "values" in entry:
        entry["values"] = [*entry["values"], "auto"]
    elif "str" not in types:
        entry["values"] = ["auto"]
    entry["type"] = joined({*types, "str"} | ({"float"} if "int" in types else set()))  # 5e8 is a float


def _deprecated(reader: Reader, section: str, module: str) -> dict[str, dict[str, Any]]:
    """Fields that say of themselves that they are deprecated, and the field that they name instead."""
    found: dict[str, dict[str, Any]] = {}
    source = reader.sources.require(module)
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call)):
            continue
        words = {w.arg: reader.constant(w.value, source) for w in node.value.keywords}
        extra = words.get("json_schema_extra")
        said = {**(extra if isinstance(extra, dict) else _shallow(reader, node.value, source)), **words}
        if said.get("deprecated") is True:
            instead = said.get("new_param")
            found[f"{section}.{node.target.id}"] = {
                "instead": f"{section}.{instead}" if isinstance(instead, str) and " " not in instead else None,
                "how": "deprecated",
            }
    return found


def _shallow(reader: Reader, call: ast.Call, source: Any) -> dict[str, Any]:
    """The plain parts of a `json_schema_extra` that holds a function too."""
    for word in call.keywords:
        if word.arg == "json_schema_extra" and isinstance(word.value, ast.Dict):
            pairs = zip(word.value.keys, word.value.values, strict=True)
            return {str(reader.constant(k, source)): reader.constant(v, source) for k, v in pairs if k is not None}
    return {}
