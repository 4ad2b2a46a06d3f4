"""Accelerate's launch file: the keys of its config class, and those options of `accelerate launch` that its sections may set."""

from pathlib import Path
from typing import Any

from dev.dialect_keys.fields import Entry, close, enforced, entries, join, joined
from dev.dialect_keys.options import attributes, options
from dev.dialect_keys.shapes import Reader
from dev.dialect_keys.source import SourceError, Sources

REPOSITORY = "huggingface/accelerate"
PLACES = ("src/accelerate/commands/config/config_args.py", "src/accelerate/commands/launch.py")
FOLDERS = ("src/accelerate",)
HISTORY = FOLDERS
VERSION = "src/accelerate/__init__.py"
"""Where the version stands; its releases are tagged beside the branch."""
CONFIG, LAUNCH, RUN = "accelerate.commands.config.config_args", "accelerate.commands.launch", "accelerate.utils.launch"
SECTIONS = {
    "deepspeed_config": ("deepspeed_", "zero", "offload_", "gradient_"),
    "dynamo_config": ("dynamo_",),
    "fp8_config": ("fp8_",),
    "fsdp_config": ("fsdp_",),
    "megatron_lm_config": ("megatron_lm_",),
    "mpirun_config": ("mpirun_",),
    "parallelism_config": ("parallelism_config_",),
}
"""Each section of the file, and what the options begin with that are meant for it."""
SHORT = ("fsdp_config", "fp8_config", "dynamo_config")
"""Sections whose keys may be written without that beginning."""


def sources(root: Path) -> Sources:
    """The package below a checkout's root, or below a folder of installed packages."""
    return Sources({"accelerate": root / "src/accelerate" if (root / "src").is_dir() else root / "accelerate"})


def read(root: Path, beside: dict[str, Path]) -> dict[str, Any]:
    """Every key of the file, those of its sections too."""
    reader = Reader(sources(root))
    keys = _file(reader)
    flags = options(reader, reader.sources.require(LAUNCH))
    used = {name for module in (LAUNCH, RUN) for name in attributes(reader.sources.require(module), "args")}
    for section, beginnings in SECTIONS.items():
        keys[section].pop("open", None)
        for name in sorted(set(flags) | used):
            if name.startswith(beginnings) and name not in SECTIONS and name != "deepspeed_fields_from_accelerate_config":
                entry = _loosened(flags.get(name, {"type": "any"}))
                keys[f"{section}.{name}"] = entry
                if section in SHORT:
                    keys[f"{section}.{name.removeprefix(beginnings[0])}"] = entry
    return {"keys": keys}


def names(root: Path) -> set[str]:
    """The keys of an older release."""
    found = read(root, {})["keys"]
    if not found:
        raise SourceError("no config class")
    return set(found)


def _loosened(option: Entry) -> Entry:
    """An option as a section sets it: neither converted nor held against its choices, and mostly turned into text later."""
    types = {option["type"], "str"} if option["type"] in ("int", "float") else {option["type"], "bool", "str"}
    entry: Entry = {"type": joined(types)}
    if "values" in option:
        numbers = [int(v) for v in option["values"] if isinstance(v, str) and v.isdigit()]
        entry |= {"type": joined({"int", *entry["type"].split("|")})} if numbers else {}
        entry["known"] = [*numbers, *option["values"]]
    return entry


def _file(reader: Reader) -> dict[str, Entry]:
    keys: dict[str, Entry] = {}
    for name in ("ClusterConfig", "SageMakerConfig"):
        owner = reader.sources.require_class(CONFIG, name)
        found = entries(reader, owner)
        close(found, enforced(reader, owner))
        for key, entry in found.items():
            entry.pop("required", None)
            if name == "SageMakerConfig" and key not in keys:
                keys[key] = {**entry, "needs": "compute_environment: AMAZON_SAGEMAKER"}
            elif name == "ClusterConfig":
                join(keys, key, entry)
    for section in SECTIONS:
        keys.setdefault(section, {"type": "map", "default": None})
    return keys
