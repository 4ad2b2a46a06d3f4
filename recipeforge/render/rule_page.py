"""A Markdown page on a terminal: headings bold, quotes set apart, markup out of the way."""

from __future__ import annotations

import re

from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look

_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]\((https?://[^\s)]+)\)")
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>|#])")
_BOLD = re.compile(r"\*\*(.+?)\*\*")


def render_page(markdown: str, look: Look = PLAIN) -> str:
    """Return a page for reading in a terminal."""
    out: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        body = line.removeprefix("> ").removeprefix(">") if line.startswith(">") else line
        bar = look.paint("gutter", "│ ") if line.startswith(">") else ""
        if body.startswith("```"):
            ticks = body[: len(body) - len(body.lstrip("`"))]
            fence = ("" if fence == ticks else fence) if fence else ticks
            continue
        if fence:
            out.append(f"{bar or '    '}{look.paint('quote', visible(body)) if bar else visible(body)}")
        else:
            out += _prose(body, bar, look)
    return "\n".join(line.rstrip() for line in out).rstrip() + "\n"


def _prose(line: str, bar: str, look: Look) -> list[str]:
    if line.startswith("#"):
        level = len(line) - len(line.lstrip("#"))
        title = _plain(line[level:].strip().replace("`", ""))
        return [look.paint("good" if level == 1 else "help", title)]
    indent = "  " if line.startswith("- ") else ""
    rows = wrap(_plain(line), look.width - 2 * bool(bar), 0) if line.strip() else [""]
    rows = [rows[0], *(indent + row for row in rows[1:])]
    return [bar + (look.paint("quote", row) if bar else _emphasised(row, look)) for row in rows]


def _plain(text: str) -> str:
    """Return prose without the marks that only Markdown needs; addresses stand behind their names."""
    text = _LINK.sub(lambda found: f"{found[1]} <{found[2]}>", text)
    return visible(_ESCAPED.sub(r"\1", text))


def _emphasised(text: str, look: Look) -> str:
    return _BOLD.sub(lambda found: look.paint("message", found[1]), text)
