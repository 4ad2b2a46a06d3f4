"""libyaml's events → the tree, under limits.

Events instead of nodes: libyaml's own composer recurses in C, loses where aliases stand, and expands nothing it could count.
Here depth, nodes and alias expansion are counted as they come, so that no small file can cost much.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.lines import BOM, LineIndex
from recipeforge.documents.tree import STR_TAG, AliasNode, Content, Entry, MappingNode, Node, ScalarNode, SequenceNode, key_text
from recipeforge.documents.wording import short
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit

MAX_DEPTH: Final = 100
MAX_NODES: Final = 50_000
MAX_ALIASED_NODES: Final = 10_000

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it; the other gives the same events, slower. Only `get_event` is used: nothing is constructed."""

_PROPERTIES = re.compile(
    r"(?:(?:!<[^>\s]*>|[!&][^\s,\[\]{}]*)(?:[ \t]+|(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|[\r\n\x85\u2028\u2029]))|(?=[,\[\]{}]|$))*)+[ \t]*"
)
"""Anchors and tags before a value, with the white space, comments and line breaks behind them."""
_TAG = re.compile(r"!<[^>\s]*>|![^\s,\[\]{}]*")
_PREFIX = "tag:yaml.org,2002:"
_AS_PLAIN = frozenset({f"{_PREFIX}int", f"{_PREFIX}float", f"{_PREFIX}bool", f"{_PREFIX}null"})
_KNOWN_TAGS = frozenset({*_AS_PLAIN, STR_TAG, f"{_PREFIX}map", f"{_PREFIX}seq", "!"})

_MAPPING_START, _SEQUENCE_START = yaml.MappingStartEvent, yaml.SequenceStartEvent
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


@dataclass(slots=True)
class _Frame:
    """An open collection."""

    mapping: bool
    flow: bool
    anchor: str | None
    start: int
    children: list[Node] = field(default_factory=list[Node])
    size: int = 1
    height: int = 1


@dataclass(slots=True)
class Built:
    """What came of the events."""

    root: Node | None = None
    complete: bool = False
    error: yaml.MarkedYAMLError | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    last: ScalarNode | None = None
    """The last scalar before the end, which is what most syntax errors are about."""
    last_is_key: bool = False
    open_flow: int | None = None
    """Offset of the innermost bracket that was open at the end."""


