"""Document → Loadout with places, and everything that is wrong with it as a recipe. Every problem at once, fixes included."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from recipeforge.documents.context import context_of, gpu_sheet
from recipeforge.documents.interpret import interpret
from recipeforge.documents.interpretation import Findings, Interpretation
from recipeforge.documents.steps import DeleteAt, Step
from recipeforge.documents.tree import Document, MappingNode, key_text, target_of
from recipeforge.documents.vocabulary import VERSION_KEY, vocabulary_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic, Fix
from recipeforge.schemas.loadout import Context, Fact, Loadout
from recipeforge.schemas.place import Position, TextEdit
from recipeforge.schemas.record import record

if TYPE_CHECKING:
    from recipeforge.documents.dialects.dialect import Dialect

DIALECT = "recipeforge"
DIALECT_ASKED = "dialect"
"""The override that says in which dialect a document is to be read, whatever it looks like."""
MAX_MOVES = 10
"""Fixes that move keys are worked out for so many findings; each is a trial edit of the whole text."""


@record
class ReadResult:
    """What was read from one document."""

    loadout: Loadout | None
    """`None` where the text is no recipe, or not valid YAML to its end."""
    diagnostics: tuple[Diagnostic, ...]
    """In the order of the text."""


def read(document: Document, catalog: Catalog, overrides: Mapping[str, Fact] | None = None, *, fixes: bool = True) -> ReadResult:
    """Return the loadout that a document describes, and all findings about the file.

    Without `fixes`, those that need a trial edit of the text are left out, which saves most of the time.
    `overrides` are facts given by flag, such as `{"gpu.id": "t4"}`; they win over what the file says. `dialect` among them says how to
    read it.
    """
    stopped = any(d.code == "RF0013" for d in document.diagnostics)
    if stopped or (document.root is None and document.diagnostics):
        return ReadResult(None, document.diagnostics)
    dialect = _other_dialect(document, (overrides or {}).get(DIALECT_ASKED))
    said = interpret(document, vocabulary_of(catalog)) if dialect is None else _read_as(dialect, document, catalog, overrides or {})
    if not document.complete and not document.gaps:
        return ReadResult(None, _sorted([*document.diagnostics, *_before_the_break(document, said.findings.diagnostics)]))
    if fixes and not document.gaps:
        diagnostics = [_with_one_left(document, catalog, d) for d in document.diagnostics]
        diagnostics += _with_fixes(document, catalog, said.findings)
    else:
        diagnostics = [*document.diagnostics, *_beside_gaps(document, said.findings.diagnostics)]
    if not said.readable:
        return ReadResult(None, _sorted(diagnostics))
    context, unknown = context_of(said, catalog, overrides or {}, document.path)
    loadout = _loadout(document, said, context, DIALECT if dialect is None else dialect.name)
    return ReadResult(loadout, _sorted([*diagnostics, *unknown]))


def _other_dialect(document: Document, asked: object) -> "Dialect | None":
    """Return the other tool's dialect that a document is written in; a recipe says that it is one, and loads none of this."""
    if isinstance(asked, str):
        from recipeforge.documents.dialects.dialect import dialect_of

        return dialect_of(document, asked)
    root = target_of(document.root) if document.root is not None else None
    if not isinstance(root, MappingNode) or any(key_text(entry) == VERSION_KEY for entry in root.entries):
        return None
    from recipeforge.documents.dialects.dialect import dialect_of

    return dialect_of(document)


def _read_as(dialect: "Dialect", document: Document, catalog: Catalog, overrides: Mapping[str, Fact]) -> Interpretation:
    from recipeforge.documents.dialects.reading import read_config

    gpu = gpu_sheet(catalog, str(overrides.get("gpu.id", "")))
    launch = overrides.get("accelerate")
    facts: Mapping[str, Fact] = gpu.facts if gpu else {}
    return read_config(dialect, document, vocabulary_of(catalog), facts, launch if isinstance(launch, str) else None).out


def _loadout(document: Document, said: Interpretation, context: Context, dialect: str) -> Loadout:
    return Loadout(
        path=document.path,
        dialect=dialect,
        equipped=tuple(said.equipped),
        settings=tuple(said.settings),
        context=context,
        name=said.name,
        model=said.model,
        keys=said.keys,
        seed=said.seed,
        sayable=said.sayable,
    )


def _before_the_break(document: Document, found: list[Diagnostic]) -> list[Diagnostic]:
    """Return the findings on lines above the first syntax error: below it, and on its line, the tree is half-typed."""
    errors = [d for d in document.diagnostics if d.code == "RF0001"]
    starts = [place.start for d in errors for place in (d.primary.span, *(label.span for label in d.related))]
    broken = min(starts, default=Position(0, 0))
    return [d for d in found if d.primary.span.end.line < broken.line and d.code != "RF0009"]


def _beside_gaps(document: Document, found: list[Diagnostic]) -> list[Diagnostic]:
    """Return the findings that a half-typed line cannot have caused: what seems to be missing may be what is being typed."""
    if not document.gaps:
        return found
    lacking = {"RF0007", "RF0009", "RF0021"}
    return [d for d in found if d.code not in lacking and d.primary.span.start.line not in document.gaps]


def _plan(document: Document, catalog: Catalog, *steps: Step) -> tuple[TextEdit, ...]:
    # Imported on the way to a fix only: a clean recipe, which is most of them, starts without the editor.
    from recipeforge.documents.edit import plan_edits

    return plan_edits(document, catalog, steps).edits


def _with_fixes(document: Document, catalog: Catalog, findings: Findings) -> list[Diagnostic]:
    """Turn proposals into fixes; one that cannot be edited in without risk is not offered."""
    out = list(findings.diagnostics)
    for index, proposal in list(findings.proposals.items())[:MAX_MOVES]:
        edits = _plan(document, catalog, *proposal.steps)
        if edits:
            fix = Fix(title=proposal.title, safety=proposal.safety, changes=(), edits=edits)
            # The fix says what the help said, and does it.
            out[index] = replace(out[index], fixes=(*out[index].fixes, fix), help="")
    if findings.dropped and out:
        note = f"{findings.dropped:,} more findings are not shown; cure these first."
        out[-1] = replace(out[-1], notes=(*out[-1].notes, note))
    return out


def _with_one_left(document: Document, catalog: Catalog, diagnostic: Diagnostic) -> Diagnostic:
    """Offer to remove one of two equal keys: the later where both say the same, else the earlier, since the last one counts."""
    if diagnostic.code != "RF0005" or not diagnostic.related:
        return diagnostic
    lines = document.lines
    earlier, later = diagnostic.related[0].span, diagnostic.primary.span
    first, second = lines.line_text(earlier.start.line), lines.line_text(later.start.line)
    same = first == second and earlier.start.column == later.start.column and earlier.start.line != later.start.line
    gone = later if same else earlier
    edits = _plan(document, catalog, DeleteAt(lines.offset(gone.start)))
    if not edits:
        return diagnostic
    title, safety = ("Remove the repetition", "safe") if same else ("Remove the first, which does not count", "unsafe")
    return replace(diagnostic, fixes=(Fix(title=title, safety=safety, changes=(), edits=edits),), help="")


def _sorted(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(diagnostics, key=lambda d: (d.primary.span, d.code)))
