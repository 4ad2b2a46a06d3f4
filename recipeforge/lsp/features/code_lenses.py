"""Code lenses over the first line of a recipe: the verdict, what to do about it, and the memory it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from recipeforge.documents.vocabulary import VERSION_KEY
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.memory import told
from recipeforge.lsp.registry import answers, command
from recipeforge.lsp.verdicts import verdict_words
from recipeforge.schemas.diagnostic import Diagnostic

if TYPE_CHECKING:
    from recipeforge.lsp.server import ForgeServer

SHOW_FIRST = "forge.showFirst"
_REPAIRABLE = ("incomplete", "conflicting", "undecided")


@answers(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False), empty=[])
def code_lenses(known: Analysis, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Return the lenses of a recipe, all on one line."""
    if not known.client.code_lens or known.document.root is None:
        return []
    keys = known.report.loadout.keys if known.report.loadout is not None else {}
    line = keys[VERSION_KEY].start.line if VERSION_KEY in keys else 0
    start, end = known.document.lines.line_start(line), known.document.lines.line_end(line)
    place = known.range_between(start, end)
    return [types.CodeLens(range=place, command=shown) for shown in _commands(known)]


def _commands(known: Analysis) -> Iterator[types.Command]:
    uri, verdict = known.file.uri, known.report.verdict.kind
    jump = SHOW_FIRST if first_finding(known) is not None and known.client.abilities.shows_documents else "forge.verdict"
    yield types.Command(title=verdict_words(known), command=jump, arguments=[uri])
    if verdict in _REPAIRABLE and not known.document.gaps:
        yield types.Command(title="Make it run", command="forge.makeItRun", arguments=[uri])
    if verdict == "valid" and known.report.dialect == VERSION_KEY:
        yield types.Command(title="Run", command="forge.run", arguments=[uri])
    if memory := told(known):
        yield types.Command(title=memory, command="forge.estimate", arguments=[uri])


def first_finding(known: Analysis) -> Diagnostic | None:
    """Return the first of the worst findings."""
    order = {"error": 0, "warning": 1, "info": 2}
    return min(known.report.diagnostics, key=lambda d: (order[d.severity], d.primary.span), default=None)


@command(SHOW_FIRST)
async def show_first(server: ForgeServer, uri: str) -> bool:
    """Show the first of the worst findings of a recipe; return whether the client did."""
    known = await server.analysis(uri)
    finding = first_finding(known) if known is not None else None
    if known is None or finding is None or not server.settings.abilities.shows_documents:
        return False
    place = known.range(finding.primary.span)
    shown = await server.window_show_document_async(types.ShowDocumentParams(uri=uri, take_focus=True, selection=place))
    return shown.success
