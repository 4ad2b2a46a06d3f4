"""Findings in files that an open configuration names, such as DeepSpeed's JSON: pushed to where they stand, and taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from recipeforge.documents.dialects.companions import names_in
from recipeforge.documents.read import DIALECT
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.convert import diagnostics
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.server import ForgeServer
from recipeforge.lsp.text import Text
from recipeforge.schemas.report import FileReport


class NamedFiles:
    """What is shown in files that nobody opened as a recipe. A client that pulls gets it pushed too: it pulls only what it shows."""

    def __init__(self, server: ForgeServer) -> None:
        self._server = server
        self._shown: dict[str, frozenset[str]] = {}
        """Configuration → files in which something was found."""
        self._names: dict[str, frozenset[str]] = {}
        """Configuration → file names that it mentions, there or not."""

    def tell(self, known: Analysis, relate: bool) -> None:
        """Show what was found in the files that a configuration names, and take back what is no more."""
        owner = known.file.uri
        names = names_in(known.document, known.catalog) if known.report.dialect != DIALECT else ()
        self._names[owner] = frozenset(Path(name).name for name in names)
        found = {self._uri(report.path): report for report in known.report.companions if report.diagnostics}
        self._take_back(owner, found)
        self._shown[owner] = frozenset(found)
        for uri, report in found.items():
            self._publish(uri, diagnostics(_as_opened(known, uri, report), relate))

    def closed(self, owner: str) -> None:
        """Take back what was found on behalf of a configuration."""
        self._names.pop(owner, None)
        self._take_back(owner, ())
        self._shown.pop(owner, None)

    def mentioned(self, path: str) -> bool:
        """Return whether an open configuration may mean this file."""
        return any(Path(path).name in names for names in self._names.values())

    def _take_back(self, owner: str, kept: Iterable[str]) -> None:
        others = {uri for other, uris in self._shown.items() if other != owner for uri in uris}
        for uri in self._shown.get(owner, frozenset()) - others - set(kept):
            self._publish(uri, [])

    def _publish(self, uri: str, found: list[types.Diagnostic]) -> None:
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=found))

    def _uri(self, path: str) -> str:
        """Return a file's name as the client writes it, where it has it open."""
        whole = str(Path(path).absolute())
        return next((file.uri for file in self._server.files if file.path == whole), None) or from_fs_path(whole) or whole


def _as_opened(known: Analysis, uri: str, report: FileReport) -> Analysis:
    """Return the report on a named file, in the form in which those on open files come."""
    file = OpenFile(uri, 0, "", Text(report.text, known.file.text.encoding))
    return replace(known, file=file, report=report)
