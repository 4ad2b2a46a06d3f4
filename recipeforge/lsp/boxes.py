"""Words, and the boxes in which they stand: the pieces of a recipe's outline."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from recipeforge.schemas.record import slotted

State = Literal["key", "value", "item", "full"]
"""What a box waits for; `full`: nothing more on this line, or before the next comma."""

PLAIN = re.compile(r"(?:[^\r\n:#]|:(?![ \t\r\n]|\Z)|(?<![ \t])#)+")
PLAIN_IN_FLOW = re.compile(r"(?:[^\r\n:#,\[\]{}]|:(?![ \t\r\n,\[\]{}]|\Z)|(?<![ \t])#)+")
_QUOTED = {'"': re.compile(r'"((?:[^"\\\r\n]|\\[^\r\n])*)("?)'), "'": re.compile(r"'((?:[^'\r\n]|'')*)('?)")}
_BLANKS = re.compile(r"[ \t]*")
_WHITE = re.compile(r"[ \t\r\n]*")
_EOL = re.compile(r"\r\n|\r|\n|\Z")
_WORD = re.compile(r"[\w.+/:-]*")


@dataclass(eq=False, slots=True)
class Box:
    """An open mapping or list."""

    path: tuple[str, ...]
    """The keys that lead to it."""
    is_list: bool
    flow: bool
    column: int
    """Where its entries start; for one in brackets, the indentation of the line that opened it."""
    parent: Box | None = None
    state: State = "key"
    keys: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """Key → its offset, and its value where that is a single word."""
    key: str = ""
    """The key whose value comes next, or came last."""
    words: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Items that are single words."""
    children: list[Box] = field(default_factory=list["Box"])

    @property
    def inner_path(self) -> tuple[str, ...]:
        """Where a value leads that starts here."""
        return self.path if self.is_list else (*self.path, self.key if self.state == "value" else "?")

    @property
    def role(self) -> Literal["value", "item"]:
        """What a word is that no colon follows."""
        return "item" if self.is_list else "value"

    def ends(self, column: int, *, dash: bool) -> bool:
        """Return whether a line at this column lies outside; a list may stand as far left as the key above it."""
        above = self.parent
        if self.column != column or above is None:
            return self.column > column
        return (self.is_list and above.column == column and not dash) or (dash and not self.is_list and above.is_list)


@dataclass(eq=False, slots=True)
class Spot:
    """Where the cursor is."""

    role: Literal["key", "value", "item", "comment", "nothing"]
    box: Box
    path: tuple[str, ...]
    start: int
    end: int
    lead: str = ""
    quote: str = ""
    closed: bool = False
    colon: bool = False
    fresh: bool = False
    own: str = ""
    """The key of a mapping whose value is here."""
    comma: bool = False
    """Whether another item follows without a comma between."""
    column: int = -1
    """For a fresh line: where it starts."""


@slotted
class Token:
    """A word, without its quotes."""

    start: int
    end: int
    text: str
    quote: str
    closed: bool
    behind: int
    """Offset behind the word and its quote."""


def word_at(text: str, position: int, plain: re.Pattern[str], cursor: int) -> Token:
    """Return the word that starts at an offset; a quote that nobody closes ends with its line.

    Where the cursor is in such a quote the word ends sooner: only it is replaced, not the line behind it.
    """
    quote = text[position]
    if quote in _QUOTED and (match := _QUOTED[quote].match(text, position)) is not None:
        closed = bool(match[2])
        start, end = match.span(1)
        if not closed and start <= cursor <= end:
            end = max(_end(_WORD, text, start), cursor)
        return Token(start, end, text[start:end], quote, closed, match.end())
    end = max(_end(plain, text, position), position + 1)
    word = text[position:end].rstrip(" \t")
    return Token(position, position + len(word), word, "", closed=False, behind=position + len(word))


def behind_blanks(text: str, position: int) -> int:
    """Return the offset of the next character that is no blank."""
    return _end(_BLANKS, text, position)


def behind_white(text: str, position: int) -> int:
    """Return the offset of the next character that is neither blank nor line break."""
    return _end(_WHITE, text, position)


def end_of_line(text: str, position: int) -> int:
    """Return the offset of the next line break, or of the end of the text."""
    match = _EOL.search(text, position)
    return match.start() if match is not None else len(text)


def next_line(text: str, position: int) -> int:
    """Return the offset behind the next line break."""
    match = _EOL.search(text, position)
    return match.end() if match is not None else len(text)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match is not None else position
