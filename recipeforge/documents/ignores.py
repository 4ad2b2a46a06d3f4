"""`# forge: ignore[RF1204]`: findings silenced at the end of their line or on the line above, and ignores that silence nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from recipeforge.documents.comments import comments
from recipeforge.documents.findings import RULES, UNREADABLE, finding, text_fix
from recipeforge.documents.interpretation import MAX_FINDINGS
from recipeforge.documents.suggest import suggest
from recipeforge.documents.tree import Document
from recipeforge.documents.wording import short
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, IsSet, Not, Predicate
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.rule import Rule

_DIRECTIVE = re.compile(r"#[ \t]*forge:[ \t]*ignore\b(?:[ \t]*\[(?P<codes>[^\]\r\n]*)(?P<close>\]?))?", re.IGNORECASE)
_CODE = re.compile(r"[^\s,]+")
_OWN = "RF0014"


@dataclass(slots=True)
class _Named:
    """One code of a directive."""

    start: int
    end: int
    code: str | None
    """`None`: no rule has this code or slug."""
    used: bool = False


@dataclass(slots=True)
class _Ignore:
    """One directive."""

    comment: tuple[int, int]
    """The whole comment, from its `#`."""
    start: int
    end: int
    line: int
    """The line whose findings it silences."""
    names: list[_Named] = field(default_factory=list[_Named])


def apply_ignores(document: Document, catalog: Catalog, diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Return the findings that no comment silences, with findings about comments that silence nothing.

    Give it all findings of the file, before any selection: an ignore is unused only if nothing fired there at all.
    """
    if "forge:" not in document.text.lower():
        return diagnostics
    ignores = list(_ignores(document, catalog))
    if not ignores:
        return diagnostics
    kept = [diagnostic for diagnostic in diagnostics if not _silenced(diagnostic, ignores)]
    wholly_read = not any(d.severity == "error" and d.code in RULES for d in diagnostics)
    about = list(islice((d for ignore in ignores for d in _complaints(document, catalog, ignore, wholly_read)), MAX_FINDINGS))
    return tuple(sorted([*kept, *about], key=lambda d: (d.primary.span, d.code))) if about else tuple(kept)


def _silenced(diagnostic: Diagnostic, ignores: list[_Ignore]) -> bool:
    if diagnostic.code in UNREADABLE:
        return False
    hit = False
    for ignore in ignores:
        if ignore.line != diagnostic.primary.span.start.line:
            continue
        for named in ignore.names:
            if named.code == diagnostic.code:
                named.used = hit = True
    return hit


# -- finding the comments ----------------------------------------------------------------------------------


def _ignores(document: Document, catalog: Catalog) -> Iterator[_Ignore]:
    text, lines = document.text, document.lines
    below: dict[int, int] = {}
    slugs = {rule.slug: code for code, rule in catalog.rules.items()} | {slug: code for code, (slug, _) in RULES.items()}
    known = catalog.rules.keys() | RULES.keys()
    for line, hash_at, end in comments(document):
        start = lines.line_start(line)
        match = _DIRECTIVE.search(text, hash_at, end)
        if match is None:
            continue
        alone = not text[start:hash_at].strip(" \t\ufeff")
        ignore = _Ignore((hash_at, end), match.start(), match.end(), _line_below(document, line, below) if alone else line)
        for word in _CODE.finditer(match["codes"] or ""):
            name, at = word.group(), match.start("codes") + word.start()
            code = name.upper() if name.upper() in known else slugs.get(name.lower())
            ignore.names.append(_Named(at, at + len(name), code))
        yield ignore


def _line_below(document: Document, line: int, known: dict[int, int]) -> int:
    """Return the first line below that is not a comment of its own; `known` remembers the ends of runs of comments."""
    if line not in known:
        end = line + 1
        while end < len(document.lines) and document.lines.line_text(end).lstrip().startswith("#"):
            end += 1
        known.update(dict.fromkeys(range(line, end), end))
    return known[line]


# -- comments that silence nothing -------------------------------------------------------------------------


