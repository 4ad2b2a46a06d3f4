"""Whether a configuration's keys and values are words of its tool: unknown, renamed, of the wrong kind; at every depth."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.scalars import FALSE_WORDS, TRUE_WORDS, number
from recipeforge.documents.suggest import certainly, suggest
from recipeforge.documents.tree import Content, Entry, MappingNode, ScalarNode, SequenceNode, target_of
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.change import Safety
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.record import record

FOLDER = Path(__file__).parent / "keys"
MAX_LISTED = 12
FREE, ITEM = "*", "[]"


@record
class Keys:
    """The key vocabulary of one dialect, from the release that it was taken from."""

    title: str
    version: str
    source: str
    """Where the tool declares them."""
    keys: dict[str, dict[str, Any]]
    """Dotted path → its type, allowed values and so on; `[]` is a list's item, `*` any name."""
    gone: dict[str, dict[str, Any]]
    """Key → what became of it."""
    inside: dict[str, tuple[str, ...]]
    """Path of a mapping, with its separator → the keys that it takes."""
    refuses: bool
    """Whether the tool refuses a key that it does not know; else it drops the key and says nothing."""


@cache
def keys_of(name: str, title: str, refuses: bool) -> Keys | None:
    """Return the vocabulary of a dialect; `None` where none is shipped."""
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        return None
    data = json.loads(file.read_text(encoding="utf-8"))
    inside: dict[str, list[str]] = {}
    for path in data["keys"]:
        for at, mark in enumerate((*path, ".")):
            if mark == ".":
                start = path.rfind(".", 0, at) + 1
                name_here = path[start:at].removesuffix(ITEM)
                seen = inside.setdefault(path[:start], [])
                if name_here not in seen:
                    seen.append(name_here)
    frozen = {path: tuple(names) for path, names in inside.items()}
    return Keys(title, data["version"], data["source"], data["keys"], data.get("gone", {}), frozen, refuses)


def judge_keys(config: Config, keys: Keys) -> None:
    """Report everything in a configuration that is no word of its tool."""
    if config.root is not None:
        for diagnostic in _inside(config, keys, config.root, ""):
            config.out.findings.add(diagnostic)


def _inside(config: Config, keys: Keys, mapping: MappingNode, prefix: str) -> Iterator[Diagnostic]:
    known = keys.inside.get(prefix, ())
    for name, entry in config.entries(mapping).items():
        path = prefix + (FREE if name not in known and FREE in known else name)
        spec = keys.keys.get(path) or keys.keys.get(path + ITEM)
        below = path + "." in keys.inside or path + ITEM + "." in keys.inside
        refused = keys.gone.get(path, {}).get("refused", False) and not _empty(target_of(entry.value))
        if refused or (spec is None and not below):
            yield _unknown(config, keys, prefix, name, entry, mapping)
            continue
        value = target_of(entry.value)
        if spec is not None and (misfit := _misfit(keys, path, name, spec, entry, value)):
            yield misfit
        if spec is not None and spec.get("open"):
            continue
        if isinstance(value, MappingNode) and path + "." in keys.inside:
            yield from _inside(config, keys, value, path + ".")
        for item in value.items if isinstance(value, SequenceNode) and path + ITEM + "." in keys.inside else ():
            if isinstance(inner := target_of(item), MappingNode):
                yield from _inside(config, keys, inner, path + ITEM + ".")


def _empty(value: Content) -> bool:
    return isinstance(value, ScalarNode) and value.null


