"""When a quote counts as found: verbatim, once white space and Unicode forms are normalised."""

import hashlib
import unicodedata

MAX_QUOTE_CHARS = 300
MAX_EXCERPT_CHARS = 2000
CONTEXT_LINES = 3
"""Lines of the source that an excerpt keeps on each side of its quote."""


def normalise(text: str) -> str:
    """Return `text` in NFC with every run of white space as one space, ends trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def found_in(quote: str, source: str) -> bool:
    """Return whether `source` says exactly `quote` (an empty quote is never found)."""
    wanted = normalise(quote)
    return bool(wanted) and wanted in normalise(source)


def sha256_of(text: str) -> str:
    """Return the hash under which an excerpt is stored, hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def excerpt_around(quote: str, text: str) -> str | None:
    """Return the shortest run of whole lines that contains `quote`, with a few lines around it; nothing where it does not stand."""
    lines = text.splitlines()
    for length in range(1, 13):
        for start in range(len(lines) - length + 1):
            if found_in(quote, "\n".join(lines[start : start + length])):
                for pad in range(CONTEXT_LINES, -1, -1):
                    cut = "\n".join(lines[max(0, start - pad) : start + length + pad]) + "\n"
                    if len(cut) <= MAX_EXCERPT_CHARS:
                        return cut
                return quote + "\n"  # one enormous line: the quote alone
    return None
