"""Cuts that keep a YAML text what it is: entries and items put in or taken out, in flow or block style, comments left alone.

Each function speaks of the tree of the present text and returns cuts of that text. What cannot be done without risk raises
`Refusal`, which `edit` turns into an answer.
"""

import json
import re

from recipeforge.documents.pieces import Cut
from recipeforge.documents.scalars import duration_text, plain_value
from recipeforge.documents.tree import (
    AliasNode,
    Document,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    content_end,
)
from recipeforge.schemas.recipe import Knob, Scalar

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+\-]*")
_AMBIGUOUS_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"})
_INDENT = "  "


class Refusal(Exception):
    """The text cannot be edited there without risk; the message says why."""


# -- words -------------------------------------------------------------------------------------------------


def written(value: Scalar, knob: Knob | None = None, *, json_style: bool = False, like: str = "") -> str:
    """Return a value as YAML text; `like` is the text it replaces, whose quotes a string keeps."""
    if knob is not None and knob.type == "duration" and isinstance(value, int | float):
        value = duration_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, int):
        return str(value)
    if json_style or like.startswith('"'):
        return json.dumps(value, ensure_ascii=False)
    if like.startswith("'") or not _may_be_plain(value):
        return json.dumps(value, ensure_ascii=False) if not value.isprintable() else "'" + value.replace("'", "''") + "'"
    return value


def _float_text(value: float) -> str:
    if value.is_integer() and 1 <= abs(value) < 1e9:
        return str(int(value))
    if value == 0 or 1e-3 <= abs(value) < 1e9:
        return repr(value)
    # YAML 1.1 readers take 1e-05 for a text: the mantissa needs its point.
    shortest = next(text for digits in range(1, 18) if float(text := f"{value:.{digits}e}") == value)
    mantissa, _, exponent = shortest.partition("e")
    return f"{mantissa}e{int(exponent)}"


def _may_be_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and text.lower() not in _AMBIGUOUS_WORDS and isinstance(plain_value(text), str)


def is_json(mapping: MappingNode) -> bool:
    """Return whether a mapping is written as JSON: in braces, keys in double quotes."""
    key = mapping.entries[0].key if mapping.entries else None
    return mapping.flow and isinstance(key, ScalarNode) and key.style == '"'


def pair(mapping: MappingNode, key: str, value: str) -> str:
    """Return `key: value` in the style of a mapping."""
    return f'"{key}": {value}' if is_json(mapping) else f"{key}: {value}"


# -- putting in --------------------------------------------------------------------------------------------


def insert_entry(document: Document, mapping: MappingNode, key: str, value: str, after: Entry | None = None) -> list[Cut]:
    """Return the cuts that put `key: value` behind `after`, or first."""
    text = pair(mapping, key, value)
    if mapping.flow:
        if after is not None:
            at = content_end_of(after)
            return [Cut(at, at, f", {text}")]
        inside = mapping.start + 1
        return [Cut(inside, inside, f"{text}, " if mapping.entries else text)]
    if not mapping.entries:
        raise Refusal("the mapping is empty")
    lines = document.lines
    first = mapping.entries[0].key
    indent = " " * lines.position(first.start).column
    _refuse_complex(mapping)
    if after is None:
        return [Cut(first.start, first.start, f"{text}{lines.end_of_line()}{indent}")]
    return [_new_line(document, content_end_of(after), len(indent), indent + text)]


def insert_item(document: Document, sequence: SequenceNode, text: str) -> list[Cut]:
    """Return the cuts that append an item."""
    if sequence.flow:
        if not sequence.items:
            inside = sequence.start + 1
            return [Cut(inside, inside, text)]
        at = content_end(sequence.items[-1])
        return [Cut(at, at, f", {text}")]
    if not sequence.items:
        raise Refusal("the list is empty")
    column = document.lines.position(_dash_before(document, sequence.items[0])).column
    return [_new_line(document, content_end(sequence.items[-1]), column, f"{' ' * column}- {text}")]


def fill(document: Document, entry: Entry, text: str) -> list[Cut]:
    """Return the cuts that give an empty key its value."""
    node = entry.value
    if node.end > node.start:
        return [Cut(node.start, node.end, text)]
    at = _behind_colon(document, entry)
    return [Cut(at, at, f" {text}")]


def wrap(node: Node, before: str, after: str) -> list[Cut]:
    """Return the cuts that put text around a node."""
    end = content_end(node)
    return [Cut(node.start, node.start, before), Cut(end, end, after)]


def as_first_item(document: Document, mapping: MappingNode, second: str) -> list[Cut]:
    """Return the cuts that make a block mapping, the whole value of its key, the first item of a list with `second` behind it."""
    lines = document.lines
    column = lines.position(mapping.entries[0].key.start).column
    end = content_end(mapping)
    first_line, last_line = lines.line_of(mapping.start), lines.line_of(end)
    if document.text[lines.line_start(first_line) : mapping.start].strip(" "):
        raise Refusal("the mapping does not start on a line of its own")
    cuts = [Cut(mapping.start, mapping.start, "- ")]
    for line in range(first_line + 1, last_line + 1):
        if lines.line_text(line).strip():
            start = lines.line_start(line)
            cuts.append(Cut(start, start, _INDENT))
    cuts.append(_new_line(document, end, column, f"{' ' * column}- {second}"))
    return cuts


