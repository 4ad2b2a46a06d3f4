"""What is known about one version of one recipe. The findings at once, everything else when it is first asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from lsprotocol import types

from recipeforge.api.checking import catalog_for, check_document, solution_of, target
from recipeforge.api.config import Config
from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.mend import parse_half_typed
from recipeforge.documents.tree import Document
from recipeforge.documents.vocabulary import Vocabulary, vocabulary_of
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.settings import ClientSettings
from recipeforge.lsp.text import At
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.place import Span, TextEdit
from recipeforge.schemas.record import record
from recipeforge.schemas.report import FileReport, Solution
from recipeforge.schemas.verdict import Status
from recipeforge.solver.repair import repairs
from recipeforge.solver.statuses import statuses
from recipeforge.solver.view import View, view_of


@record
class Analysis:
    """One version of one recipe, judged for one target."""

    file: OpenFile
    document: Document
    """Mended where the text is half-typed; its places are those of the text."""
    report: FileReport
    """Findings without fixes: those that were selected and that no comment silences."""
    catalog: Catalog
    config: Config
    client: ClientSettings

    @cached_property
    def with_fixes(self) -> FileReport:
        """The same report with its verified fixes and their edits."""
        return _selected(check_document(self.document, self.report.overrides), self.config)

    @cached_property
    def statuses(self) -> dict[str, Status]:
        """Component → what equipping it would mean; empty where there is no recipe."""
        loadout = self.report.loadout
        return {status.component: status for status in statuses(self.catalog, loadout)} if loadout is not None else {}

    @cached_property
    def repairs(self) -> tuple[Solution, ...]:
        """The best whole-recipe repairs, best first; none where it is valid or half-typed."""
        loadout = self.report.loadout
        if loadout is None or self.document.gaps or self.report.verdict.kind == "valid":
            return ()
        found = repairs(self.catalog, loadout, prefer=self.config.prefer)
        return tuple(solution_of(self.document, loadout, self.catalog, repair) for repair in found)

    @cached_property
    def view(self) -> View | None:
        """Effective values of all slots, knobs and facts; `None` where there is no recipe."""
        return view_of(self.catalog, self.report.loadout) if self.report.loadout is not None else None

    @property
    def vocabulary(self) -> Vocabulary:
        """The catalog as a reader of recipes needs it."""
        return vocabulary_of(self.catalog)

    # -- places: ours count code points, the client's its own units -----------------------------------------

    def range(self, span: Span) -> types.Range:
        """Return the client's range of a span."""
        start, end = self.file.text.span(span)
        return types.Range(start=_position(start), end=_position(end))

    def range_between(self, start: int, end: int) -> types.Range:
        """Return the client's range between two offsets of the text."""
        return types.Range(start=_position(self.file.text.at(start)), end=_position(self.file.text.at(end)))

    def span_of(self, asked: types.Range) -> Span:
        """Return our span of a client's range."""
        text = self.file.text
        start = text.position((asked.start.line, asked.start.character))
        return Span(start, text.position((asked.end.line, asked.end.character)))

    def offset(self, position: types.Position) -> int:
        """Return the offset in the text, in code points, of a client's position."""
        return self.file.text.offset((position.line, position.character))

    def edits(self, edits: tuple[TextEdit, ...]) -> list[types.TextEdit]:
        """Return edits in the client's terms."""
        return [types.TextEdit(range=self.range(edit.span), new_text=edit.text) for edit in edits]

    def diagnostics_in(self, span: Span, *, fixes: bool = False) -> list[Diagnostic]:
        """Return the findings whose place touches a span."""
        report = self.with_fixes if fixes else self.report
        return [d for d in report.diagnostics if d.primary.span.start <= span.end and span.start <= d.primary.span.end]


def analyse(file: OpenFile, config: Config, client: ClientSettings) -> Analysis:
    """Return what is known about a text at once: its tree, the verdict, the findings."""
    document = parse_half_typed(file.text.content, file.path)
    report = check_document(document, target(config.gpu, config.gpus, config.packages), fixes=False)
    catalog = load_catalog() if report.loadout is None else catalog_for(load_catalog(), report.loadout)
    return Analysis(file, document, _selected(report, config), catalog, config, client)


def _selected(report: FileReport, config: Config) -> FileReport:
    named = tuple(_selected(other, config) for other in report.companions)
    return replace(report, diagnostics=tuple(d for d in report.diagnostics if config.wants(d.code, d.slug)), companions=named)


def _position(at: At) -> types.Position:
    return types.Position(line=at[0], character=at[1])
