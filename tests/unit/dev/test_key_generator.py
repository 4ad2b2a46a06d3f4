"""The generator of key vocabularies, on small made-up sources."""

import json
import subprocess
from pathlib import Path

import pytest

from dev.dialect_keys import accelerate, additions, axolotl, deepspeed, llamafactory, torchtune, trl
from dev.dialect_keys.fields import close, enforced, entries
from dev.dialect_keys.history import last_seen, vanished
from dev.dialect_keys.shapes import Reader
from dev.dialect_keys.source import SourceError, Sources
from dev.dialect_keys.write import text, write


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files, each with the packages above it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


MODELS = """
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, Optional
from pydantic import AliasChoices, BaseModel, Field, PositiveInt
from .parts import Base, Size as Extent

LIMIT = 8

class Color(str, Enum):
    red = "red"
    blue = "blue"

class Inner(BaseModel):
    width: int = Field(default=1, ge=1, le=9)
    name: str

class Model(Base):
    model_config = {"populate_by_name": True}
    kinds: ClassVar[list] = []
    color: Color | None = None
    loose: Color | str = "red"
    mode: Literal["auto"] | bool = "auto"
    size: Extent = LIMIT
    inner: Inner | None = None
    many: list[Inner] | None = None
    table: dict[str, list[str]] | None = None
    free: dict[str, Any] | None = None
    positive: PositiveInt = 3
    renamed: str | None = Field(default=None, alias="outer")
    version: int | None = Field(validation_alias=AliasChoices("v", "version"), default=None)
    gone_later: Optional[int] = Field(None, deprecated="Use `color` instead.")
    pattern: Annotated[str, Field(pattern="^a")] = "ab"
    shared: str = "mine"
"""
PARTS = """
from pydantic import BaseModel
Size = int | float
class Base(BaseModel):
    shared: int = 1
    _private: int = 2
"""


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, dict]:
    tree(tmp_path, {"made/__init__.py": "", "made/models.py": MODELS, "made/parts.py": PARTS})
    reader = Reader(Sources({"made": tmp_path / "made"}))
    return entries(reader, reader.sources.require_class("made.models", "Model"), strict_null=True)


def test_types_values_and_bounds(keys: dict[str, dict]) -> None:
    assert keys["color"] == {"type": "str", "values": ["red", "blue"], "default": None}
    assert keys["loose"] == {"type": "str", "known": ["red", "blue"], "default": "red", "nullable": False}
    assert keys["mode"] == {"type": "bool|str", "values": ["auto"], "default": "auto", "nullable": False}
    assert keys["size"] == {"type": "int|float", "default": 8, "nullable": False}
    assert keys["positive"]["exclusiveMinimum"] == 0
    assert keys["pattern"]["pattern"] == "^a"
    assert keys["free"] == {"type": "map", "open": True, "default": None}


def test_what_stands_inside(keys: dict[str, dict]) -> None:
    for prefix in ("inner.", "many[]."):
        assert keys[prefix + "width"] == {"type": "int", "minimum": 1, "maximum": 9, "default": 1, "nullable": False}
        assert keys[prefix + "name"] == {"type": "str", "required": True, "nullable": False}
    assert keys["many"]["type"] == "list" and keys["many[]"]["type"] == "map"
    assert keys["table.*"]["type"] == "list" and keys["table.*[]"]["type"] == "str"


def test_names_aliases_and_inheritance(keys: dict[str, dict]) -> None:
    assert {"outer", "renamed", "v", "version"} <= set(keys)
    assert keys["shared"] == {"type": "str", "default": "mine", "nullable": False}  # the later declaration
    assert not {"kinds", "_private", "model_config"} & set(keys)


