"""A half-typed text → as much of its tree as there is: lines that keep the rest from being read are left out.

While someone types, most texts are no YAML for a moment: a key without its colon, a bracket or a quote still open. libyaml
says where it stumbled and reads nothing below. Here that line is blanked, which moves nothing else, and the rest is
read again, until all of it is read. The syntax errors stay reported (docs/decisions/0005-half-typed-files.md).
"""

import re
from dataclasses import replace

from recipeforge.documents.build import Builder, Built
from recipeforge.documents.decode import forbidden_character
from recipeforge.documents.lines import LineIndex
from recipeforge.documents.parse import parse
from recipeforge.documents.tree import Document, MappingNode, target_of
from recipeforge.schemas.record import record

MOST_TRIALS = 6
"""Lines that are left out of one text; finding each takes a few readings."""
MOST_CHARACTERS = 100_000
"""Longer texts are not mended: a slip in them costs the tree below it."""
_TOP_LEVEL = re.compile(r"^[A-Za-z_]+[ \t]*:", re.MULTILINE)
_MENDABLE = frozenset({"RF0001"})


@record
class _Trial:
    """A text with some lines blanked, read."""

    text: str
    gaps: frozenset[int]
    built: Built

    @property
    def reach(self) -> tuple[int, int]:
        """How far it was read, and how many keys were found: more is better."""
        root = target_of(self.built.root) if self.built.root is not None else None
        keys = len(root.entries) if isinstance(root, MappingNode) else 0
        error = self.built.error
        at = error.problem_mark.index if error is not None and error.problem_mark is not None else len(self.text)
        return (at if error is not None else len(self.text) + 1, keys)


def parse_half_typed(text: str, path: str = "<text>") -> Document:
    """Return the document that `text` holds; where it is not valid YAML, with the tree of what remains without the broken lines."""
    document = parse(text, path)
    mendable = not document.complete and len(text) <= MOST_CHARACTERS and any(d.code in _MENDABLE for d in document.diagnostics)
    if not mendable or forbidden_character(text, document.lines) is not None:
        return document
    return _mended(document)


def _mended(document: Document) -> Document:
    text, lines = document.text, document.lines
    best = _Trial(text, frozenset(), Builder(text, lines).build())
    trials = 0
    while best.built.error is not None and trials < MOST_TRIALS:
        single = [range(line, line + 1) for line in _suspects(best, lines) if line not in best.gaps and lines.line_text(line).strip()]
        candidates = [*single, *(_with_children(line.start, lines) for line in single)]
        trials += 1
        better = _best(best, candidates, lines)
        if better is None or better.reach <= best.reach:
            return document
        best = better
    root = best.built.root
    if best.built.error is not None or root is None:
        return document
    return replace(document, root=root, gaps=best.gaps)


def _with_children(line: int, lines: LineIndex) -> range:
    """Return a line with the deeper ones below it: a key without its colon leaves them without a parent."""
    text = lines.line_text(line)
    indent, end = len(text) - len(text.lstrip()), line + 1
    while end < len(lines) and (below := lines.line_text(end)).strip() and len(below) - len(below.lstrip()) > indent:
        end += 1
    return range(line, end)


def _best(broken: _Trial, candidates: list[range], lines: LineIndex) -> _Trial | None:
    """Return the most readable of the texts without one of these lines; the first that loses nothing else will do."""
    all_keys = sum(1 for _ in _TOP_LEVEL.finditer(broken.text))
    best: _Trial | None = None
    for gone in candidates:
        tried = _blanked(broken, gone, lines)
        if best is None or tried.reach > best.reach:
            best = tried
        if tried.built.error is None and tried.reach[1] >= all_keys - 1:
            break
    return best


def _suspects(trial: _Trial, lines: LineIndex) -> list[int]:
    """Return the lines that may be to blame: where reading began to fail, where it failed, and what stands last before it."""
    error, built = trial.built.error, trial.built
    if error is None:
        return []
    shift = 1 if trial.text.startswith("\ufeff") else 0
    offsets = [mark.index + shift for mark in (error.context_mark, error.problem_mark) if mark is not None]
    offsets += [built.open_flow] if built.open_flow is not None else []
    offsets += [built.last.start] if built.last is not None else []
    found = [lines.line_of(min(offset, len(trial.text))) for offset in offsets]
    # An unclosed bracket or quote is noticed lines later, often at the end of the text.
    ends = [line - 1 for line in found if line > 0]
    return list(dict.fromkeys([*found, *ends]))


def _blanked(trial: _Trial, gone: range, lines: LineIndex) -> _Trial:
    text = trial.text
    for line in gone:
        start, end = lines.line_start(line), lines.line_end(line)
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return _Trial(text, trial.gaps | {*gone}, Builder(text, lines).build())
