"""Small pieces of Markdown, made so that text from elsewhere stays text. For clients that have none, the same page as plain text."""

from __future__ import annotations

import re

from recipeforge.lsp.convert import source_name
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.diagnostic import Citation

BETWEEN_CARDS = "\n\n---\n\n"
NAMES_WIDE = 28
"""Columns of a table's first cells in plain text."""

_MARKUP = re.compile(r"[\\`*<]|\[(?=[^\]]*\]\()|(?<![^\W_])_|_(?![^\W_])|~(?=~)")
_TICKS = re.compile("`+")
_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]\(([^\s)]+)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>|#~])")


def escaped(text: str) -> str:
    """Return text on one line, as Markdown that reads the same."""
    return escaped_piece(" ".join(text.split()))


def prose(text: str) -> str:
    """Return a sentence of ours on one line, its code left as code."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:  # a backtick without its partner is none of ours
        return escaped(text)
    return "`".join(piece if index % 2 else escaped_piece(piece) for index, piece in enumerate(pieces))


def escaped_piece(text: str) -> str:
    """Return a stretch of one line as Markdown that reads the same, its outer blanks kept."""
    return _MARKUP.sub(r"\\\g<0>", text)


def code(text: str) -> str:
    """Return text in one line of code."""
    line = " ".join(text.split())
    longest = max((len(run) for run in _TICKS.findall(line)), default=0)
    if not longest:
        return f"`{line}`"
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}"


def link(words: str, url: str | None) -> str:
    """Return words that lead to an address, or only the words."""
    if not url or not url.startswith(("https://", "http://", "file:")):
        return words
    target = url.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")
    return f"[{words}]({target})"


def cut(text: str, longest: int) -> str:
    """Return text on one line, shortened between words where it is longer."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    head = line[: longest - 1]
    return f"{head.rsplit(' ', 1)[0] if ' ' in head[longest // 2 :] else head}…".replace(",…", "…")


def quoted(claim: Claim, longest: int) -> str:
    """Return a source's words: code as code, prose in quotation marks."""
    words = cut(claim.quote, longest)
    return code(words) if claim.kind == "source-code" else f"“{escaped(words)}”"


def source(claim: Claim) -> str:
    """Return a source's name, which leads to it."""
    return link(escaped(cut(source_name(_as_citation(claim)), 70)).replace("]", r"\]"), claim.url)


def plain(markdown: str) -> str:
    """Return a page for a client that shows no Markdown: lines as they are, addresses behind their names."""
    lines: list[str] = []
    for line in _BOLD.sub(r"\1", markdown).split("\n"):
        if set(line) <= set("|-: ") and line.startswith("|"):
            continue
        if line.startswith("|"):
            name, *rest = [cell.strip() for cell in line.strip("|").split("|")]
            line = f"{name:<{NAMES_WIDE}} {' '.join(rest)}"
        lines.append(re.sub(r"^> ?", "  ", line).rstrip())
    text = _LINK.sub(lambda found: found[1] if found[2].startswith("file:") else f"{found[1]} <{found[2]}>", "\n".join(lines))
    return _ESCAPED.sub(r"\1", text)


def _as_citation(claim: Claim) -> Citation:
    return Citation(claim.id, "T3", claim.quote, claim.url, claim.title)