class Builder:
    """One pass over the events of one text."""

    def __init__(self, text: str, lines: LineIndex) -> None:
        self._text = text
        self._lines = lines
        self._shift = 1 if text.startswith(BOM) else 0
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Content, int, int]] = {}
        self._open_anchors: list[str] = []
        self._nodes = 0
        self._aliased = 0
        self._built = Built()

    def build(self) -> Built:
        """Return the tree, or as much of it as there is before the first syntax error or limit."""
        built = self._built
        try:
            built.complete = self._consume(_PARSER(self._text[self._shift :]))
        except yaml.MarkedYAMLError as error:
            built.error = error
            built.open_flow = next((frame.start for frame in reversed(self._frames) if frame.flow), None)
        while self._frames:
            self._close(len(self._text))
        return built

    def _consume(self, parser: Any) -> bool:
        """Read the first document; return whether all of it was read."""
        started = False
        while True:
            event = parser.get_event()
            kind = cast("type[yaml.Event]", type(event))
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is _MAPPING_START or kind is _SEQUENCE_START:
                self._open(event, mapping=kind is _MAPPING_START)
            elif kind in _ENDS:
                self._close(event.end_mark.index + self._shift)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                if started:
                    self._another_document(event)
                    return True
                started = True
            elif kind is yaml.StreamEndEvent:
                return True
            if self._over_limit(event):
                return False

    # -- one method an event --------------------------------------------------------------------------------

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        tag: str | None = event.tag
        style: str = event.style or ""
        if event.anchor or tag:
            outer, start = start, self._behind_properties(start, end)
            if tag:
                self._check_tag(tag, outer, start)
            if tag in _AS_PLAIN:
                style = ""
            if tag == "!":
                tag = STR_TAG
        node = ScalarNode(start, end, self._lines, event.value, style, tag, event.anchor)
        built = self._built
        built.last = node
        built.last_is_key = bool(self._frames) and self._frames[-1].mapping and len(self._frames[-1].children) % 2 == 0
        if event.anchor:
            self._anchors[event.anchor] = (node, 1, 1)
        self._attach(node, 1, 1)

    def _open(self, event: yaml.CollectionStartEvent, *, mapping: bool) -> None:
        start = event.start_mark.index + self._shift
        anchor: str | None = event.anchor
        tag: str | None = event.tag
        if anchor or tag:
            outer, start = start, self._behind_properties(start, len(self._text))
            if tag:
                self._check_tag(tag, outer, start)
        self._open_anchors.append(anchor or "")
        self._frames.append(_Frame(mapping, bool(event.flow_style), anchor, start))

    def _close(self, end: int) -> None:
        frame = self._frames.pop()
        self._open_anchors.pop()
        if frame.mapping:
            children = frame.children
            if len(children) % 2:
                at = children[-1].end
                children.append(ScalarNode(at, at, self._lines, ""))
            entries = tuple(Entry(children[i], children[i + 1]) for i in range(0, len(children), 2))
            node: Content = MappingNode(frame.start, max(end, frame.start), self._lines, entries, frame.flow, frame.anchor)
            self._duplicates(node)
        else:
            node = SequenceNode(frame.start, max(end, frame.start), self._lines, tuple(frame.children), frame.flow, frame.anchor)
        if frame.anchor:
            self._anchors[frame.anchor] = (node, frame.size, frame.height)
        self._attach(node, frame.size, frame.height)

    def _alias(self, event: yaml.AliasEvent) -> None:
        start, end = event.start_mark.index + self._shift, event.end_mark.index + self._shift
        name: str = event.anchor
        span = self._lines.span(start, end)
        if name in self._open_anchors:
            self._built.diagnostics.append(
                finding("RF0001", f"the alias `*{name}` stands inside `&{name}`, which it repeats", span, "repeats itself without end")
            )
        elif name not in self._anchors:
            message = f"there is no `&{name}` above that the alias `*{name}` could repeat"
            next_step = f"Anchor a value as `&{name}` first, or quote the text if the asterisk is meant: '*{name}'."
            self._built.diagnostics.append(finding("RF0001", message, span, "unknown anchor", help=next_step))
        else:
            target, size, height = self._anchors[name]
            self._aliased += size
            self._attach(AliasNode(start, end, self._lines, name, target), size, height)
            return
        self._attach(ScalarNode(start, end, self._lines, ""), 1, 1)

    def _attach(self, node: Node, size: int, height: int) -> None:
        self._nodes += 1
        if not self._frames:
            self._built.root = node
            return
        frame = self._frames[-1]
        frame.children.append(node)
        frame.size += size
        frame.height = max(frame.height, height + 1)

    # -- what may be wrong ----------------------------------------------------------------------------------

    def _over_limit(self, event: yaml.Event) -> bool:
        depth = len(self._frames) + (self._frames[-1].height - 1 if self._frames else 0)
        if depth <= MAX_DEPTH and self._nodes <= MAX_NODES and self._aliased <= MAX_ALIASED_NODES:
            return False
        start = event.start_mark.index + self._shift
        span = self._lines.span(start, max(event.end_mark.index + self._shift, start))
        if depth > MAX_DEPTH:
            message, next_step = f"this is nested more than {MAX_DEPTH} levels deep", "A recipe needs four levels at most."
        elif self._aliased > MAX_ALIASED_NODES:
            message = f"the aliases of this file expand to more than {MAX_ALIASED_NODES:,} values"
            next_step = "Write the values out where they are needed."
        else:
            message, next_step = f"this file holds more than {MAX_NODES:,} values", "Check the path: a recipe is a page of text, not data."
        self._built.diagnostics.append(finding("RF0013", message, span, "reading stopped here", help=next_step))
        return True

    def _another_document(self, event: yaml.DocumentStartEvent) -> None:
        span = self._lines.span(event.start_mark.index + self._shift, event.end_mark.index + self._shift)
        self._built.diagnostics.append(
            finding(
                "RF0012",
                "a second document starts here; a file holds one recipe",
                span,
                "not read from here on",
                help="Move what follows `---` to a file of its own, or delete it.",
            )
        )

    def _duplicates(self, mapping: MappingNode) -> None:
        first: dict[str, Entry] = {}
        for entry in mapping.entries:
            key = key_text(entry)
            if key is None:
                continue
            earlier = first.setdefault(key, entry)
            if earlier is not entry:
                message = f"`{short(key)}` is given twice; most readers keep only the last"
                related = ((earlier.key.span, "first given here"),)
                self._built.diagnostics.append(
                    finding("RF0005", message, entry.key.span, "given again", related=related, help="Keep one of the two.")
                )

    def _check_tag(self, tag: str, outer: int, start: int) -> None:
        if tag in _KNOWN_TAGS:
            return
        match = _TAG.search(self._text, outer, max(start, outer + 1))
        begin, end = match.span() if match else (outer, start)
        shown = self._text[begin:end]
        fixes: tuple[Fix, ...] = ()
        if match:
            behind = end
            while behind < start and self._text[behind] in " \t":
                behind += 1
            fixes = (text_fix(f"Remove the tag `{shown}`", TextEdit(self._lines.span(begin, behind), ""), safety="unsafe"),)
        message = f"`{shown}` is a tag, and a recipe holds plain values: nothing is constructed from it"
        self._built.diagnostics.append(
            finding("RF0004", message, self._lines.span(begin, end), "not read", help="Remove the tag.", fixes=fixes)
        )

    def _behind_properties(self, start: int, end: int) -> int:
        match = _PROPERTIES.match(self._text, start)
        return min(match.end(), end) if match else start
