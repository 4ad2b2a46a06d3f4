"""Whether a configuration's keys and values are words of its tool: unknown, renamed, of the wrong kind; at every depth."""

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.key_vocabulary import FREE, ITEM, Keys
from recipeforge.documents.dialects.older import deprecated, read_elsewhere
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.scalars import FALSE_WORDS, TRUE_WORDS, number
from recipeforge.documents.suggest import certainly, suggest
from recipeforge.documents.tree import Content, Entry, MappingNode, ScalarNode, SequenceNode, target_of
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.change import Safety
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit

MAX_LISTED = 12


def judge_keys(config: Config, keys: Keys) -> None:
    """Report everything in a configuration that is no word of its tool."""
    if config.root is not None:
        for diagnostic in _inside(config, keys, config.root, ""):
            config.out.findings.add(diagnostic)


def _inside(config: Config, keys: Keys, mapping: MappingNode, prefix: str) -> Iterator[Diagnostic]:
    known = keys.inside.get(prefix, ())
    named = keys.keys.get(prefix.removesuffix("."), {}).get("names")
    yield from deprecated(config, keys, mapping, prefix)
    for name, entry in config.entries(mapping).items():
        path = prefix + (FREE if name not in known and FREE in known else name)
        spec = keys.keys.get(path) or keys.keys.get(path + ITEM)
        below = path + "." in keys.inside or path + ITEM + "." in keys.inside
        refused = keys.gone.get(path, {}).get("refused", False) and not _empty(target_of(entry.value))
        if refused or (spec is None and not below) or (named and name not in named):
            yield _unknown(config, keys, prefix, name, entry, mapping)
            continue
        value = target_of(entry.value)
        if spec is not None and (misfit := _misfit(keys, path, name, spec, entry, value)):
            yield misfit
        elif spec is not None and (unread := read_elsewhere(config, keys, name, spec, entry)):
            yield unread
        if item_spec := keys.keys.get(path + ITEM):
            yield from _broken_items(keys, name, path + ITEM, item_spec, value)
        if spec is not None and spec.get("open"):
            continue
        if isinstance(value, MappingNode) and path + "." in keys.inside:
            yield from _inside(config, keys, value, path + ".")
        for item in value.items if isinstance(value, SequenceNode) and path + ITEM + "." in keys.inside else ():
            if isinstance(inner := target_of(item), MappingNode):
                yield from _inside(config, keys, inner, path + ITEM + ".")


def _broken_items(keys: Keys, name: str, path: str, spec: dict[str, Any], value: Content) -> Iterator[Diagnostic]:
    """Return the items of a list that the tool refuses: no word of those that it takes, or a regular expression that is none."""
    for item in value.items if isinstance(value, SequenceNode) else ():
        inner = target_of(item)
        if not isinstance(inner, ScalarNode) or inner.null:
            continue
        if choices := spec.get("values"):
            kinds = frozenset(str(spec.get("type", "any")).split("|"))
            if misfit := _none_of(keys, path, inner, kinds, [str(choice) for choice in choices]):
                yield misfit
        if spec.get("syntax") == "regex":
            try:
                re.compile(inner.text)
            except re.error as error:
                message = f"`{short(inner.text)}` in `{name}` is no regular expression ({error}), and {keys.title} refuses to start"
                yield finding("RF0006", message, inner.span, "cannot be compiled", notes=(f"{keys.title} {keys.version}: {keys.source}",))


def inside_mapping(config: Config, keys: Keys, mapping: MappingNode) -> Iterator[Diagnostic]:
    """Return everything in one mapping that is no word of a vocabulary."""
    return _inside(config, keys, mapping, "")


def _empty(value: Content) -> bool:
    return isinstance(value, ScalarNode) and value.null