def test_an_enumeration_that_the_class_insists_on_closes_the_list(tmp_path: Path) -> None:
    source = """
from dataclasses import dataclass, field
from enum import Enum
class Kind(Enum):
    A = "a"
    B = "b"
@dataclass
class Arguments:
    kind: Kind | str = field(default="a")
    free: Kind | str = field(default="a")
    pick: str = field(default="x", metadata={"choices": ["x", "y"]})
    counted: int = field(init=False)
    def __post_init__(self):
        self.kind = Kind(self.kind)
"""
    tree(tmp_path, {"made/__init__.py": source})
    reader = Reader(Sources({"made": tmp_path / "made"}))
    owner = reader.sources.require_class("made", "Arguments")
    found = entries(reader, owner)
    close(found, enforced(reader, owner))
    assert found["kind"]["values"] == ["a", "b"] and found["free"]["known"] == ["a", "b"] and found["pick"]["values"] == ["x", "y"]
    assert "counted" not in found


def test_a_name_is_followed_through_branches_and_what_is_missing_is_said(tmp_path: Path) -> None:
    source = "try:\n    from absent import Thing\nexcept ImportError:\n    from .other import Thing\nX = '''about X'''\nX = 'real'\n"
    tree(tmp_path, {"made/__init__.py": source, "made/other.py": "class Thing: ...\n"})
    sources = Sources({"made": tmp_path / "made"})
    assert sources.require_class("made", "Thing").module.name == "made.other"
    found = sources.lookup(sources.require("made"), "X")
    assert found is not None and Reader(sources).constant(found.node, found.module) == "real"  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="no class Absent in made"):
        sources.require_class("made", "Absent")


def test_axolotl_plugins_and_prefixes(tmp_path: Path) -> None:
    config = """
from pydantic import BaseModel, Field
class FSDP(BaseModel):
    offload: bool | None = None
class AxolotlInputConfig(BaseModel):
    base_model: str
    attn: str | None = None
    optimizer: str | None = None
    lr_scheduler: str | None = None
    fsdp_config: FSDP | None = None
    flash: bool | None = Field(default=None, deprecated="Use `attn: fa2` instead.")
"""
    plugin = 'class P:\n    def get_input_args(self):\n        return "axolotl.integrations.x.args.Args"\n'
    args = "from pydantic import BaseModel\nclass Args(BaseModel):\n    x_size: int\n    base_model: str\n"
    tree(
        tmp_path,
        {
            "src/axolotl/utils/schemas/config.py": config,
            "src/axolotl/integrations/x/__init__.py": plugin,
            "src/axolotl/integrations/x/args.py": args,
        },
    )
    found = axolotl.read(tmp_path, {})
    assert found["keys"]["x_size"] == {"type": "int", "nullable": False, "plugin": "axolotl.integrations.x.P"}
    assert "plugin" not in found["keys"]["base_model"]
    assert found["gone"]["fsdp_config.fsdp_offload"] == {"instead": "fsdp_config.offload", "how": "deprecated"}
    assert found["gone"]["flash"] == {"instead": "attn", "how": "deprecated", "value": "fa2"}


def test_llamafactory_commands_and_lists(tmp_path: Path) -> None:
    parser = """
from dataclasses import dataclass
from .args import Model, Train, Mega
_TRAIN_ARGS = [Model, Train]
_INFER_ARGS = [Model]
_EVAL_ARGS = [Model]
_TRAIN_MBRIDGE_ARGS = [Model, Train, Mega]
"""
    args = """
from dataclasses import dataclass
@dataclass
class Model:
    target: str = "all"
    def __post_init__(self):
        self.target: list[str] = split_arg(self.target)
@dataclass
class Train:
    steps: int = 1
@dataclass
class Mega:
    parts: int = 1
"""
    tree(tmp_path, {"src/llamafactory/hparams/parser.py": parser, "src/llamafactory/hparams/args.py": args})
    found = llamafactory.read(tmp_path, {})["keys"]
    assert found["target"] == {"type": "str|list", "default": "all"}
    assert found["steps"] == {"type": "int", "default": 1, "commands": ["train"]}
    assert found["parts"] == {"type": "int", "default": 1, "needs": "use_megatron_bridge", "commands": ["train"]}


