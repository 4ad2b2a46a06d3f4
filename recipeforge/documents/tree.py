"""The tree of a YAML document: what stands where, nothing constructed.

Every node knows its offsets in the text. An alias stays an alias, so that an edit cannot reach through it by accident;
`target_of` follows it. A scalar keeps its text: what `010` or `no` means is decided where a type is wanted (`scalars`).
"""

from collections.abc import Iterator
from dataclasses import field

from recipeforge.documents.lines import LineIndex
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import Span
from recipeforge.schemas.record import record, slotted


@slotted
class _Placed:
    start: int
    """Offset of the first character, behind any anchor or tag."""
    end: int
    """Offset behind the last character. A block collection ends where libyaml noticed; see `content_end`."""
    lines: LineIndex = field(repr=False, compare=False)

    @property
    def span(self) -> Span:
        """The place in the text."""
        return self.lines.span(self.start, self.end)


@slotted
class ScalarNode(_Placed):
    """One value, as written."""

    text: str
    """The content, with quotes and escapes resolved."""
    style: str = ""
    """Empty for a plain scalar, else the quote or block indicator."""
    tag: str | None = None
    """An explicit tag, in full."""
    anchor: str | None = None

    @property
    def plain(self) -> bool:
        """Whether the content may be read as a number, a boolean or null."""
        return not self.style and self.tag != STR_TAG

    @property
    def null(self) -> bool:
        """Whether nothing stands here."""
        return self.plain and self.text in NULLS


@slotted
class SequenceNode(_Placed):
    """A list."""

    items: "tuple[Node, ...]"
    flow: bool
    """Written `[a, b]`."""
    anchor: str | None = None


@slotted
class Entry:
    """One key of a mapping with its value."""

    key: "Node"
    value: "Node"


@slotted
class MappingNode(_Placed):
    """Keys and values in the order of the text; merge keys stand among them."""

    entries: tuple[Entry, ...]
    flow: bool
    """Written `{a: b}`."""
    anchor: str | None = None


@slotted
class AliasNode(_Placed):
    """`*name`: the node that was anchored earlier."""

    name: str
    target: "Content"


Content = ScalarNode | SequenceNode | MappingNode
Node = Content | AliasNode

STR_TAG = "tag:yaml.org,2002:str"
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
MERGE_KEY = "<<"


@record
class Document:
    """A text and its tree. `root` is `None` where there is none; where `complete` is false it ends at a syntax error."""

    path: str
    """As the user wrote it, or `<text>`."""
    text: str
    """The whole text, byte order mark and line breaks as they are."""
    lines: LineIndex = field(repr=False, compare=False)
    root: Node | None
    diagnostics: tuple[Diagnostic, ...]
    """What is wrong with the file as YAML."""
    complete: bool
    """Whether the tree holds the whole text."""
    gaps: frozenset[int] = frozenset()
    """Lines left out so that the rest could be read (`mend`)."""

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets of the text."""
        return self.lines.span(start, end)


def target_of(node: Node) -> Content:
    """Return the node itself, or what its alias stands for."""
    return node.target if isinstance(node, AliasNode) else node


def key_text(entry: Entry) -> str | None:
    """Return an entry's key as a word; `None` for a key that is not one."""
    key = target_of(entry.key)
    return key.text if isinstance(key, ScalarNode) and not key.null else None


def is_merge(entry: Entry) -> bool:
    """Return whether the entry merges other mappings in."""
    key = entry.key
    return isinstance(key, ScalarNode) and key.plain and key.text == MERGE_KEY


def effective_entries(mapping: MappingNode) -> Iterator[Entry]:
    """Yield the entries that hold: the last of equal keys, then merged ones whose keys are still free, nearest mapping first.

    Entries whose key is not a word come as they stand.
    """
    holding: dict[str, Entry] = {}
    merges: list[Entry] = []
    for entry in mapping.entries:
        if is_merge(entry):
            merges.append(entry)
        elif (key := key_text(entry)) is None:
            yield entry
        else:
            holding[key] = entry
    for entry in merges:
        for merged in merged_mappings(entry):
            for inner in effective_entries(merged):
                key = key_text(inner)
                if key is not None:
                    holding.setdefault(key, inner)
    yield from holding.values()


def merged_mappings(entry: Entry) -> tuple[MappingNode, ...]:
    """Return the mappings that a merge entry names, nearest first; what is no mapping is left out."""
    value = target_of(entry.value)
    candidates = [target_of(item) for item in value.items] if isinstance(value, SequenceNode) else [value]
    return tuple(node for node in candidates if isinstance(node, MappingNode))


def content_end(node: Node) -> int:
    """Return the offset behind the last character that belongs to a node.

    libyaml ends a block collection or block scalar where the next token starts, blank lines and comments included.
    """
    if isinstance(node, ScalarNode) and node.style in {"|", ">"}:
        return node.start + len(node.lines.text[node.start : node.end].rstrip())
    if isinstance(node, MappingNode) and not node.flow and node.entries:
        last = node.entries[-1]
        return max(content_end(last.value), content_end(last.key))
    if isinstance(node, SequenceNode) and not node.flow and node.items:
        return content_end(node.items[-1])
    return node.end
