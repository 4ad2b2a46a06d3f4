"""Text measured in terminal cells, and text from files made harmless for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

TAB = "    "
"""A tab in a frame: four cells, whatever its column, so that carets stand where the eye expects them."""

_ZERO_WIDTH_JOINER = "\u200d"


def visible(text: str) -> str:
    """Return `text` on one line, with every control or invisible character shown instead of obeyed.

    A recipe is untrusted: an escape sequence in it must not reach the terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(shown for shown, _ in _glyphs(text))


def width(text: str) -> int:
    """Return how many cells `text` takes once it is made visible."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(cells for _, cells in _glyphs(text))


def layout(text: str) -> tuple[list[str], list[int]]:
    """Return what each code point of `text` shows, and the cell at which each starts (one more entry: where the text ends)."""
    shown: list[str] = []
    starts = [0]
    for glyph, cells in _glyphs(text):
        shown.append(glyph)
        starts.append(starts[-1] + cells)
    return shown, starts


def wrap(text: str, columns: int, first: int = 0) -> list[str]:
    """Break `text` at spaces into lines of at most `columns` cells; `first` cells of the first line are taken.

    A word that is too long (a URL) stays whole.
    """
    lines = [""]
    used = first
    for word in text.split():
        cells = width(word)
        if lines[-1] and used + 1 + cells > columns:
            lines.append(word)
            used = cells
        elif lines[-1]:
            lines[-1] += " " + word
            used += 1 + cells
        else:
            lines[-1] = word
            used += cells
    return lines


def _glyphs(text: str) -> Iterator[tuple[str, int]]:
    from unicodedata import category, east_asian_width

    for char in text:
        if " " <= char <= "~":
            yield char, 1
            continue
        if char == "\t":
            yield TAB, len(TAB)
            continue
        kind = category(char)
        if kind in ("Mn", "Me") or char == _ZERO_WIDTH_JOINER:
            yield char, 0
        elif kind == "Cc" and char < " ":
            yield chr(0x2400 + ord(char)), 1
        elif kind in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            name = f"<U+{ord(char):04X}>"
            yield name, len(name)
        else:
            yield char, 2 if east_asian_width(char) in ("W", "F") else 1
