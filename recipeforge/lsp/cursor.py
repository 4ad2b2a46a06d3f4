"""Where the cursor stands in a recipe: at a key, at a value, in a list, in a comment, and what stands around it.

Told from the text, not from its tree: while someone types, the line with the cursor mostly is no YAML yet, and the tree
lacks it. Only the top-level entry that holds the cursor is looked at, so that what is broken above does no harm, and the
look never fails: what it does not understand is a place where nothing is offered.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import Literal

from recipeforge.documents.lines import BOM, LineIndex
from recipeforge.lsp.boxes import Box, Spot
from recipeforge.lsp.outline import Outline
from recipeforge.schemas.record import record

Role = Literal["nothing", "key", "value", "item", "ignore", "comment"]

MOST_LINES = 2000
"""How far the ends of the cursor's top-level entry are looked for."""
MOST_CHARACTERS = 100_000
"""In an entry longer than this nothing is offered: it is data, not a recipe."""

_TOP_KEY = re.compile(r"""(?P<key>"(?:[^"\\\r\n]|\\.)*"|'[^'\r\n]*'|[^\s#,\[\]{}&*!|>'"%@`\-?:][^\r\n:#]*?)[ \t]*:(?=[ \t\r\n]|\Z)""")
_NO_START = frozenset(" \t#-]},\r\n")
_IGNORE = re.compile(r"#[ \t]*forge:[ \t]*ignore[ \t]*\[(?P<codes>[^\]\r\n]*)", re.IGNORECASE)
_CODE = re.compile(r"[^\s,]+")


@record
class Cursor:
    """A place in a recipe. Offsets count code points of the text."""

    role: Role
    """`item` is a value in a list; `ignore` a code in an ignore comment; `comment` any other comment."""
    at: int
    start: int
    """Where the word under the cursor starts."""
    end: int
    """Where it ends, which may be behind the cursor; for a comment, where the line does."""
    path: tuple[str, ...] = ()
    """For a key, the keys that lead to its mapping; for a value, with its own key last."""
    keys: dict[str, str] = field(default_factory=dict[str, str])
    """The other keys of the mapping, with their values where those are single words."""
    items: tuple[str, ...] = ()
    """What else stands in the list; in an ignore comment, its other codes."""
    lead: str = ""
    """What has to come between the text before the cursor and the word: a blank, or the dash of a list."""
    tail: str = ""
    """What has to follow: the quote that is still open, a comma before the next item, or a blank before a comment."""
    quote: str = ""
    """The quote inside which the word stands."""
    colon: bool = False
    """Whether a colon follows the key already."""
    flow: bool = False
    """Whether it stands in brackets or braces."""
    fresh: bool = False
    """A key may start here that makes its parent a mapping, but a value or a list as well: nothing settles it yet."""

    @property
    def typed_length(self) -> int:
        """Return how much of the word lies before the cursor."""
        return self.at - self.start


def cursor_at(lines: LineIndex, at: int) -> Cursor:
    """Return the place at an offset of a text."""
    text = lines.text
    at = min(max(at, 0), len(text))
    nothing = Cursor("nothing", at, at, at)
    if at == 0 and text.startswith(BOM):
        return nothing
    line = lines.line_of(at)
    if text[lines.line_start(line) : lines.line_start(line) + 1] == "#" and at > lines.line_start(line):
        return _comment(lines, at, lines.line_start(line))
    whole = _root_in_braces(lines)
    first, last = (0, len(lines)) if whole else _entry_around(lines, line)
    begin, end = lines.line_start(first), lines.next_line_start(last - 1)
    if end - begin > MOST_CHARACTERS:
        return nothing
    outline = Outline(text, begin, end, at, in_braces=whole)
    spot = outline.read()
    if spot is None:
        return nothing
    if spot.role == "comment":
        return _comment(lines, at, spot.start)
    return _cursor(lines, at, spot)


def top_keys(lines: LineIndex) -> list[tuple[int, str]]:
    """Return the keys that start a line of the text, with their offsets."""
    found: list[tuple[int, str]] = []
    for line in range(len(lines)):
        start = lines.line_start(line)
        match = _TOP_KEY.match(lines.text, start)
        if match is not None:
            found.append((start, match["key"].strip("\"'")))
    return found


def _root_in_braces(lines: LineIndex) -> bool:
    """Return whether the text is written like JSON."""
    for line in range(min(len(lines), MOST_LINES)):
        content = lines.line_text(line).lstrip()
        if content and not content.startswith(("#", "---", "%")):
            return content.startswith("{")
    return False


def _entry_around(lines: LineIndex, line: int) -> tuple[int, int]:
    """Return the lines (half-open) of the top-level entry that holds a line."""
    text = lines.text
    first, start = line, lines.line_start(line)
    if text[start : start + 1] in _NO_START or start == len(text):
        while first > 0 and line - first < MOST_LINES:
            first -= 1
            if _TOP_KEY.match(text, lines.line_start(first)):
                break
    last = line + 1
    while last < len(lines) and last - line < MOST_LINES and not _TOP_KEY.match(text, lines.line_start(last)):
        last += 1
    return first, last


def _comment(lines: LineIndex, at: int, hash_at: int) -> Cursor:
    """Return the place in a comment: a code of an ignore, or any other."""
    line_end = lines.line_end(lines.line_of(at))
    for match in _IGNORE.finditer(lines.text, hash_at, line_end):
        first, last = match.span("codes")
        if not first <= at <= last:
            continue
        words = [(word.start(), word.end(), word.group()) for word in _CODE.finditer(lines.text, first, last)]
        start, end, _ = next((word for word in words if word[0] <= at <= word[1]), (at, at, ""))
        others = tuple(name for from_, to, name in words if not from_ <= at <= to)
        tail = "" if lines.text[last : last + 1] == "]" or last < line_end else "]"
        return Cursor("ignore", at, start, end, items=others, tail="" if words and at < words[-1][0] else tail)
    return Cursor("comment", at, hash_at, line_end)


def _cursor(lines: LineIndex, at: int, spot: Spot) -> Cursor:
    text, box = lines.text, spot.box
    keys = {word: value for word, (start, value) in box.keys.items() if start != spot.start and word != spot.own}
    if spot.role == "key" and not spot.path and not box.flow:
        keys |= {word: "" for start, word in top_keys(lines) if start != spot.start and word not in keys}
    lead = spot.lead
    if not lead and spot.start == at and spot.role != "ignore" and text[at - 1 : at] in (":", ",") and not spot.quote:
        lead = " "
    tail = spot.quote if spot.quote and not spot.closed else "," if spot.comma else ""
    if not tail and text[spot.end : spot.end + 1] == "#":
        tail = " "
    return Cursor(
        role=spot.role,
        at=at,
        start=spot.start,
        end=spot.end,
        path=spot.path,
        keys=keys,
        items=_others(spot),
        lead=lead,
        tail=tail,
        quote=spot.quote,
        colon=spot.colon,
        flow=box.flow,
        fresh=spot.fresh,
    )


def _others(spot: Spot) -> tuple[str, ...]:
    """Return what else stands in the list around a place."""
    inside: Box | None = spot.box if spot.box.is_list else spot.box.parent
    if inside is None or not inside.is_list:
        return ()
    words = [word for start, word in inside.words if start != spot.start]
    words += [use for child in inside.children if child is not spot.box and (use := child.keys.get("use", (0, ""))[1])]
    return tuple(words)
