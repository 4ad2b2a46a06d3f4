"""Finding things in a tree as it stands in the text: nothing is followed through aliases or merges."""

from collections.abc import Iterator

from recipeforge.documents.tree import AliasNode, Entry, MappingNode, Node, ScalarNode, SequenceNode, key_text
from recipeforge.documents.vocabulary import USE_KEY


def entry_of(mapping: MappingNode, key: str) -> Entry | None:
    """Return the entry that holds for a key in the text itself: the last of equal ones."""
    return next((entry for entry in reversed(mapping.entries) if key_text(entry) == key), None)


def name_node(node: Node) -> ScalarNode | None:
    """Return the scalar that names the component of a slot value."""
    if isinstance(node, MappingNode):
        use = entry_of(node, USE_KEY)
        return name_node(use.value) if use is not None and not isinstance(use.value, MappingNode) else None
    return node if isinstance(node, ScalarNode) else None


def mappings_in(node: Node) -> Iterator[MappingNode]:
    """Yield all mappings that stand in the text itself."""
    if isinstance(node, MappingNode):
        yield node
        for entry in node.entries:
            yield from mappings_in(entry.value)
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from mappings_in(item)


def has_aliases(node: Node) -> bool:
    """Return whether anything in the tree repeats an anchored value."""
    if isinstance(node, AliasNode):
        return True
    if isinstance(node, SequenceNode):
        return any(has_aliases(item) for item in node.items)
    return isinstance(node, MappingNode) and any(has_aliases(entry.value) for entry in node.entries)


def path_to(node: Node, offset: int) -> list[tuple[Node, Entry | Node]]:
    """Return the way from the root to the entry or item that starts at an offset."""
    if isinstance(node, MappingNode):
        for entry in node.entries:
            if entry.key.start == offset:
                return [(node, entry)]
            if rest := path_to(entry.value, offset):
                return [(node, entry), *rest]
    elif isinstance(node, SequenceNode):
        for item in node.items:
            if item.start == offset and not isinstance(item, MappingNode):
                return [(node, item)]
            if isinstance(item, MappingNode) and item.start == offset and item.flow:
                return [(node, item)]
            if rest := path_to(item, offset):
                return [(node, item), *rest]
    return []
