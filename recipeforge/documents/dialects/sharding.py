"""DeepSpeed and FSDP, as Hugging Face's trainer and the tools on it take them: inline, or in a file beside the configuration."""

import json
import re
from pathlib import Path
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.shared import several_devices
from recipeforge.documents.findings import finding
from recipeforge.documents.tree import MappingNode

STAGES = {1: "zero-1", 2: "zero-2", 3: "zero-3"}
MAX_BYTES = 1 << 20
_SHIPPED = re.compile(r"(?:^|/)(?:deepspeed_configs/zero|ds_z)(?P<stage>[0-3])\w*\.json\Z")
"""Files that Axolotl and LLaMA-Factory bring along say their stage in their names, and whether they offload."""


def deepspeed(config: Config, path: str) -> None:
    """Read a DeepSpeed configuration: a mapping, or the path of a JSON file."""
    if isinstance(config.node(path), MappingNode):
        stage = config.number(f"{path}.zero_optimization.stage") or 0
        offloaded = config.text(f"{path}.zero_optimization.offload_param.device")
        _zero(config, path, int(stage), offloaded not in (None, "none"))
        return
    name = config.text(path)
    if not name:
        return
    inside = _loaded(config.document.path, name)
    if inside is not None:
        zero = _mapping(inside.get("zero_optimization"))
        stage = zero.get("stage")
        offloaded = _mapping(zero.get("offload_param")).get("device")
        _zero(config, path, stage if isinstance(stage, int) else 0, offloaded not in (None, "none"))
    elif shipped := _SHIPPED.search(name.replace("\\", "/")):
        _zero(config, path, int(shipped["stage"]), offload="offload" in shipped[0])
    else:
        message = f"the DeepSpeed file `{name}` is not there, so nothing that it says is judged"
        help_text = "Paths are looked for beside this file, in the folders above it and where the command runs."
        config.out.findings.add(finding("RF0022", message, config.span(path), "not found", help=help_text))


def fsdp(config: Config, path: str, details: str, version: float) -> None:
    """Read FSDP's two keys."""
    if not config.words(path) and config.node(details) is None:
        return
    if config.value(path) is False or (not config.words(path) and not isinstance(config.node(details), MappingNode)):
        return
    shown = path if config.words(path) else details
    config.equip("fsdp2" if version >= 2 else "fsdp1", shown)
    several_devices(config, shown)
    for key in ("offload_params", "fsdp_offload_params"):
        if config.on(f"{details}.{key}"):
            config.set("distributed.offload", True, f"{details}.{key}")
    if "offload" in " ".join(config.words(path)):
        config.set("distributed.offload", True, path)
    for key in ("activation_checkpointing", "fsdp_activation_checkpointing"):
        if config.on(f"{details}.{key}"):
            config.set("distributed.activation_checkpointing", True, f"{details}.{key}")
    for key in ("use_orig_params", "fsdp_use_orig_params"):
        value = config.value(f"{details}.{key}")
        if isinstance(value, bool):
            config.set("distributed.use_orig_params", value, f"{details}.{key}")


def _zero(config: Config, path: str, stage: int, offload: bool) -> None:
    if stage in STAGES:
        config.equip(STAGES[stage], path)
        several_devices(config, path)
        if offload and stage == 3:
            config.set("distributed.offload", True, path)


def _loaded(document: str, name: str) -> dict[str, Any] | None:
    """Return the JSON file that a configuration names, or `None` where it cannot be had."""
    for folder in _folders(document):
        file = folder / name
        try:
            if not file.is_file() or file.stat().st_size > MAX_BYTES:
                continue
            inside = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(inside, dict):
            return cast("dict[str, Any]", inside)
    return None


def _folders(document: str) -> list[Path]:
    """Return where a file that a configuration names may lie: the folder of the command, that of the file, and those above it."""
    if document.startswith("<"):
        return [Path()]
    here = Path(document).absolute().parent
    return [Path(), here, *here.parents]


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