# -- taking out --------------------------------------------------------------------------------------------


def delete_entry(document: Document, mapping: MappingNode, entry: Entry) -> list[Cut]:
    """Return the cuts that take an entry out of a mapping with at least one more."""
    refuse_anchors(entry.key, entry.value)
    spans = [(other.key.start, content_end_of(other)) for other in mapping.entries]
    return _delete(document, spans, mapping.entries.index(entry), mapping.flow, entry.key.start, json_style=is_json(mapping))


def delete_item(document: Document, sequence: SequenceNode, item: Node) -> list[Cut]:
    """Return the cuts that take an item out of a list with at least one more."""
    refuse_anchors(item)
    index = next(i for i, other in enumerate(sequence.items) if other is item)
    if sequence.flow:
        spans = [(other.start, content_end(other)) for other in sequence.items]
        return _delete(document, spans, index, flow=True, start=item.start, json_style=False)
    spans = [(_dash_before(document, other), content_end(other)) for other in sequence.items]
    return _delete(document, spans, index, flow=False, start=spans[index][0], json_style=False)


def _delete(document: Document, spans: list[tuple[int, int]], index: int, flow: bool, start: int, *, json_style: bool) -> list[Cut]:
    if len(spans) < 2:
        raise Refusal("nothing would be left there")
    lines, text = document.lines, document.text
    end = spans[index][1]
    first, last = lines.line_of(start), lines.line_of(end)
    alone_before = not text[lines.line_start(first) : start].strip(" \t\ufeff")
    behind = text[end : lines.line_end(last)].strip()
    if alone_before and not json_style and (not behind or behind.startswith("#") or (flow and re.fullmatch(r",\s*(#.*)?", behind))):
        column = start - lines.line_start(first)
        stop = lines.next_line_start(_last_comment_line(document, last, column) if not flow else last)
        return [Cut(lines.line_start(first), stop, "")]
    if index + 1 < len(spans):
        return [Cut(start, spans[index + 1][0], "")]
    if flow:
        return [Cut(spans[index - 1][1], end, "")]
    raise Refusal("the entry shares its line")


# -- places ------------------------------------------------------------------------------------------------


def content_end_of(entry: Entry) -> int:
    """Return the offset behind an entry: behind its value, or behind its colon where it has none."""
    value = entry.value
    if value.end > value.start:
        return content_end(value)
    return max(value.start, entry.key.end)


def refuse_anchors(*nodes: Node) -> None:
    """Refuse to take out or rewrite what other places of the text repeat."""
    for node in nodes:
        if isinstance(node, AliasNode):
            continue
        if node.anchor:
            raise Refusal(f"the value is anchored as &{node.anchor}")
        if isinstance(node, SequenceNode):
            refuse_anchors(*node.items)
        elif isinstance(node, MappingNode):
            refuse_anchors(*(part for entry in node.entries for part in (entry.key, entry.value)))


def _refuse_complex(mapping: MappingNode) -> None:
    if any(not isinstance(entry.key, ScalarNode) for entry in mapping.entries):
        raise Refusal("the mapping has keys that are no words")


def _behind_colon(document: Document, entry: Entry) -> int:
    text = document.text
    at = entry.key.end
    while at < len(text) and text[at] in " \t":
        at += 1
    if text[at : at + 1] != ":":
        raise Refusal("the key has no colon")
    return at + 1


def _dash_before(document: Document, item: Node) -> int:
    """Return the offset of the `-` of a block item."""
    at = document.text.rfind("-", 0, item.start + (1 if item.end == item.start else 0))
    if at < 0 or document.text[at + 1 : item.start].strip():
        raise Refusal("the item does not follow its dash")
    return at


def _new_line(document: Document, end: int, column: int, text: str) -> Cut:
    """Return the cut that puts a line behind the one that holds `end`, and behind comments that belong to it."""
    lines = document.lines
    line = _last_comment_line(document, lines.line_of(end), column)
    eol = lines.end_of_line()
    at = lines.next_line_start(line)
    if at == lines.line_end(line):
        return Cut(at, at, f"{eol}{text}")
    return Cut(at, at, f"{text}{eol}")


def _last_comment_line(document: Document, line: int, column: int) -> int:
    """Return the last line of the comments below `line` that are indented deeper than `column`."""
    lines = document.lines
    while line + 1 < len(lines):
        below = lines.line_text(line + 1)
        stripped = below.lstrip(" ")
        if not stripped.startswith("#") or len(below) - len(stripped) <= column:
            break
        line += 1
    return line
