"""What stands at a place of a recipe: a slot's key, a component, a knob, a model, a GPU. Read from the tree, so half a recipe is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from recipeforge.documents.find import name_node
from recipeforge.documents.tree import (
    AliasNode,
    Content,
    Document,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    content_end,
    key_text,
    target_of,
)
from recipeforge.documents.vocabulary import USE_KEY, Vocabulary
from recipeforge.schemas.component import Component
from recipeforge.schemas.record import record

Kind = Literal["slot", "component", "group", "knob", "model", "gpu", "package", "key"]
GPU_KNOB = "hardware.gpu"


@record
class Thing:
    """A word of a recipe that means something."""

    kind: Kind
    id: str
    """Slot, component, group or knob as the catalog has it; a model, a GPU or a package as written; any other key as written."""
    start: int
    end: int
    slot: str = ""
    """For a component: the key under which it stands."""


def thing_at(document: Document, vocabulary: Vocabulary, offset: int) -> Thing | None:
    """Return what stands at an offset; a word's end belongs to it."""
    return next((thing for thing in things(document, vocabulary, offset) if thing.start <= offset <= thing.end), None)


def things(document: Document, vocabulary: Vocabulary, offset: int | None = None) -> Iterator[Thing]:
    """Yield everything that means something, in the order of the text; with an offset, only near it."""
    root = target_of(document.root) if document.root is not None else None
    if isinstance(root, MappingNode):
        for entry in _near(root, offset):
            yield from _Reader(vocabulary, offset).top_level(entry)


def alias_at(document: Document, offset: int) -> AliasNode | None:
    """Return the alias that stands at an offset."""
    node: Node | None = document.root
    while node is not None and not isinstance(node, AliasNode):
        inside = [child for child in _children(node) if child.start <= offset <= content_end(child)]
        node = inside[-1] if inside else None
    return node


def _children(node: Content) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for entry in node.entries:
            yield entry.key
            yield entry.value
    elif isinstance(node, SequenceNode):
        yield from node.items


def _near(mapping: MappingNode, offset: int | None) -> Iterator[Entry]:
    for entry in mapping.entries:
        if offset is None or entry.key.start <= offset <= max(entry.key.end, content_end(entry.value)):
            yield entry


@record
class _Reader:
    vocabulary: Vocabulary
    offset: int | None

    def top_level(self, entry: Entry) -> Iterator[Thing]:
        key, value = key_text(entry), target_of(entry.value)
        if key is None:
            return
        if key in self.vocabulary.slots:
            yield _thing("slot", key, entry.key)
            yield from self._slot(key, entry.value)
        elif self.vocabulary.is_group(key):
            yield _thing("group", key, entry.key)
            yield from self._knobs(key, value)
        else:
            yield _thing("key", key, entry.key)
            if key == "model" and isinstance(value, ScalarNode) and not value.null:
                yield _thing("model", value.text, entry.value)
            elif key == "packages" and isinstance(value, MappingNode):
                for inner in _near(value, self.offset):
                    name = key_text(inner)
                    if name is not None:
                        yield _thing("package", name, inner.key)

    def _slot(self, slot: str, node: Node) -> Iterator[Thing]:
        content = target_of(node)
        if isinstance(content, SequenceNode) and node is content:
            for item in content.items:
                yield from self._slot(slot, item)
            return
        named = name_node(content)
        component = self._component(slot, named) if named is not None else None
        if component is not None and named is not None:
            # An alias stands for what it repeats, and is the text at hand.
            yield _thing("component", component.id, named if content is node else node, slot)
        if isinstance(content, MappingNode) and content is node:
            yield from self._knobs(component.slot if component else slot, content)

    def _component(self, slot: str, named: ScalarNode) -> Component | None:
        found = self.vocabulary.component(slot, named.text)
        return found or next(iter(self.vocabulary.elsewhere.get(named.text, ())), None)

    def _knobs(self, group: str, node: Content) -> Iterator[Thing]:
        if not isinstance(node, MappingNode):
            return
        for entry in _near(node, self.offset):
            key = key_text(entry)
            if key == USE_KEY and group in self.vocabulary.slots:
                yield _thing("slot", group, entry.key)
                continue
            knob = self.vocabulary.knobs[group].get(key or "")
            if knob is None:
                continue
            yield _thing("knob", knob.path, entry.key)
            value = target_of(entry.value)
            if isinstance(value, ScalarNode) and not value.null:
                yield _thing("gpu", value.text, entry.value) if knob.path == GPU_KNOB else _thing("knob", knob.path, entry.value)


def _thing(kind: Kind, id_: str, node: Node, slot: str = "") -> Thing:
    return Thing(kind, id_, node.start, content_end(node), slot)