def test_trl_trainers(tmp_path: Path) -> None:
    data = "from dataclasses import dataclass\n@dataclass\nclass "
    tree(
        tmp_path,
        {
            "trl/trainer/sft_config.py": data + "SFTConfig:\n    packing: bool = False\n    beta: float = 0.1\n",
            "trl/trainer/dpo_config.py": data + "DPOConfig:\n    beta: float = 0.1\n",
            "trl/scripts/utils.py": data + "ScriptArguments:\n    dataset_name: str | None = None\n",
            "trl/scripts/sft.py": data + "SFTScriptArguments:\n    extra: int = 1\n",
        },
    )
    found = trl.read(tmp_path, {})
    assert found["keys"]["packing"]["trainers"] == ["sft"] and found["keys"]["extra"]["trainers"] == ["sft"]
    assert "trainers" not in found["keys"]["beta"] and "trainers" not in found["keys"]["dataset_name"]
    assert found["trainers"] == {"dpo": {"command": False}, "sft": {"command": True}}
    seen = {"sft:packing": "2.0", "dpo:packing": "1.0", "sft:old": "1.0", "gone:other": "1.0", ":dataset_name": "2.0"}
    assert trl.vanished_keys(seen, ["1.0", "2.0"], found) == {
        "packing": {"instead": None, "how": "removed", "since": "2.0", "trainers": ["dpo"]},
        "old": {"instead": None, "how": "removed", "since": "2.0"},
    }


def test_torchtune_reads_and_components(tmp_path: Path) -> None:
    recipe = """
PROFILER = "profiler"
class R:
    def setup(self, cfg):
        use(cfg.model, cfg.get("epochs", 1), cfg[PROFILER], cfg.model.rank)
"""
    models = """
from functools import partial
from dataclasses import dataclass
def lora(x, rank: int, *, alpha=1, **kwargs): ...
quick = partial(lora, alpha=2)
def _hidden(): ...
class Loss:
    def __init__(self, scale): ...
class Sub(Loss): ...
@dataclass
class Record:
    a: int
"""
    tree(tmp_path, {"recipes/full.py": recipe, "torchtune/__init__.py": "", "torchtune/models.py": models})
    found = torchtune.read(tmp_path, {})
    assert sorted(found["keys"]) == ["epochs", "model", "profiler"] == found["recipes"]["full"]
    assert found["keys"]["epochs"]["default"] == 1 and found["keys"]["model"]["open"]
    assert found["components"]["torchtune.models.lora"] == found["components"]["torchtune.models.quick"] == ["x", "rank", "alpha", "**"]
    assert found["components"]["torchtune.models.Sub"] == ["scale"] and found["components"]["torchtune.models.Record"] == ["a"]
    assert "torchtune.models._hidden" not in found["components"]


def test_accelerate_sections(tmp_path: Path) -> None:
    config = """
from dataclasses import dataclass
from typing import Optional
@dataclass
class ClusterConfig:
    num_processes: int = -1
    fsdp_config: Optional[dict] = None
@dataclass
class SageMakerConfig:
    region: str = "x"
"""
    launch = """
def parser(p):
    p.add_argument("--fsdp_version", type=str, choices=["1", "2"], default="1")
    p.add_argument("--zero_stage", type=int)
    p.add_argument("--cpu", action="store_true")
"""
    tree(
        tmp_path,
        {
            "src/accelerate/commands/config/config_args.py": config,
            "src/accelerate/commands/launch.py": launch,
            "src/accelerate/utils/launch.py": 'def go(args):\n    return args.fsdp_offload, getattr(args, "fsdp_extra", 1)\n',
        },
    )
    found = accelerate.read(tmp_path, {})["keys"]
    assert found["fsdp_config.version"] == {"type": "bool|int|str", "known": [1, 2, "1", "2"]}
    assert {"fsdp_config.fsdp_version", "fsdp_config.offload", "fsdp_config.fsdp_extra", "deepspeed_config.zero_stage"} <= set(found)
    assert found["region"]["needs"] and "cpu" not in found and "open" not in found["fsdp_config"]