def _complaints(document: Document, catalog: Catalog, ignore: _Ignore, wholly_read: bool) -> Iterator[Diagnostic]:
    if not ignore.names:
        span = document.span(ignore.start, ignore.end)
        message = "this ignore names no rule, so it silences nothing"
        fixes = (_without(document, ignore, ignore.names),)
        yield finding(_OWN, message, span, "no code", help="Name the codes: `# forge: ignore[RF1204]`.", fixes=fixes)
        return
    for named in ignore.names:
        if named.code is None:
            yield _unknown(document, catalog, ignore, named)
    # What is not wholly read is not wholly judged: a rule may fire once the file is right.
    unused = [n for n in ignore.names if n.code is not None and not n.used and wholly_read and not _may_fire_elsewhere(catalog, n.code)]
    if not unused:
        return
    codes = ", ".join(f"`{document.text[named.start : named.end]}`" for named in unused)
    span = document.span(unused[0].start, unused[-1].end)
    verb = "does" if len(unused) == 1 else "do"
    message = f"{codes} {verb} not fire here, so this ignore silences nothing"
    yield finding(_OWN, message, span, "unused", fixes=(_without(document, ignore, unused),))


def _unknown(document: Document, catalog: Catalog, ignore: _Ignore, named: _Named) -> Diagnostic:
    name = document.text[named.start : named.end]
    code_like = name.upper().startswith("RF")
    candidates = [*catalog.rules, *RULES] if code_like else [r.slug for r in catalog.rules.values()] + [slug for slug, _ in RULES.values()]
    meant = suggest(name.upper() if code_like else name.lower(), candidates)
    span = document.span(named.start, named.end)
    fixes: list[Fix] = []
    if meant.best and not code_like:
        fixes.append(text_fix(f"Write `{meant.best}`", TextEdit(span, meant.best), safety="safe" if meant.clear else "unsafe"))
    fixes.append(_without(document, ignore, [named]))
    label = meant.question() if not code_like else ""
    help_text = "`recipeforge explain CODE` shows a rule."
    return finding(_OWN, f"there is no rule `{short(name)}`", span, label or "unknown rule", help=help_text, fixes=fixes)


def _without(document: Document, ignore: _Ignore, gone: list[_Named]) -> Fix:
    """Return the fix that takes codes out of a directive, or the directive, or its whole comment and line."""
    kept = [named for named in ignore.names if named not in gone]
    if kept:
        codes = ", ".join(document.text[named.start : named.end] for named in kept)
        edit = TextEdit(document.span(ignore.names[0].start, ignore.names[-1].end), codes)
        return text_fix("Remove it from the ignore", edit)
    text, lines = document.text, document.lines
    start, end = ignore.start, ignore.end
    if text[ignore.comment[0] : start].strip("# \t") or text[end : ignore.comment[1]].strip():
        # The comment says more; only the directive goes, and the blanks before it where it stood last.
        last = not text[end : ignore.comment[1]].strip()
        behind = "" if last else "# "
        start = ignore.comment[0] + len(text[ignore.comment[0] : start].rstrip()) if last else start
        end = ignore.comment[1] if last else end + len(text[end:]) - len(text[end:].lstrip(" \t#"))
        return text_fix("Remove the ignore", TextEdit(document.span(start, end), behind))
    line = lines.line_of(start)
    line_start = lines.line_start(line)
    head = text[line_start : ignore.comment[0]]
    if not head.strip():
        return text_fix("Remove the ignore", TextEdit(document.span(line_start, lines.next_line_start(line)), ""))
    return text_fix("Remove the ignore", TextEdit(document.span(line_start + len(head.rstrip()), ignore.comment[1]), ""))


def _may_fire_elsewhere(catalog: Catalog, code: str) -> bool:
    """Return whether a rule reads the GPU or package versions, which flags and machines change: its ignore may be used there."""
    rule = catalog.rules.get(code)
    return rule is not None and (rule.budget is not None or bool(rule.scope) or _reads_context(rule))


def _reads_context(rule: Rule) -> bool:
    return rule.violated_when is not None and any(
        subject.startswith(("gpu.", "packages.")) or not subject for subject in _subjects(rule.violated_when)
    )


def _subjects(condition: Condition) -> Iterator[str]:
    match condition:
        case Compare(subject=subject) | IsSet(subject=subject):
            yield subject
        case Not(inner=inner):
            yield from _subjects(inner)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _subjects(part)
        case Predicate():
            yield ""  # arithmetic may read anything
        case _:
            return
