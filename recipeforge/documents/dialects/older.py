"""Keys that are read, but not as they stand: deprecated ones, those of a plugin that is not loaded, and those of another command."""

from collections.abc import Iterator, Mapping
from typing import Any

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.key_vocabulary import Keys
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.surgery import written
from recipeforge.documents.tree import Entry, MappingNode, ScalarNode, target_of
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit

MAX_NAMED = 6


def deprecated(config: Config, keys: Keys, mapping: MappingNode, prefix: str) -> Iterator[Diagnostic]:
    """Return one finding about all keys of a mapping that have another name by now, and still are read."""
    here = config.entries(mapping)
    found = {
        name: (entry, keys.gone[prefix + name])
        for name, entry in here.items()
        if prefix + name in keys.keys and _deprecated(keys.gone.get(prefix + name), here, prefix) and _says_something(entry)
    }
    if not found:
        return
    edits: list[TextEdit] = []
    said: list[str] = []
    taken = set(here)
    for name, (entry, gone) in found.items():
        instead = str(gone["instead"]) if gone.get("instead") else ""
        word = gone.get("value")
        said.append(f"`{name}` is `{instead.removeprefix(prefix)}{f': {word}' if word else ''}` now" if instead else f"`{name}`")
        new = instead.removeprefix(prefix)
        if new and new not in taken and "." not in new and (edit := _renamed(keys, prefix, name, entry, new, word)):
            edits += edit
            taken.add(new)
    first = next(iter(found.values()))[0]
    several = len(found) > 1
    subject = f"{len(found)} keys are deprecated" if several else f"`{next(iter(found))}` is deprecated"
    message = f"{subject}, and still read by {keys.title}: {_several(said)}" if several or "now" in said[0] else f"{subject}"
    fixes: tuple[Fix, ...] = ()
    if edits:
        title = "Write the new names" if several else "Write the new name"
        fixes = (text_fix(title, *edits, safety="safe"),)
    related = tuple((entry.key.span, "this one, too") for entry, _ in list(found.values())[1:])
    source = f"{keys.title} {keys.version}: {keys.source}"
    yield finding("RF0024", message, first.key.span, "deprecated", fixes=fixes, related=related, notes=(source,))


def _deprecated(gone: dict[str, Any] | None, here: Mapping[str, Entry], prefix: str) -> bool:
    """Return whether a key is deprecated, and its successor not there as well: that is more than a matter of names."""
    return gone is not None and gone["how"] == "deprecated" and str(gone["instead"] or "").removeprefix(prefix) not in here


def _several(said: list[str]) -> str:
    rest = len(said) - MAX_NAMED
    return ", ".join(said[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _says_something(entry: Entry) -> bool:
    value = target_of(entry.value)
    return not isinstance(value, ScalarNode) or not (value.null or value.text.lower() in ("false", "no", "off"))


def _renamed(keys: Keys, prefix: str, name: str, entry: Entry, new: str, word: object) -> list[TextEdit]:
    """Return the edits that write the new name; none where the value would have to change in a way that is not known."""
    key, value = entry.key, entry.value
    if not isinstance(key, ScalarNode) or key.anchor or key.style not in ("", "'", '"'):
        return []
    renamed = TextEdit(key.span, f"{key.style}{new}{key.style}")
    if word is not None:
        plain = isinstance(value, ScalarNode) and not value.anchor and value.text.lower() in ("true", "yes", "on")
        return [renamed, TextEdit(value.span, written(str(word)))] if plain else []
    same = keys.keys.get(prefix + new, {}).get("type") == keys.keys[prefix + name].get("type")
    return [renamed] if same and not (prefix + name).startswith("warmup") else []


def read_elsewhere(config: Config, keys: Keys, name: str, spec: dict[str, Any], entry: Entry) -> Diagnostic | None:
    """Return the finding about a key that is known, and not read in this run."""
    plugin, commands = spec.get("plugin"), spec.get("commands")
    source = f"{keys.title} {keys.version}: {keys.source}"
    if plugin and _says_something(entry) and plugin.rsplit(".", 1)[-1] not in {word.rsplit(".", 1)[-1] for word in config.words("plugins")}:
        message = f"only the plugin {plugin} reads `{name}`, and `plugins` does not name it: this setting is ignored without a word"
        return finding("RF0023", message, entry.key.span, "read by nothing", help=f"Add `{plugin}` to `plugins`.", notes=(source,))
    if commands and "train" not in commands and config.value("do_train") is True:
        others = " or ".join(_COMMANDS[c] for c in commands if c in _COMMANDS)
        message = f"{keys.title} reads `{name}` to {others} only, and refuses to train with it"
        return finding("RF0002", message, entry.key.span, "of another command", help="Remove the key.", notes=(source,))
    return None


_COMMANDS = {"infer": "generate", "eval": "evaluate"}
