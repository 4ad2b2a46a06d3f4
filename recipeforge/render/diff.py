"""Unified diffs, coloured where there is colour."""

from __future__ import annotations

from recipeforge.render.cells import visible
from recipeforge.render.look import PLAIN, Look


def render_diff(path: str, old: str, new: str, look: Look = PLAIN) -> str:
    """Return the difference of two texts, as `patch` reads it; empty where there is none."""
    from difflib import unified_diff

    if old == new:
        return ""
    shown = path.lstrip("/")
    lines = unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{shown}", f"b/{shown}")
    return "".join(_line(line, look) for line in lines)


def _line(line: str, look: Look) -> str:
    body, end = (line[:-1], "\n") if line.endswith("\n") else (line, "\n\\ No newline at end of file\n")
    style = {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1])
    if line.startswith(("---", "+++")):
        style, end = "message", "\n"
    if look.color:  # for eyes, not for `patch`: control characters are shown instead of obeyed
        body = visible(body)
    return (look.paint(style, body) if style else body) + end
