"""Axolotl: the pydantic models of its schema, and those that its plugins add."""

import ast
import re
from pathlib import Path
from typing import Any

from dev.dialect_keys.fields import Entry, entries, fields, join
from dev.dialect_keys.shapes import Reader
from dev.dialect_keys.source import Module, SourceError, Sources

REPOSITORY = "axolotl-ai-cloud/axolotl"
PLACES = ("src/axolotl/utils/schemas", "src/axolotl/integrations")
FOLDERS = ("src/axolotl",)
HISTORY = ("src/axolotl/utils/schemas", "src/axolotl/utils/config/models", "src/axolotl/integrations")
MODELS = ("axolotl.utils.schemas.config", "axolotl.utils.config.models.input.v0_4_1")
"""Where releases keep the model of the whole config, newest first."""


def sources(root: Path, beside: dict[str, Path]) -> Sources:
    """The package below a checkout's root, or below a folder of installed packages."""
    return Sources({"axolotl": root / "src/axolotl" if (root / "src").is_dir() else root / "axolotl", **beside})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Every key that its schema or a plugin of its own declares."""
    reader = Reader(sources(root, beside))
    keys = _schema(reader)
    for plugin, found in _plugins(reader):
        for key, entry in found.items():
            entry.pop("required", None)  # it is only where the plugin is listed
            if key in keys:
                if "plugin" in keys[key]:
                    join(keys, key, {**entry, "plugin": plugin})
                continue
            keys[key] = {**entry, "plugin": plugin} if "." not in key and "[" not in key else entry
    _attention(reader, keys)
    _known(reader, keys)
    for key in [k for k in keys if k.startswith("fsdp_config.") and not k.endswith(("fsdp_version", ".version"))]:
        keys[f"fsdp_config.fsdp_{key.removeprefix('fsdp_config.')}"] = keys[key]  # a prefix that its validation takes off
    prefixed = [k for k in keys if k.startswith("fsdp_config.fsdp_") and k != "fsdp_config.fsdp_version"]
    gone = {k: {"instead": k.replace(".fsdp_", ".", 1), "how": "deprecated"} for k in prefixed}
    return {"keys": keys, "gone": gone | _deprecated(reader, keys)}


def names(root: Path) -> set[str]:
    """The keys of an older release."""
    reader = Reader(sources(root, {}))
    return {*_schema(reader), *(k for _, found in _plugins(reader) for k in found)}


def _schema(reader: Reader) -> dict[str, Entry]:
    module = next((m for m in MODELS if reader.sources.module(m)), None)
    if module is None:
        raise SourceError("no model of the config")
    return entries(reader, reader.sources.require_class(module, "AxolotlInputConfig"), strict_null=True)


def _plugins(reader: Reader) -> list[tuple[str, dict[str, Entry]]]:
    """Each plugin by the name that a config lists, and the keys that it adds."""
    found: dict[str, dict[str, Entry]] = {}
    base = reader.sources.roots["axolotl"] / "integrations"
    for path in sorted(base.glob("*/**/*.py")):
        relative = path.relative_to(base.parent).with_suffix("")
        name = ".".join(("axolotl", *relative.parts)).removesuffix(".__init__")
        module = reader.sources.require(name)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and (model := _arguments(module, node)):
                package = f"axolotl.integrations.{relative.parts[1]}"
                listed = package if reader.sources.lookup(reader.sources.require(package), node.name) else name
                owner, _, cls = model.rpartition(".")
                found[f"{listed}.{node.name}"] = entries(reader, reader.sources.require_class(owner, cls), strict_null=True)
    return list(found.items())


def _arguments(module: Module, node: ast.ClassDef) -> str | None:
    """The full name of the model that a plugin's `get_input_args` returns."""
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "get_input_args":
            for inner in ast.walk(method):
                if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Constant) and isinstance(inner.value.value, str):
                    return inner.value.value
    return None


def _attention(reader: Reader, keys: dict[str, Entry]) -> None:
    """The closed list of attention implementations, which a validator holds; names of hub kernels have a slash."""
    module = reader.sources.module("axolotl.utils.schemas.enums")
    accepted = reader.constant(ast.Name("CANONICAL_ATTN_IMPLS"), module) if module else None
    if isinstance(accepted, list) and "attn_implementation" in keys:
        keys["attn_implementation"] |= {"values": accepted, "pattern": "/"}


def _known(reader: Reader, keys: dict[str, Entry]) -> None:
    """Optimizers and schedulers that transformers knows; it is the trainer, later, that refuses others."""
    for key, module, name, more in (
        ("optimizer", "transformers.training_args", "OptimizerNames", ()),
        ("lr_scheduler", "transformers.trainer_utils", "SchedulerType", ("one_cycle", "rex")),
    ):
        if reader.sources.module(module) is not None:
            values = reader.enum(reader.sources.require_class(module, name)).values
            keys[key]["known"] = sorted({*keys[key].get("known", ()), *values, *more})


def _deprecated(reader: Reader, keys: dict[str, Entry]) -> dict[str, dict[str, Any]]:
    """Fields that are declared as deprecated, each with the first other key that the declaration names."""
    found: dict[str, dict[str, Any]] = {}
    for each in fields(reader, reader.sources.require_class(MODELS[0], "AxolotlInputConfig")):
        said = (
            next((reader.constant(w.value, each.module) for w in each.call.keywords if w.arg == "deprecated"), None) if each.call else None
        )
        if isinstance(said, str):
            named = [n.partition(":") for n in re.findall(r"[a-z_.]{4,}(?:: [a-z_0-9]+)?", said)]
            instead = next(((k, v.strip()) for k, _, v in named if k in keys and k != each.keys[0]), (None, ""))
            found[each.keys[0]] = {"instead": instead[0], "how": "deprecated", **({"value": instead[1]} if instead[1] else {})}
    return found