def _unknown(config: Config, keys: Keys, prefix: str, name: str, entry: Entry, mapping: MappingNode) -> Diagnostic:
    known, span = keys.inside.get(prefix, ()), entry.key.span
    gone = keys.gone.get(prefix + name)
    meant = suggest(name, known)
    where = f" in `{prefix.rstrip('.').removesuffix(ITEM)}`" if prefix else ""
    if gone:
        since = f" in {gone['since']}" if gone.get("since") else ""
        instead = gone.get("instead")
        message = f"`{name}` was {gone.get('how', 'removed')}{since}"
        message += f"; {keys.title} reads `{instead}`" if instead else f", and {keys.title} reads nothing in its place"
        message += ", and refuses this one" if gone.get("refused") else ""
        meant = certainly(str(instead)) if instead and gone.get("how") == "renamed" else meant if not instead else suggest("", ())
    elif keys.refuses:
        message = f"{keys.title} knows no key `{short(name)}`{where} and refuses to start"
    else:
        message = f"{keys.title} reads no key `{short(name)}`{where}: this setting is ignored without a word"
    fixes: tuple[Fix, ...] = ()
    best = meant.best.removeprefix(prefix) if meant.best else None
    if best and best not in config.entries(mapping) and "." not in best and isinstance(entry.key, ScalarNode):
        quote = entry.key.style
        fixes = (text_fix(f"Rename to `{best}`", TextEdit(span, f"{quote}{best}{quote}"), safety="safe" if meant.clear else "unsafe"),)
    label = meant.question() or "read by nothing"
    code = "RF0002" if keys.refuses or (gone and gone.get("refused")) else "RF0023"
    source = f"The keys are those of {keys.title} {keys.version}: {keys.source}"
    return finding(code, message, span, label, fixes=fixes, notes=(source,))


def _misfit(keys: Keys, path: str, name: str, spec: dict[str, Any], entry: Entry, value: Content) -> Diagnostic | None:
    """Return the finding about a value that the tool refuses for its kind, or that is none of those that it knows."""
    if isinstance(value, ScalarNode) and value.null:
        return None
    kinds = frozenset(str(spec.get("type", "any")).split("|"))
    where = value.span if value.end > value.start else entry.key.span
    source = f"{keys.title} {keys.version}: {keys.source}"
    choices = cast("list[Any]", spec.get("values") or spec.get("known") or [])
    if isinstance(value, ScalarNode) and choices and kinds <= {"str", "bool", "int", "float", "any"}:
        return _none_of(keys, path, value, kinds, [str(c) for c in choices], source)
    if "any" in kinds or _suits(kinds, value):
        return None
    wanted = " or ".join(_KINDS[kind] for kind in _KINDS if kind in kinds)
    message = f"{keys.title} takes {wanted} for `{name}`"
    return finding("RF0004", message, where, "of another kind", help=f"Write {wanted}.", notes=(source,))


def _none_of(keys: Keys, path: str, value: ScalarNode, kinds: frozenset[str], choices: list[str], source: str) -> Diagnostic | None:
    word = value.text
    if word in choices or word.lower() in {c.lower() for c in choices}:
        return None
    if _suits(kinds - {"str", "any"}, value) and value.plain and (number(word) is not None or word.lower() in TRUE_WORDS | FALSE_WORDS):
        return None
    if (
        number(word) is not None or not kinds & {"str", "any"} or "/" in word or "." in word
    ):  # the dotted name of somebody's own, or a repository
        return None
    meant = suggest(word, choices)
    safety: Safety = "safe" if meant.clear else "unsafe"
    quote = value.style if value.style in ("'", '"') else ""
    edit = TextEdit(value.span, f"{quote}{meant.best}{quote}")
    fixes = (text_fix(f"Write `{meant.best}`", edit, safety=safety),) if meant.best else ()
    help_text = f"It knows {listed(choices, MAX_LISTED)}."
    message = f"{keys.title} knows no `{short(word)}` for `{path}`"
    return finding("RF0006", message, value.span, meant.question() or "not one of them", help=help_text, fixes=fixes, notes=(source,))


_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "list": "a list",
    "map": "a mapping",
}


def _suits(kinds: frozenset[str], value: Content) -> bool:
    """Return whether a value is of one of these kinds, as readers coerce: `"8"` is a number where one is wanted."""
    if isinstance(value, MappingNode):
        return "map" in kinds
    if isinstance(value, SequenceNode):
        return "list" in kinds
    if "str" in kinds:
        return True
    if value.text.lower() in TRUE_WORDS | FALSE_WORDS | {"0", "1"}:
        return bool(kinds & {"bool", "int", "float"})
    amount = number(value.text)
    if amount is None:
        return False
    return "float" in kinds or ("int" in kinds and float(amount).is_integer())
