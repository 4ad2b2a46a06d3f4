"""Words of the file inside our sentences: short, on one line, printable."""

from collections.abc import Sequence


def short(text: str, most: int = 40) -> str:
    """Return a text of the file in a length that a message can bear, on one line; what cannot be printed as a replacement character."""
    line = " ".join(text[: 4 * most].split())
    shown = "".join(character if character.isprintable() else "\ufffd" for character in line)
    return shown if len(shown) <= most and len(text) <= 4 * most else f"{shown[: most - 1]}…"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names as they are shown in a sentence."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
