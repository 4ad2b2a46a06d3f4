"""torchtune's parts: a mapping with a `_component_` is a call, and its other keys are the arguments; `${…}` has to lead somewhere."""

import re
from collections.abc import Iterator

from recipeforge.documents.dialects.config import Config
from recipeforge.documents.dialects.key_vocabulary import Keys
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.suggest import suggest
from recipeforge.documents.tree import Content, MappingNode, ScalarNode, SequenceNode, target_of
from recipeforge.documents.wording import listed, short
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import Span, TextEdit

PART = "_component_"
OWN = "torchtune."
ANY = "**"
MAX_LISTED = 12
_REFERENCE = re.compile(r"(?<!\\)\$\{([A-Za-z_][\w.]*)\}")


def judge_parts(config: Config, keys: Keys) -> None:
    """Report arguments that a part does not take, parts that torchtune does not have, and references that lead nowhere."""
    if config.root is not None:
        for diagnostic in (*_calls(config, keys, config.root), *_references(config, config.root)):
            config.out.findings.add(diagnostic)


def _calls(config: Config, keys: Keys, node: Content) -> Iterator[Diagnostic]:
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _calls(config, keys, target_of(item))
    if not isinstance(node, MappingNode):
        return
    entries = config.entries(node)
    part = target_of(entries[PART].value) if PART in entries else None
    if isinstance(part, ScalarNode) and "${" not in part.text:
        yield from _call(config, keys, part, node)
    for entry in entries.values():
        yield from _calls(config, keys, target_of(entry.value))


def _call(config: Config, keys: Keys, part: ScalarNode, mapping: MappingNode) -> Iterator[Diagnostic]:
    known = keys.components.get(part.text)
    source = f"{keys.title} {keys.version}: {keys.source}"
    if known is None:
        if part.text.startswith(OWN):
            meant = suggest(part.text, tuple(keys.components))
            message = f"{keys.title} has no `{short(part.text, 100)}`"
            fixes = _written(f"Write `{meant.best}`", part.span, part.style, meant.best, meant.clear)
            yield finding("RF0006", message, part.span, meant.question() or "no such part", fixes=fixes, notes=(source,))
        return
    entries = config.entries(mapping)
    for name, entry in entries.items():
        if name == PART or name in known or ANY in known or not isinstance(entry.key, ScalarNode):
            continue
        meant = suggest(name, known)
        message = f"`{part.text}` takes no argument `{short(name)}`, and the run stops where it is built"
        free = meant.best if meant.best and meant.best not in entries else None
        fixes = _written(f"Rename to `{free}`", entry.key.span, entry.key.style, free, meant.clear)
        help_text, label = f"It takes {listed(known, MAX_LISTED)}.", meant.question() or "no such argument"
        yield finding("RF0002", message, entry.key.span, label, fixes=fixes, help=help_text, notes=(source,))


def _written(title: str, span: Span, style: str, word: str | None, clear: bool) -> tuple[Fix, ...]:
    if not word or style not in ("", "'", '"'):
        return ()
    return (text_fix(title, TextEdit(span, f"{style}{word}{style}"), safety="safe" if clear else "unsafe"),)


def _references(config: Config, node: Content) -> Iterator[Diagnostic]:
    """Return the references to keys that are not there: reading the file stops at them."""
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from _references(config, target_of(item))
    elif isinstance(node, MappingNode):
        for entry in config.entries(node).values():
            yield from _references(config, target_of(entry.value))
    else:
        for name in _REFERENCE.findall(node.text):
            if config.entry(name) is None and not _inside_reference(config, name):
                meant = suggest(name, tuple(config.entries(config.root)))
                message = f"`${{{short(name, 80)}}}` stands for a key that is not there, and the file cannot be read"
                yield finding("RF0007", message, node.span, meant.question() or "no such key")


def _inside_reference(config: Config, name: str) -> bool:
    """Return whether a part of the path is itself a reference or a list, whose inside is not known here."""
    outer = name
    while "." in outer:
        outer = outer.rpartition(".")[0]
        node = config.node(outer)
        if isinstance(node, SequenceNode) or (isinstance(node, ScalarNode) and "${" in node.text):
            return True
    return False
