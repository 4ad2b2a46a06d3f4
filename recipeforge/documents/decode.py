"""Bytes → text, or the reason why not: size, encoding, characters that YAML does not allow."""

import codecs
import re
from functools import cache

from recipeforge.documents.findings import finding
from recipeforge.documents.lines import LineIndex
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import START_OF_FILE

MAX_BYTES = 1_000_000
"""A recipe is a page of text; whatever is larger was given by mistake."""

_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32 (little endian)"),
    (codecs.BOM_UTF32_BE, "UTF-32 (big endian)"),
    (codecs.BOM_UTF16_LE, "UTF-16 (little endian)"),
    (codecs.BOM_UTF16_BE, "UTF-16 (big endian)"),
)
_SAVE_AS_UTF8 = "Save the file as UTF-8; every editor offers it under “Save with encoding”."

_PLAIN = str.maketrans("", "", "\t\n\r")
"""Takes away what YAML allows though it cannot be printed; all that can be printed is allowed."""
_NAMES = {
    "\0": "NUL",
    "\x1b": "escape",
    "\x07": "bell",
    "\x08": "backspace",
    "\x0c": "form feed",
    "\x7f": "delete",
    "\ufeff": "a byte order mark",
}


def decode(raw: bytes) -> tuple[str, Diagnostic | None]:
    """Return the text of some bytes, and the finding that keeps it from being read.

    Where bytes are not UTF-8 the text holds replacement characters, so that the place can still be shown.
    """
    if len(raw) > MAX_BYTES:
        return "", too_large(len(raw))
    for mark, name in _OTHER_ENCODINGS:
        if raw.startswith(mark):
            return "", finding("RF0010", f"this file is encoded as {name}; a recipe is UTF-8", START_OF_FILE, help=_SAVE_AS_UTF8)
    if b"\0" in raw and (found := _nul_bytes(raw)) is not None:
        return "", found
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return _not_utf8(raw, error)


def too_large(size: int) -> Diagnostic:
    """Return the finding about a text of `size` bytes."""
    message = f"this file has {size / 1e6:.1f} MB; a recipe has at most {MAX_BYTES / 1e6:.0f} MB"
    return finding("RF0013", message, START_OF_FILE, help="Check the path: a recipe is a short YAML file, not data or weights.")


def forbidden_character(text: str, lines: LineIndex) -> Diagnostic | None:
    """Return the finding about characters that no YAML text may hold, at the first of them."""
    shift = 1 if text.startswith("\ufeff") else 0
    if text[shift:].translate(_PLAIN).isprintable():  # nearly every text, and the pattern takes long to compile
        return None
    match = _not_allowed().search(text, shift)
    if match is None:
        return None
    character = match.group()
    name = _NAMES.get(character)
    shown = f"the character U+{ord(character):04X}" + (f" ({name})" if name else "")
    count = sum(1 for _ in _not_allowed().finditer(text, shift))
    more = () if count == 1 else (f"{count} such characters stand in this file.",)
    span = lines.span(match.start(), match.end())
    return finding("RF0001", f"{shown} is not allowed in YAML", span, notes=more, help="Delete it; it is invisible in most editors.")


@cache
def _not_allowed() -> re.Pattern[str]:
    return re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _nul_bytes(raw: bytes) -> Diagnostic | None:
    head = raw[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    # Latin text in UTF-16 has a zero in every other place, and only there.
    for name, zeros, others in (("UTF-16 (little endian)", odd, even), ("UTF-16 (big endian)", even, odd)):
        if len(head) >= 4 and zeros > 0.4 * len(head) and others < 0.1 * len(head):
            return finding("RF0010", f"this file looks like {name}; a recipe is UTF-8", START_OF_FILE, help=_SAVE_AS_UTF8)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return finding("RF0010", "this is a binary file, not text", START_OF_FILE, help="Check the path: a recipe is a YAML text file.")
    return None


def _not_utf8(raw: bytes, error: UnicodeDecodeError) -> tuple[str, Diagnostic]:
    text = raw.decode("utf-8", errors="replace")
    offset = len(raw[: error.start].decode("utf-8"))
    lines = LineIndex(text)
    byte = raw[error.start]
    guess = bytes([byte]).decode("cp1252", errors="ignore")
    looks_like = f"; in Windows-1252 it would be “{guess}”" if guess.isprintable() and guess else ""
    message = f"byte 0x{byte:02X} is not UTF-8{looks_like}"
    return text, finding("RF0010", message, lines.span(offset, offset + 1), help=_SAVE_AS_UTF8)
