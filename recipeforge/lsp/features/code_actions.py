"""Quick fixes: each finding's verified cures, "ignore on this line", the evidence, all safe fixes, and "make it run".

Everything is worked out anew from the text and the range asked about, never from `data`, which some clients lose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from recipeforge.api.fixing import apply_fixes
from recipeforge.documents.findings import UNREADABLE
from recipeforge.documents.ignore_edit import ignore_edit
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.convert import diagnostic
from recipeforge.lsp.registry import answers
from recipeforge.render.summary import gib
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.place import TextEdit
from recipeforge.schemas.report import Solution

FIX_ALL = "source.fixAll.recipeforge"
KINDS: list[types.CodeActionKind | str] = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll, FIX_ALL]
MOST_REPAIRS = 2
LONGEST_TITLE = 70


@answers(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=KINDS), deep=True, empty=[])
def code_actions(known: Analysis, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return what can be done about the findings in a range."""
    only = params.context.only
    found: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        touched = known.diagnostics_in(known.span_of(params.range), fixes=True)
        for finding in touched:
            found += _fixes(known, finding)
        if any(finding.severity == "error" for finding in touched):
            found += _repairs(known, touched)
        for finding in touched:
            found += _about(known, finding)
    if only and _wanted(FIX_ALL, only):
        found += _fix_all(known)
    return found


def _wanted(kind: str, only: object) -> bool:
    """Return whether a kind of action was asked for: a kind stands for all kinds below it."""
    if not only:
        return True
    asked = [str(one.value if isinstance(one, types.CodeActionKind) else one) for one in tuple(only)]  # pyright: ignore
    name = str(kind.value if isinstance(kind, types.CodeActionKind) else kind)
    return any(one == "" or name == one or name.startswith(f"{one}.") for one in asked)


# -- cures ---------------------------------------------------------------------------------------------------


def _fixes(known: Analysis, finding: Diagnostic) -> Iterator[types.CodeAction]:
    """Yield a finding's cures, best first; the first is preferred if the run means the same after it."""
    shown = diagnostic(known, finding, relate=False)
    usable = [fix for fix in finding.fixes if fix.edits]
    for rank, fix in enumerate(usable):
        yield types.CodeAction(
            title=_title(fix),
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            is_preferred=True if rank == 0 and fix.safety == "safe" else None,
            edit=_edit(known, fix.edits),
        )


def _title(fix: Fix) -> str:
    """Return a fix's title; one after which the run means something else says so."""
    return fix.title if fix.safety == "safe" else f"{fix.title} (changes the run)"


def _repairs(known: Analysis, touched: Sequence[Diagnostic]) -> Iterator[types.CodeAction]:
    """Yield the best ways to make the whole recipe run, but for those that a finding's own cure is already."""
    offered = {fix.changes for finding in touched for fix in finding.fixes}
    usable = [solution for solution in known.repairs if solution.edits and solution.repair.changes not in offered][:MOST_REPAIRS]
    for solution, title in zip(usable, _told_apart(usable), strict=True):
        # Bound to the errors here, or clients would list it behind everything that is.
        shown = [diagnostic(known, finding, relate=False) for finding in touched if finding.severity == "error"]
        edit = _edit(known, solution.edits)
        yield types.CodeAction(title=f"Make it run: {title}", kind=types.CodeActionKind.QuickFix, diagnostics=shown, edit=edit)


def _told_apart(solutions: Sequence[Solution]) -> list[str]:
    """Return titles for a menu: what only one repair does comes first, and what does not fit is counted."""
    steps = [solution.repair.title.split("; ") for solution in solutions]
    common = set(steps[0]).intersection(*steps[1:]) if len(steps) > 1 else set[str]()
    titles: list[str] = []
    for solution, parts in zip(solutions, steps, strict=True):
        first, *rest = sorted(parts, key=lambda part: part in common)
        if first.startswith(("add ", "drop ", "replace ", "set ")):  # a knob's path keeps its letters
            first = first[:1].upper() + first[1:]
        while rest and len(first) + len(rest[0]) < LONGEST_TITLE:
            first = f"{first}; {rest.pop(0)}"
        more = f" and {len(rest)} more" if rest else ""
        titles.append(f"{first}{more}{_numbers(solution)}")
    return titles


def repair_title(solution: Solution) -> str:
    """Return a repair's title with the memory it takes, such as "Add bnb 4-bit (21.3 → 14.1 GiB)"."""
    return f"{solution.repair.title}{_numbers(solution)}"


def _numbers(solution: Solution) -> str:
    repair = solution.repair
    numbers = repair.context.get("memory") or (f"{gib(repair.estimate.total)} GiB" if repair.estimate else "")
    return f" ({numbers})" if numbers else ""


def _fix_all(known: Analysis) -> Iterator[types.CodeAction]:
    """Yield the one action that makes all safe fixes, if there are any."""
    edits = safe_edits(known)
    if edits:
        yield types.CodeAction(title="Make all safe fixes", kind=FIX_ALL, edit=_edit(known, edits))


def safe_edits(known: Analysis) -> tuple[TextEdit, ...]:
    """Return one edit that makes all safe fixes, each checked; none where nothing is safe to fix."""
    if known.document.gaps:
        return ()
    better = apply_fixes(known.with_fixes, wanted=lambda d: d.severity != "info" and known.config.wants(d.code, d.slug))
    return whole_edit(known, better)


def whole_edit(known: Analysis, text: str) -> tuple[TextEdit, ...]:
    """Return the smallest single edit that turns the present text into another; none where they are equal."""
    old = known.document.text
    if text == old:
        return ()
    start = next((i for i, (a, b) in enumerate(zip(old, text, strict=False)) if a != b), min(len(old), len(text)))
    room = min(len(old), len(text)) - start
    end = next((i for i in range(room) if old[-1 - i] != text[-1 - i]), room)
    if text[start - 1 : start] == "\r":  # never between the halves of a line break
        start -= 1
    return (TextEdit(known.document.span(start, len(old) - end), text[start : len(text) - end]),)


# -- about a finding -----------------------------------------------------------------------------------------


def _about(known: Analysis, finding: Diagnostic) -> Iterator[types.CodeAction]:
    shown = diagnostic(known, finding, relate=False)
    if finding.citations:
        yield types.CodeAction(
            title=f"Open the evidence for {finding.code}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[shown],
            command=types.Command(title="Open the evidence", command="forge.openEvidence", arguments=[finding.code]),
        )
    if finding.code not in UNREADABLE and not known.document.gaps:
        edit = ignore_edit(known.document, finding)
        if edit is not None:
            yield types.CodeAction(
                title=f"Ignore {finding.code} on this line",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[shown],
                edit=_edit(known, (edit,)),
            )


def _edit(known: Analysis, edits: tuple[TextEdit, ...]) -> types.WorkspaceEdit:
    """Return edits of this very version of the text, so that a client refuses them once it has moved on."""
    document = types.OptionalVersionedTextDocumentIdentifier(uri=known.file.uri, version=known.file.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=document, edits=known.edits(edits))])
