"""DeepSpeed, FSDP and Accelerate, as Hugging Face's trainer and the tools on it take them: inline, or in a file of their own."""

import re

from recipeforge.documents.dialects.companions import LAUNCH, NAMED_BY, find, missing
from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.shared import several_devices
from recipeforge.documents.tree import Document, MappingNode

STAGES = {1: "zero-1", 2: "zero-2", 3: "zero-3"}
_SHIPPED = re.compile(r"(?:^|/)(?:deepspeed_configs/zero|ds_z)(?P<stage>[0-3])\w*\.json\Z")
"""Files that Axolotl and LLaMA-Factory bring along say their stage in their names, and whether they offload."""
_SHIPPED_LAUNCHES = {"single_gpu": "", "multi_gpu": "", "fsdp1": "fsdp1", "fsdp2": "fsdp2"} | {
    f"zero{n}": part for n, part in STAGES.items()
}
"""Name of an Accelerate file that TRL brings along → how it splits the work."""
LAUNCH_KEY = "accelerate_config"
"""What rules call the file that `accelerate launch` reads, whichever key or flag names it."""


def deepspeed(config: Config, path: str) -> None:
    """Read a DeepSpeed configuration: a mapping, or the path of a JSON file."""
    name = config.text(path)
    if isinstance(config.node(path), MappingNode):
        _zero(config, path, config, f"{path}.")
        return
    document = find(config.document.path, name) if name else None
    if document is not None:
        _zero(config, path, _opened(config, path, document), "")
    elif name and (shipped := _SHIPPED.search(name.replace("\\", "/"))):
        _stage(config, path, int(shipped["stage"]), offload="offload" in shipped[0])
    elif name:
        config.out.findings.add(missing("deepspeed", name, config, path))


def _opened(config: Config, key: str, document: Document) -> Config:
    """Return the file that a key names, for reading, and keep it for the rules that ask for its keys."""
    config.files[key] = inside = Config(document, config.vocabulary, {})
    return inside


def fsdp(config: Config, path: str, details: str, version: float) -> None:
    """Read FSDP's two keys; the second may be the path of a JSON file."""
    named = config.text(details)
    if config.value(path) is False or not (config.words(path) or named or isinstance(config.node(details), MappingNode)):
        return
    shown = path if config.words(path) else details
    document = find(config.document.path, named) if named else None
    if named and document is None:
        config.out.findings.add(missing("fsdp", named, config, details))
        if shown == details:
            return
    inside = _opened(config, details, document) if document is not None else config
    prefix = "" if document is not None else f"{details}."
    if document is not None:
        version = inside.number("fsdp_version") or inside.number("version") or version
    config.equip("fsdp2" if version >= 2 else "fsdp1", shown)
    several_devices(config, shown)
    if "offload" in " ".join(config.words(path)):
        config.set("distributed.offload", True, path)
    _fsdp_details(config, details, inside, prefix)


def _fsdp_details(config: Config, shown: str, inside: Config, prefix: str) -> None:
    """Read FSDP's settings from where they stand; `shown` stands for those of another file."""
    for key, knob in (
        ("offload_params", "offload"),
        ("cpu_offload", "offload"),
        ("activation_checkpointing",) * 2,
        ("use_orig_params",) * 2,
    ):
        for name in (f"{prefix}{key}", f"{prefix}fsdp_{key}"):
            value = inside.value(name)
            if value is True or (value is False and key == "use_orig_params"):
                config.set(f"distributed.{knob}", value, name if inside is config else shown)


def launched(config: Config, launch: str | None) -> None:
    """Read the Accelerate file that starts the run: the one that TRL's keys name, or that the context does."""
    named = [(key, name) for key, kind in NAMED_BY.items() if kind == "accelerate" and (name := config.text(key))]
    for key, name in [] if config.entry("base_model") is not None else named:
        document = find(config.document.path, name)
        if document is not None:
            _accelerate(config, key, _opened(config, LAUNCH_KEY, document))
        elif key == "accelerate_config" and name in _SHIPPED_LAUNCHES:
            config.equip(_SHIPPED_LAUNCHES[name], key)
            if _SHIPPED_LAUNCHES[name]:
                several_devices(config, key)
        else:
            config.out.findings.add(missing("accelerate", name, config, key))
    if launch is not None:
        document = find(config.document.path, launch)
        if document is None:
            config.out.findings.add(missing("accelerate", launch, config, LAUNCH))
        else:
            _accelerate(config, LAUNCH, _opened(config, LAUNCH_KEY, document))


def _accelerate(config: Config, path: str, inside: Config) -> None:
    """Read how an Accelerate file splits the work; the configuration itself was read before, and wins where it says so, too."""
    processes, kind = inside.number("num_processes"), (inside.text("distributed_type") or "").upper()
    if isinstance(processes, int) and processes > 0:
        config.out.settings = [s for s in config.out.settings if s.knob != "hardware.count"]  # two were assumed where work is split
        config.set("hardware.count", processes, path)
    if kind == "FSDP":
        version = inside.number("fsdp_config.fsdp_version") or 1
        config.equip("fsdp2" if version >= 2 else "fsdp1", path)
        _fsdp_details(config, path, inside, "fsdp_config.")
    elif kind == "DEEPSPEED":
        name = inside.text("deepspeed_config.deepspeed_config_file")
        document = find(inside.document.path, name) if name else None
        if document is not None:
            _zero(config, path, _opened(config, "deepspeed", document), "")
        else:
            offload = inside.text("deepspeed_config.offload_param_device") not in (None, "none")
            _stage(config, path, int(inside.number("deepspeed_config.zero_stage") or 0), offload=offload)


def _zero(config: Config, path: str, inside: Config, prefix: str) -> None:
    stage = inside.number(f"{prefix}zero_optimization.stage") or 0
    offloaded = inside.text(f"{prefix}zero_optimization.offload_param.device")
    _stage(config, path, int(stage), offload=offloaded not in (None, "none"))


def _stage(config: Config, path: str, stage: int, *, offload: bool) -> None:
    if stage in STAGES:
        config.equip(STAGES[stage], path)
        several_devices(config, path)
        if offload and stage == 3:
            config.set("distributed.offload", True, path)