def test_deepspeed_models_refuse_and_auto_is_a_value(tmp_path: Path) -> None:
    assert set(deepspeed.MODELS) >= {"zero_optimization", "fp16", "bf16"}
    model = (
        "from pydantic import BaseModel, Field\nclass {}(BaseModel):\n    enabled: bool = False\n    size: int = Field(pp_int(5e8), ge=0)\n"
    )
    files: dict[str, str] = {"deepspeed/runtime/constants.py": 'CLIP = "how to clip"\nCLIP = "gradient_clipping"\nCLIP_DEFAULT = 1.0\n'}
    for module, name in deepspeed.MODELS.values():
        path = module.replace(".", "/") + ".py"
        files[path] = files.get(path, "") + model.format(name)
    files["deepspeed/runtime/config.py"] += (
        "from deepspeed.runtime.constants import *\ndef clip(param_dict):\n    return get_scalar_param(param_dict, CLIP, CLIP_DEFAULT)\n"
    )
    tree(tmp_path, files)
    found = deepspeed.read(tmp_path, {})["keys"]
    assert found["gradient_clipping"] == {"type": "float|str", "default": 1.0, "values": ["auto"]}
    assert found["fp16"] == {"type": "map", "closed": True}
    assert found["fp16.size"] == {"type": "int|float|str", "minimum": 0, "default": 500000000, "values": ["auto"]}


def test_what_releases_had_is_told_from_tags(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments], check=True, capture_output=True
        )

    git("init", "-q")
    for tag, content in (("v0.9", "a b c"), ("v0.10", "a b"), ("v1.0rc1", "z"), ("v1.0", "a")):
        tree(tmp_path, {"src/keys.txt": content})
        git("add", ".")
        git("commit", "-q", "-m", tag)
        git("tag", tag)
    seen, readable = last_seen(tmp_path, ["src"], lambda root: {*(root / "src/keys.txt").read_text(encoding="utf-8").split()})
    assert readable == ["0.9", "0.10", "1.0"] and seen == {"a": "1.0", "b": "0.10", "c": "0.9"}
    gone = vanished({**seen, "b.inner": "0.9", "a.inner": "0.9", "l[]": "0.9"}, readable, {"a"})
    assert {k: v["since"] for k, v in gone.items()} == {"a.inner": "0.10", "b": "1.0", "c": "0.10"}  # what went with `b` is not said again


def test_additions_must_still_fit() -> None:
    keys: dict[str, dict] = {"old": {"type": "str"}, "new": {"type": "str"}}
    gone: dict[str, dict] = {"x": {"instead": None, "how": "removed", "since": "1"}}
    additions.add(keys, gone, {"gone": {"old": {"instead": "new", "how": "deprecated"}, "x": {"instead": "new", "how": "renamed"}}})
    assert gone == {"old": {"instead": "new", "how": "deprecated"}, "x": {"instead": "new", "how": "renamed", "since": "1"}}
    for stale in (
        {"amend": {"absent": {}}},
        {"keys": {"old": {}}},
        {"gone": {"absent": {"how": "deprecated"}}},
        {"gone": {"y": {"instead": "absent", "how": "renamed"}}},
    ):
        with pytest.raises(additions.Stale):
            additions.add(keys, gone, stale)
    inherited: dict[str, dict] = {}
    additions.inherit(keys, inherited, {"old": {"how": "renamed"}, "z": {"how": "deprecated"}})
    assert inherited == {"z": {"instead": None, "how": "removed"}}


def test_bytes_are_stable_and_a_day_alone_changes_nothing(tmp_path: Path) -> None:
    vocabulary = {
        "dialect": "d",
        "taken": "2026-01-01",
        "keys": {"b": {"type": "str", "default": "\u00e9"}, "a": {"type": "int"}},
        "gone": {},
    }
    assert text(vocabulary).splitlines()[3:7] == [
        ' "keys": {',
        '  "a": {"type": "int"},',
        '  "b": {"type": "str", "default": "\\u00e9"}',
        " },",
    ]
    path = tmp_path / "d.json"
    assert write(path, vocabulary) and not write(path, {**vocabulary, "taken": "2026-02-02"})
    assert json.loads(path.read_text(encoding="utf-8"))["taken"] == "2026-01-01"
