"""When findings are sent: answered where the client pulls, else pushed once typing pauses; never both."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from recipeforge.lsp.convert import diagnostics, status_of
from recipeforge.lsp.named_files import NamedFiles
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.protocol import SERVER_CANCELLED
from recipeforge.lsp.server import ForgeServer
from recipeforge.solver.patience import GivenUp

PULL_OPTIONS = types.DiagnosticOptions(inter_file_dependencies=False, workspace_diagnostics=False, identifier="recipeforge")
STATUS = "recipeforge/status"


class Diagnosing:
    """Sends the findings of all open recipes."""

    def __init__(self, server: ForgeServer) -> None:
        self._server = server
        self._waiting: dict[str, asyncio.Task[Any]] = {}
        self.named = NamedFiles(server)
        self._shown: set[str] = set()
        """Texts for which findings were pushed."""

    def opened(self, file: OpenFile) -> None:
        """Look at a text that was opened; what was pushed while it was closed gives way to what is now found in it."""
        told = self._server.files.told_closed.pop(file.path, None)
        if told is not None:  # under the name that it was told by: clients write the same path in several ways
            self._publish(told, None, [])
        self.changed(file)

    def changed(self, file: OpenFile) -> None:
        """Look at a new version soon, if the client will not ask for it."""
        server = self._server
        if (waiting := self._waiting.pop(file.uri, None)) is not None:
            waiting.cancel()
        if server.pulls_diagnostics and not server.wants_status:
            return
        if file.is_recipe or file.uri in self._shown:
            self._waiting[file.uri] = server.spawn(self._after_pause(file), "checking a recipe")

    def closed(self, uri: str) -> None:
        """Take back what was shown for a text."""
        if (waiting := self._waiting.pop(uri, None)) is not None:
            waiting.cancel()
        self.named.closed(uri)
        if uri in self._shown:
            self._shown.discard(uri)
            self._publish(uri, None, [])

    def refresh(self) -> None:
        """Show everything anew: settings changed."""
        server = self._server
        for file in server.files:
            server.desk.give_up(file.uri)
            self.changed(file)
        workspace = server.client_capabilities.workspace
        if workspace is None:
            return
        if server.pulls_diagnostics and workspace.diagnostics and workspace.diagnostics.refresh_support:
            server.spawn(server.workspace_diagnostic_refresh_async(None), "refreshing diagnostics")
        if workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            server.spawn(server.workspace_inlay_hint_refresh_async(None), "refreshing inlay hints")
        if workspace.code_lens and workspace.code_lens.refresh_support:
            server.spawn(server.workspace_code_lens_refresh_async(None), "refreshing code lenses")

    async def pulled(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        """Answer a client that asks for the findings."""
        server = self._server
        file = server.recipe(params.text_document.uri)
        if file is None:
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        try:
            known = await server.desk.analysis(file)
            self._tell_settings(file)
            self.named.tell(known, self._can_relate())
            mark = f"{hash((file.text.content, server.settings.generation)):x}"
            if params.previous_result_id == mark:
                return types.RelatedUnchangedDocumentDiagnosticReport(result_id=mark)
            return types.RelatedFullDocumentDiagnosticReport(items=diagnostics(known, self._can_relate()), result_id=mark)
        except GivenUp:
            data = types.DiagnosticServerCancellationData(retrigger_request=True)
            raise JsonRpcException("the text changed meanwhile", SERVER_CANCELLED, data) from None
        except Exception as error:
            server.crashed("checking a recipe", error)
            return types.RelatedFullDocumentDiagnosticReport(items=[])

    async def _after_pause(self, file: OpenFile) -> None:
        server = self._server
        await asyncio.sleep(server.settings.client.debounce_ms / 1000)
        if not file.is_recipe:  # it was one, until its last edit
            return self.closed(file.uri)
        known = await server.desk.analysis(file)
        self._tell_settings(file)
        if not server.pulls_diagnostics:
            self._shown.add(file.uri)
            self._publish(file.uri, file.version, diagnostics(known, self._can_relate()))
            self.named.tell(known, self._can_relate())
        if server.wants_status:
            server.protocol.notify(STATUS, status_of(known))
        return None

    def _publish(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=found))

    def _tell_settings(self, file: OpenFile) -> None:
        _, wrong = self._server.settings.for_file(file.path)
        if wrong:
            self._server.tell_once(f"{wrong}; checking goes on without it")

    def _can_relate(self) -> bool:
        """Return whether the client shows related places."""
        offered = self._server.client_capabilities.text_document
        ways = (offered.diagnostic, offered.publish_diagnostics) if offered else ()
        return any(way is not None and bool(getattr(way, "related_information", False)) for way in ways)
