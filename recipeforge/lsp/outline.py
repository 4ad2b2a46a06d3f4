"""One top-level entry of a half-typed recipe, read so that every text has an outline: open mappings, lists, and the cursor's place.

No second YAML parser: it knows what recipes are made of (keys, words, quotes, lists, braces, comments), keeps what it has
when a bracket or a quote is still open, and judges nothing.
"""

from __future__ import annotations

import re
from typing import Literal

from recipeforge.lsp.boxes import (
    PLAIN,
    PLAIN_IN_FLOW,
    Box,
    Spot,
    Token,
    behind_blanks,
    behind_white,
    end_of_line,
    next_line,
    word_at,
)

_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*[ \t]*")
_BLOCK_TEXT = re.compile(r"[|>][-+0-9]{0,2}[ \t]*(?=#|[\r\n]|\Z)")
_COLON = re.compile(r"[ \t]*:(?=[ \t\r\n]|\Z)")
_COLON_IN_FLOW = re.compile(r"[ \t]*:(?=[ \t\r\n,\[\]{}]|\Z)")
_ANY_COLON = re.compile(r"[ \t]*:")
_DASH = re.compile(r"-(?=[ \t\r\n]|\Z)")
_NEW_ENTRY = re.compile(r"-(?=[ \t\r\n]|\Z)|[^\s#,\[\]{}\"'][^\r\n:#,\[\]{}]*:(?=[ \t\r\n]|\Z)")


