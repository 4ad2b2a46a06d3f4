"""Text → Document. Every problem of the text as YAML is a finding in it; nothing is raised."""

import re

from recipeforge.documents.build import Builder, Built
from recipeforge.documents.decode import MAX_BYTES, decode, forbidden_character, too_large
from recipeforge.documents.findings import finding, text_fix
from recipeforge.documents.lines import LineIndex
from recipeforge.documents.syntax import explain
from recipeforge.documents.tree import Document
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit

_TAB_INDENT = re.compile(r"(?:\A\ufeff?|(?<=[\r\n]))( *\t[ \t]*)")
_SPACE_INDENT = re.compile(r"(?<=[\r\n]) +[^\s#]")
_TAB_WIDTH = 2


def parse(text: bytes | str, path: str = "<text>") -> Document:
    """Return the document that `text` holds, with everything that is wrong with it as YAML."""
    if isinstance(text, bytes):
        text, refused = decode(text)
    else:
        refused = too_large(len(text)) if len(text) > MAX_BYTES else None
    if refused is not None:
        return _unread(path, text if len(text) <= MAX_BYTES else "", refused)
    lines = LineIndex(text)
    if (forbidden := forbidden_character(text, lines)) is not None:
        return _unread(path, text, forbidden)
    built = Builder(text, lines).build()
    if built.error is not None and "\t" in text and _about_a_tab(built, text):
        built = _past_tabs(text, lines)
    elif built.error is not None:
        built.diagnostics.append(explain(built.error, built, text, lines))
    diagnostics = sorted(built.diagnostics, key=lambda d: d.primary.span)
    return Document(path, text, lines, built.root, tuple(diagnostics), built.complete and not _broken(diagnostics))


def _broken(diagnostics: list[Diagnostic]) -> bool:
    return any(d.code in {"RF0001", "RF0013"} for d in diagnostics)


def _unread(path: str, text: str, diagnostic: Diagnostic) -> Document:
    return Document(path, text, LineIndex(text), None, (diagnostic,), complete=False)


def _about_a_tab(built: Built, text: str) -> bool:
    """Return whether libyaml stumbled over a tab in the indentation of the line where it stopped."""
    error = built.error
    if error is None or error.problem_mark is None:
        return False
    if "tab character" in (error.problem or ""):
        return True
    at = error.problem_mark.index + (1 if text.startswith("\ufeff") else 0)
    line_start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    return "\t" in text[line_start : at + 1] and not text[line_start:at].strip(" \t\ufeff")


def _past_tabs(text: str, lines: LineIndex) -> Built:
    """Report the tabs, then read on as if each were one space: offsets stay, and so every other problem is found too."""
    chars = list(text)
    guilty: list[tuple[int, int]] = []
    for match in _TAB_INDENT.finditer(text):
        begin, end = match.span(1)
        guilty.append((begin, end))
        for offset in range(begin, end):
            chars[offset] = " "
    spaced = "".join(chars)
    built = Builder(spaced, lines).build()
    if guilty:
        built.diagnostics.append(_tabs(text, lines, guilty))
    if built.error is not None:
        built.complete = False
        built.diagnostics.append(explain(built.error, built, spaced, lines))
    return built


def _tabs(text: str, lines: LineIndex, guilty: list[tuple[int, int]]) -> Diagnostic:
    edits = [TextEdit(lines.span(begin, end), text[begin:end].replace("\t", " " * _TAB_WIDTH)) for begin, end in guilty]
    # Where only tabs indent, each is one level and the fix cannot be wrong; mixed with spaces it is a guess.
    only_tabs = all(set(text[begin:end]) == {"\t"} for begin, end in guilty) and not _SPACE_INDENT.search(text)
    fixes: tuple[Fix, ...] = ()
    if Builder(_replaced(text, guilty), LineIndex(_replaced(text, guilty))).build().error is None:
        fixes = (text_fix("Indent with spaces", *edits, safety="safe" if only_tabs else "unsafe"),)
    related = [(lines.span(begin, end), "and here") for begin, end in guilty[1:6]]
    count = len(guilty)
    notes = () if count <= 6 else (f"{count} lines of this file start with a tab.",)
    message = "a tab indents this line; YAML allows only spaces"
    span = lines.span(*guilty[0])
    return finding("RF0011", message, span, "tab", related=related, notes=notes, help="Indent with spaces.", fixes=fixes)


def _replaced(text: str, guilty: list[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    for begin, end in guilty:
        parts += [text[at:begin], text[begin:end].replace("\t", " " * _TAB_WIDTH)]
        at = end
    return "".join([*parts, text[at:]])
