"""Files that a configuration names: DeepSpeed's JSON, FSDP's and Accelerate's settings. Each is judged with it, in its own places."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.key_vocabulary import Keys, keys_of
from recipeforge.documents.dialects.keys import inside_mapping, judge_keys
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.tree import Document, MappingNode, ScalarNode, target_of
from recipeforge.documents.vocabulary import vocabulary_of
from recipeforge.documents.wording import short
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.place import Span, TextEdit

LAUNCH = "accelerate"
"""The context that names the file with which `accelerate launch` starts the run."""
NAMED_BY = {
    "deepspeed": "deepspeed",
    "deepspeed_config_file": "deepspeed",
    "fsdp_config": "fsdp",
    "accelerator_config": "accelerator",
    "accelerate_config": "accelerate",
    "config_file": "accelerate",
}
"""Key whose value may be a path → what lies there."""
TITLES = {
    "deepspeed": "DeepSpeed file",
    "fsdp": "FSDP file",
    "accelerator": "file of the accelerator's settings",
    "accelerate": "Accelerate file",
}
_MATCHED = (
    ("train_micro_batch_size_per_gpu", ("per_device_train_batch_size", "micro_batch_size")),
    ("gradient_accumulation_steps", ("gradient_accumulation_steps",)),
    ("gradient_clipping", ("max_grad_norm",)),
    ("optimizer.params.lr", ("learning_rate",)),
    ("optimizer.params.eps", ("adam_epsilon",)),
    ("optimizer.params.weight_decay", ("weight_decay",)),
    ("scheduler.params.warmup_max_lr", ("learning_rate",)),
    ("fp16.enabled", ("fp16",)),
    ("bf16.enabled", ("bf16",)),
)
"""Key of a DeepSpeed file → keys of the configuration, with the value of which transformers demands that it agrees."""

_SAID_BY_DEEPSPEED = (
    "mixed_precision",
    "deepspeed_config.gradient_accumulation_steps",
    "deepspeed_config.gradient_clipping",
    "deepspeed_config.zero_stage",
    "deepspeed_config.offload_optimizer_device",
    "deepspeed_config.offload_param_device",
    "deepspeed_config.offload_param_nvme_path",
    "deepspeed_config.offload_optimizer_nvme_path",
    "deepspeed_config.zero3_save_16bit_model",
)
"""Keys of an Accelerate file that accelerate refuses where the file names one of DeepSpeed, which has to say them."""


@dataclass(frozen=True)
class Companion:
    """A file that a configuration names."""

    kind: str
    key: str
    """What names it; empty for one that the context names."""
    name: str
    document: Document | None
    """`None` where there is no such file."""


def companions_of(config: Config, launch: str | None = None) -> tuple[Companion, ...]:
    """Return the files that a configuration names, and the one that it is launched with."""
    found = [Companion(NAMED_BY[key], key, name, find(config.document.path, name)) for key, name in _named(config)]
    return tuple(found) + ((Companion("accelerate", "", launch, find(config.document.path, launch)),) if launch else ())


def names_in(document: Document, catalog: Catalog) -> tuple[str, ...]:
    """Return the names of the files that a configuration mentions, whether or not they are there."""
    return tuple(name for _, name in _named(Config(document, vocabulary_of(catalog), {})))


def _named(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each key that names a file, and the name."""
    for key in NAMED_BY:
        if isinstance(name := config.value(key), str) and name and _meant(config, key):
            yield key, name


def _meant(config: Config, key: str) -> bool:
    """Return whether the configuration's tool reads a path there: the launch keys are TRL's."""
    return key in ("deepspeed", "fsdp_config", "accelerator_config") or config.entry("base_model") is None


def find(document: str, name: str) -> Document | None:
    """Return the file that a configuration names: from the folder of the command, that of the configuration, or those above it."""
    for folder in _folders(document):
        path = folder / name
        try:
            if path.is_file():
                shown = path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
                return _json(load(shown)) if name.endswith(".json") else load(shown)
        except (OSError, ValueError):
            continue
    return None


def _json(document: Document) -> Document:
    """Return a JSON file as the tree of the same YAML; tabs between its words are allowed, and what is no JSON is said so."""
    text = document.text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        place = document.lines.position(min(error.pos, len(text)))
        wrong = finding("RF0001", f"this is no JSON: {error.msg[:1].lower()}{error.msg[1:]}", Span(place, place), "here")
        return replace(document, root=None, diagnostics=(wrong,))
    except RecursionError:
        return replace(document, root=None, diagnostics=())
    return replace(parse(text.replace("\t", " "), document.path), text=text)