class Outline:
    """One reading of one stretch of text."""

    def __init__(self, text: str, begin: int, end: int, at: int, *, in_braces: bool = False) -> None:
        self._text, self._begin, self._end, self._at = text, begin, end, at
        self._root = Box((), is_list=False, flow=False, column=0)
        self._boxes = [self._root]
        self._in_braces = in_braces
        self._text_indent = -1
        """Indentation of the line whose value is a block of text; -1 outside of one."""
        self._line_indent = 0
        self._spot: Spot | None = None

    def read(self) -> Spot | None:
        """Return where the cursor is; `None` where nothing can be said."""
        position = self._begin
        while position < self._end:
            position = self._line(position)
        if self._spot is None and self._end == len(self._text):  # the empty last line
            if self._top.flow:
                self._gap(self._at + 1, self._top)
            else:
                self._place_on_line(0, None)
        spot = self._spot
        if spot is None or spot.role == "nothing":
            return None
        return self._settled(spot)

    def _settled(self, spot: Spot) -> Spot | None:
        """Return a fresh place after the lines below it were read: they may have settled what stands there."""
        if not spot.fresh:
            return spot
        below = next((child for child in spot.box.children if child.path == spot.path and not child.flow), None)
        if below is None or spot.box.is_list:
            spot.box = Box(spot.path, is_list=False, flow=False, column=spot.column, parent=spot.box)
            return spot
        if below.column != spot.column:
            return None
        spot.box, spot.fresh = below, False
        if below.is_list:
            spot.role, spot.lead = "item", "- "
        return spot

    # -- lines in block style -------------------------------------------------------------------------------

    @property
    def _top(self) -> Box:
        return self._boxes[-1]

    def _line(self, start: int) -> int:
        """Read what starts on a line; return where the next line starts."""
        text = self._text
        content = behind_blanks(text, start)
        column = content - start
        line_end = end_of_line(text, content)
        here = self._spot is None and start <= self._at <= line_end
        if self._text_indent >= 0 and (content == line_end or column > self._text_indent):
            if here and (content < line_end or self._at - start > self._text_indent):
                self._nothing()
            elif here:
                self._text_indent = -1
                self._place_on_line(self._at - start, None)
            return next_line(text, line_end)
        self._text_indent = -1
        if content == line_end or text[content] == "#":
            if here and self._at > content:
                self._spot = Spot("comment", self._root, (), content, line_end)
            elif here:
                self._place_on_line(self._at - start, None)
            return next_line(text, line_end)
        if here and self._at < content:
            self._nothing()
        if column == 0 and text.startswith(("---", "...", "%"), content):
            if here:
                self._nothing()
            return next_line(text, line_end)
        self._line_indent = column
        return self._entry(content, column, line_end)

    def _column_of(self, offset: int) -> int:
        begin = max(self._text.rfind("\n", 0, offset), self._text.rfind("\r", 0, offset)) + 1
        return offset - begin - (1 if begin == 0 and self._text.startswith("\ufeff") else 0)

    def _entry(self, position: int, column: int, line_end: int) -> int:
        """Read an entry of a mapping or items of a list, with what follows on the line."""
        text, dashes = self._text, 0
        while _DASH.match(text, position):
            dashes += 1
            self._close_to(column, dash=True)
            if self._spot is None and self._at <= position:
                self._nothing()
            self._dash(column)
            behind = position + 1
            position = behind_blanks(text, behind)
            column += position - behind + 1
            if position == line_end or text[position] == "#":
                return self._rest(position, line_end)
            if self._spot is None and self._at < position:
                self._gap(position, self._top)
        if not dashes:
            self._close_to(column, dash=False)
        return self._content(position, column, line_end, first=True)

    def _close_to(self, column: int, *, dash: bool) -> None:
        """Close what is indented deeper than a new line."""
        while len(self._boxes) > 1 and self._top.ends(column, dash=dash):
            self._boxes.pop()

    def _dash(self, column: int) -> None:
        top = self._top
        if top.is_list and top.column == column:
            top.state = "item"
            return
        self._open(Box(top.inner_path, is_list=True, flow=False, column=column, state="item"))

    def _open(self, box: Box) -> None:
        top = self._top
        box.parent = top
        top.children.append(box)
        top.state = "full"
        self._boxes.append(box)

    def _content(self, position: int, column: int, line_end: int, *, first: bool) -> int:
        """Read a key or a value; `first`: it may be a key, since nothing but dashes stands before it on the line."""
        text = self._text
        while (match := _PROPERTY.match(text, position)) is not None:
            if self._just_before(position) or (self._spot is None and self._at <= match.end()):
                self._nothing()
            position = match.end()
        if position >= line_end:
            return self._rest(line_end, line_end)
        if text[position] in "{[":
            return self._flow(position)
        if match := _BLOCK_TEXT.match(text, position):
            self._text_indent = self._line_indent
            self._top.state = "full"
            if self._just_before(position) or (self._spot is None and self._at <= line_end):
                self._nothing()
            return next_line(text, line_end)
        token = word_at(text, position, PLAIN, self._at)
        colon = _COLON.match(text, token.behind) if first else None
        if colon is None:
            return self._word(token, column, line_end, first=first)
        self._key(token, column)
        behind = colon.end()
        position = behind_blanks(text, behind)
        if position == line_end or text[position] == "#":
            return self._rest(position, line_end)
        if self._spot is None and self._at < position:
            self._gap(position, self._top)
        return self._content(position, column, line_end, first=False)

    def _key(self, token: Token, column: int) -> None:
        """Take a key up, into the mapping that it belongs to or starts."""
        top = self._top
        if top is self._root and not top.keys and top.state == "key":
            top.column = column
        if top.is_list or top.column < column:
            fits = top.state in ("item", "value")
            self._open(Box(top.inner_path if fits else (*top.path, "?"), is_list=False, flow=False, column=column))
            top = self._top
        top.keys[token.text] = (token.start, "")
        top.key, top.state = token.text, "value"
        if self._touches(token):
            self._spot = self._at_token("key", top, top.path, token, colon=True)

    def _word(self, token: Token, column: int, line_end: int, *, first: bool) -> int:
        """Take a word up that no colon follows: a value, an item, or a key that is not finished."""
        top, touched = self._top, self._touches(token)
        if self._text[token.start : token.start + 1] == "*" and touched:
            self._nothing()
        elif first and top.state != "item":
            if touched:
                self._place_on_line(column, token)
            elif top.state == "value" and column > top.column:
                self._take(token)
        elif touched:
            self._spot = self._at_token(top.role, top, top.inner_path, token)
            self._spot.own = "" if top.is_list else top.key
            self._take(token)
        else:
            self._take(token)
        return self._rest(token.behind, line_end)

    def _take(self, token: Token) -> None:
        top = self._top
        if (spot := self._just_before(token.start)) is not None:
            # A value takes the place of the one that stands behind the blanks; an item goes before the next.
            spot.comma = top.is_list and top.flow
            spot.end = spot.end if spot.comma else token.end
        if top.is_list:
            top.words.append((token.start, token.text))
        elif top.key in top.keys:
            top.keys[top.key] = (top.keys[top.key][0], token.text)
        top.state = "full"

    def _just_before(self, position: int) -> Spot | None:
        """Return the cursor's place if it is where a value waits which now begins at `position`, with only blanks between."""
        spot, top = self._spot, self._top
        if spot is None or spot.box is not top or spot.start != spot.end or spot.role not in ("value", "item"):
            return None
        waits = self._at <= position and not self._text[self._at : position].strip(" \t")
        return spot if waits and (top.is_list or spot.own == top.key) else None

    def _rest(self, position: int, line_end: int) -> int:
        """Read on behind the last word of a line."""
        content = behind_blanks(self._text, position)
        comment = content if self._text[content : content + 1] == "#" else line_end
        if self._spot is None and self._at <= line_end:
            if self._at > comment:
                self._spot = Spot("comment", self._root, (), comment, line_end)
            elif content == comment:
                self._gap(comment + 1, self._top)
            else:
                self._nothing()
        return next_line(self._text, line_end)

    # -- braces and brackets --------------------------------------------------------------------------------

    def _flow(self, position: int) -> int:
        """Read on inside brackets until all are closed; return where the next line starts."""
        text = self._text
        while position < self._end:
            content = behind_white(text, position)
            if self._top.flow and not self._in_braces and self._given_up(position, content):
                return self._line_start(content)
            if self._spot is None and self._at < content:
                self._gap(content, self._top)
            position = content
            if position >= self._end:
                break
            position = self._flow_token(position)
            if not self._top.flow:
                return self._rest(position, end_of_line(text, position))
        return self._end

    def _given_up(self, position: int, content: int) -> bool:
        """Close brackets that were never closed: a line no deeper than theirs starts a new entry."""
        if not self._text[position:content].strip(" \t") or not _NEW_ENTRY.match(self._text, content):
            return False
        opener = next(box for box in self._boxes if box.flow)
        if self._column_of(content) > opener.column:
            return False
        if self._spot is None and self._at < self._line_start(content):
            self._gap(self._line_start(content), self._top)
        while self._top.flow:
            self._boxes.pop()
        return True

    def _line_start(self, offset: int) -> int:
        return offset - self._column_of(offset)

    def _flow_token(self, position: int) -> int:
        """Read one sign or word inside brackets; return the offset behind it."""
        text, top = self._text, self._top
        sign = text[position]
        if sign == "#":
            line_end = end_of_line(text, position)
            if self._spot is None and position < self._at <= line_end:
                self._spot = Spot("comment", self._root, (), position, line_end)
            elif self._spot is None and self._at == position:
                self._gap(position + 1, top)
            return line_end
        if sign in "{[]},:" and self._spot is None and self._at <= position:
            self._gap(position + 1, top)
        if sign in "{[":
            return self._open_bracket(position)
        if sign in "]}":
            self._boxes.pop()
            return position + 1
        if sign in ",:":
            top.state = top.state if sign == ":" else "item" if top.is_list else "key"
            return position + 1
        if match := _PROPERTY.match(text, position):
            if self._just_before(position) or (self._spot is None and self._at <= match.end()):
                self._nothing()
            return match.end()
        token = word_at(text, position, PLAIN_IN_FLOW, self._at)
        return self._flow_word(token)

    def _open_bracket(self, position: int) -> int:
        top, is_list = self._top, self._text[position] == "["
        if self._just_before(position):
            self._nothing()
        at_root = top is self._root and not top.keys and self._in_braces
        path = () if at_root and not is_list else top.inner_path
        self._open(Box(path, is_list=is_list, flow=True, column=self._line_indent, state="item" if is_list else "key"))
        return position + 1

    def _flow_word(self, token: Token) -> int:
        top, touched = self._top, self._touches(token)
        colon = _COLON_IN_FLOW.match(self._text, token.behind) if not top.is_list else None
        if colon is None and token.quote and not top.is_list:
            colon = _ANY_COLON.match(self._text, token.behind)
        if touched and self._text[token.start : token.start + 1] == "*":
            self._nothing()
        elif colon is not None and top.state != "value":
            top.keys[token.text] = (token.start, "")
            top.key, top.state = token.text, "value"
            if touched:
                self._spot = self._at_token("key", top, top.path, token, colon=True)
            return colon.end()
        elif touched and top.state == "full":
            self._nothing()
        elif touched and top.state == "key":
            self._spot = self._at_token("key", top, top.path, token)
            top.state = "full"
        elif touched:
            self._spot = self._at_token(top.role, top, top.inner_path, token)
            self._spot.own = "" if top.is_list else top.key
        if top.state in ("value", "item"):
            self._take(token)
        elif top.state == "key":
            top.state = "full"
        return max(token.behind, token.start + 1)

    # -- words and places -----------------------------------------------------------------------------------

    def _touches(self, token: Token) -> bool:
        return self._spot is None and token.start <= self._at <= token.end

    def _at_token(
        self, role: Literal["key", "value", "item"], box: Box, path: tuple[str, ...], token: Token, *, colon: bool = False
    ) -> Spot:
        own = token.text if role == "key" else ""
        return Spot(role, box, path, token.start, token.end, quote=token.quote, closed=token.closed, colon=colon, own=own)

    def _nothing(self) -> None:
        self._spot = Spot("nothing", self._root, (), self._at, self._at)

    def _gap(self, limit: int, box: Box) -> None:
        """Settle the place where the cursor is between two words of a line, before `limit`."""
        at = self._at
        if at >= limit or box.state == "full" or (box.state == "key" and not box.flow):
            return self._nothing()
        lead = " " if box.is_list and not box.flow and self._text[at - 1 : at] == "-" else ""
        if box.state == "key":
            self._spot = Spot("key", box, box.path, at, at)
        else:
            self._spot = Spot(box.role, box, box.inner_path, at, at, lead=lead)
            self._spot.own = "" if box.is_list else box.key
        return None

    def _place_on_line(self, column: int, token: Token | None) -> None:
        """Settle the place of a line that holds nothing yet, or one unfinished word."""
        start, end = (token.start, token.end) if token is not None else (self._at, self._at)
        found: Spot | None = None
        for box in reversed(self._boxes):
            if box.flow:
                break
            if box.ends(column, dash=False):
                continue
            if box.column == column or (box is self._root and not box.keys):
                role: Literal["key", "item"] = "item" if box.is_list else "key"
                found = Spot(role, box, box.path, start, end, lead="- " if box.is_list else "")
            elif box.state == "value" or box.state == "item":
                found = Spot("key", box, box.inner_path, start, end, fresh=True, column=column)
            break
        if found is None:
            return self._nothing()
        if token is not None:
            found.quote, found.closed = token.quote, token.closed
        self._spot = found
        return None