def _unknown(config: Config, keys: Keys, prefix: str, name: str, entry: Entry, mapping: MappingNode) -> Diagnostic:
    known, span = keys.keys.get(prefix.removesuffix("."), {}).get("names") or keys.inside.get(prefix, ()), entry.key.span
    gone = keys.gone.get(prefix + name)
    refuses = keys.refuses or bool(keys.keys.get(prefix.rstrip(".").removesuffix(ITEM), {}).get("closed"))
    meant = suggest(name, known)
    where = f" in `{prefix.rstrip('.').removesuffix(ITEM)}`" if prefix else ""
    if gone:
        since = f" in {gone['since']}" if gone.get("since") else ""
        instead = gone.get("instead")
        message = f"`{name}` was {gone.get('how', 'removed')}{since}"
        message += f"; {keys.title} reads `{instead}`" if instead else f", and {keys.title} reads nothing in its place"
        message += ", and refuses this one" if gone.get("refused") else ""
        meant = certainly(str(instead)) if instead and gone.get("how") == "renamed" else meant if not instead else suggest("", ())
    elif refuses:
        message = f"{keys.title} knows no key `{short(name)}`{where} and refuses to start"
    else:
        message = f"{keys.title} reads no key `{short(name)}`{where}: this setting is ignored without a word"
    fixes: tuple[Fix, ...] = ()
    best = meant.best.removeprefix(prefix) if meant.best else None
    if best and best not in config.entries(mapping) and "." not in best and isinstance(entry.key, ScalarNode):
        quote = entry.key.style
        fixes = (text_fix(f"Rename to `{best}`", TextEdit(span, f"{quote}{best}{quote}"), safety="safe" if meant.clear else "unsafe"),)
    label = meant.question() or "read by nothing"
    code = "RF0002" if refuses or (gone and gone.get("refused")) else "RF0023"
    source = f"The keys are those of {keys.title} {keys.version}: {keys.source}"
    return finding(code, message, span, label, fixes=fixes, notes=(source,))


def _misfit(keys: Keys, path: str, name: str, spec: dict[str, Any], entry: Entry, value: Content) -> Diagnostic | None:
    """Return the finding about a value that the tool refuses for its kind, or that is none of those that it knows."""
    if isinstance(value, ScalarNode) and value.null:
        return None
    kinds = frozenset(str(spec.get("type", "any")).split("|"))
    choices = cast("list[Any]", spec.get("values") or spec.get("known") or [])
    if isinstance(value, ScalarNode) and choices and kinds <= {"str", "bool", "int", "float", "any"}:
        return _none_of(keys, path, value, kinds, [str(c) for c in choices])
    if "any" in kinds or _suits(kinds, value):
        return _beyond(keys, name, spec, value)
    wanted = " or ".join(_KINDS[kind] for kind in _KINDS if kind in kinds)
    message = f"{keys.title} takes {wanted} for `{name}`"
    where = value.span if value.end > value.start else entry.key.span
    return finding("RF0004", message, where, "of another kind", help=f"Write {wanted}.", notes=(_source(keys),))


def _none_of(keys: Keys, path: str, value: ScalarNode, kinds: frozenset[str], choices: list[str]) -> Diagnostic | None:
    word = value.text
    if (pattern := keys.keys.get(path, {}).get("pattern")) and re.search(pattern, word):
        return None
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
    message = f"{keys.title} knows no `{short(word)}` for `{path.removesuffix(ITEM)}`"
    label = meant.question() or "not one of them"
    return finding("RF0006", message, value.span, label, help=help_text, fixes=fixes, notes=(_source(keys),))


def _beyond(keys: Keys, name: str, spec: dict[str, Any], value: Content) -> Diagnostic | None:
    """Return the finding about a number below or above what the tool takes."""
    amount = number(value.text) if isinstance(value, ScalarNode) and value.plain else None
    if amount is None:
        return None
    for field, outside, words in _LIMITS:
        limit = spec.get(field)
        if isinstance(limit, int | float) and outside(amount, limit):
            message = f"{keys.title} takes {words} {limit:g} for `{name}`"
            return finding("RF0006", message, value.span, "out of range", help=f"Write {words} {limit:g}.", notes=(_source(keys),))
    return None


def _source(keys: Keys) -> str:
    return f"{keys.title} {keys.version}: {keys.source}"


_LIMITS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", operator.lt, "at least"),
    ("exclusiveMinimum", operator.le, "more than"),
    ("maximum", operator.gt, "at most"),
    ("exclusiveMaximum", operator.ge, "less than"),
)
"""Limit in a vocabulary → what is outside of it, and the words for it."""
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