def _folders(document: str) -> list[Path]:
    if document.startswith("<"):
        return [Path()]
    here = Path(document).absolute().parent
    return [Path(), here, *here.parents]


def judged(document: Document, catalog: Catalog, launch: Fact | None = None) -> Iterator[tuple[Document, str, tuple[Diagnostic, ...]]]:
    """Return each file that a configuration names and that is wrong, with what it is and what is wrong in it."""
    vocabulary = vocabulary_of(catalog)
    config = Config(document, vocabulary, {})
    for companion in companions_of(config, launch if isinstance(launch, str) else None):
        if companion.document is None:
            continue
        inside = Config(companion.document, vocabulary, {})
        found = list(companion.document.diagnostics)
        if isinstance(inside.root, MappingNode):
            if keys := _keys(companion.kind):
                judge_keys(inside, keys)
            found += inside.out.findings.diagnostics
            found += _disagreeing(config, inside) if companion.kind == "deepspeed" else ()
            found += _said_twice(inside) if companion.kind == "accelerate" else ()
        if found:
            told = [replace(d, fixes=(), help=f"{d.fixes[0].title}.") if d.fixes else d for d in found]
            yield companion.document, companion.kind, tuple(sorted(told, key=lambda d: (d.primary.span, d.code)))


def _keys(kind: str) -> Keys | None:
    if kind == "deepspeed":
        return keys_of("deepspeed", "DeepSpeed", refuses=False)
    return keys_of("accelerate", "Accelerate", refuses=True) if kind == "accelerate" else None


def _disagreeing(config: Config, inside: Config, prefix: str = "") -> Iterator[Diagnostic]:
    """Return the values that transformers compares with the configuration's, and finds to differ."""
    for name, keys in _MATCHED:
        path = prefix + name
        key = next((key for key in keys if config.entry(key) is not None), None)
        theirs, ours = inside.value(path), config.value(key) if key else None
        switches = isinstance(theirs, bool) and isinstance(ours, bool)
        numbers = _number(theirs) and _number(ours)
        if key is None or theirs == ours or not (switches or numbers):
            continue
        place = f"{short(Path(config.document.path).name, 60)}, line {config.span(key).start.line + 1}"
        where = "here" if prefix else "in the configuration that names this file"
        message = f"DeepSpeed's `{name}` is {_text(theirs)}, and `{key}` is {_text(ours)} {where}"
        note = f"transformers compares the two and refuses to start where they differ; `{key}` stands in {place}"
        fixes = _auto(inside, path)
        yield finding("RF0025", message, _value_span(inside, path), "differs", notes=(note,), fixes=fixes)


def _said_twice(inside: Config) -> Iterator[Diagnostic]:
    """Return the settings of an Accelerate file that stand beside the name of a DeepSpeed file."""
    name = inside.text("deepspeed_config.deepspeed_config_file")
    if name is None or (inside.text("distributed_type") or "").upper() != "DEEPSPEED":
        return
    for path in _SAID_BY_DEEPSPEED:
        if inside.value(path) is not None:
            message = f"`{path.split('.')[-1]}` stands beside `deepspeed_config_file`, which has to say it"
            note = "accelerate refuses to start where both say how DeepSpeed runs; it belongs in the DeepSpeed file alone"
            yield finding("RF0025", message, inside.span(path), "said here, too", notes=(note,))


def _auto(inside: Config, path: str) -> tuple[Fix, ...]:
    """Return the fix that lets the configuration's value count."""
    entry = inside.entry(path)
    if entry is None or not isinstance(entry.value, ScalarNode) or entry.value.anchor:
        return ()
    return (text_fix('Write "auto": the configuration\'s value is put in', TextEdit(entry.value.span, '"auto"'), safety="unsafe"),)


def _value_span(inside: Config, path: str) -> Span:
    entry = inside.entry(path)
    return target_of(entry.value).span if entry is not None else inside.span(path)


def judge_inline(config: Config) -> None:
    """Judge DeepSpeed's settings where the configuration holds them itself."""
    node = config.node("deepspeed")
    if isinstance(node, MappingNode):
        if keys := _keys("deepspeed"):
            for diagnostic in inside_mapping(config, keys, node):
                config.out.findings.add(diagnostic)
        for diagnostic in _disagreeing(config, config, "deepspeed."):
            config.out.findings.add(diagnostic)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def missing(kind: str, name: str, config: Config, key: str) -> Diagnostic:
    """Return the finding about a file that is not there."""
    message = f"the {TITLES[kind]} `{short(name, 80)}` is not there, so nothing that it says is judged"
    help_text = "Paths are looked for beside this file, in the folders above it and where the command runs."
    return finding("RF0022", message, config.span(key), "not found", help=help_text)
