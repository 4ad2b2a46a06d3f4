"""When a quote counts as found: verbatim, once white space and Unicode forms are normalised."""

import hashlib
import unicodedata

MAX_QUOTE_CHARS = 300


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
