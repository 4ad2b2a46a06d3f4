"""From initialize to exit: what the client can do, texts opened, edited and closed, settings that change."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import to_fs_path

from recipeforge.lsp.abilities import abilities_of
from recipeforge.lsp.diagnosing import PULL_OPTIONS, Diagnosing
from recipeforge.lsp.server import ForgeServer
from recipeforge.lsp.settings import SECTION, client_settings

log = logging.getLogger("recipeforge.lsp")

SETTINGS_FILES = ("recipeforge.toml", "pyproject.toml")
WATCHED = (*(f"**/{name}" for name in SETTINGS_FILES), "**/*.json", "**/*.yaml", "**/*.yml")
"""Settings, and what a configuration may name: DeepSpeed's, FSDP's and Accelerate's files."""


def install(server: ForgeServer) -> None:
    """Register the handlers of the protocol's own life."""
    diagnosing = Diagnosing(server)

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        offered = params.capabilities.text_document
        server.pulls_diagnostics = offered is not None and offered.diagnostic is not None
        if server.pulls_diagnostics:  # never both: clients show what is pushed and what is pulled side by side

            @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, PULL_OPTIONS)
            async def pulled(params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
                return await diagnosing.pulled(params)

        options: Any = params.initialization_options
        options = options if isinstance(options, dict) else getattr(options, "__dict__", {})
        server.wants_status = options.get("status") is True
        server.settings.abilities = abilities_of(params.capabilities)
        _take_settings(server, options.get("settings"))

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        before = server.settings.generation
        for ask in (_watch, _ask_for_settings):
            try:
                await ask(server)
            except JsonRpcException as refused:  # some clients promise more than they do; all of it can be done without
                log.info("the client refused: %s", refused)
        if server.settings.generation != before:  # what was asked of texts that were opened meanwhile has been given up
            diagnosing.refresh()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.files.encoding = _encoding(server)
        file = server.files.open(params.text_document)
        diagnosing.opened(file)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        file = server.files.change(document.uri, document.version, params.content_changes)
        if file is not None:
            server.desk.give_up(document.uri)
            diagnosing.changed(file)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        _files_changed(server, diagnosing, [params.text_document.uri])

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.desk.give_up(uri)
        server.files.close(uri)
        diagnosing.closed(uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        _files_changed(server, diagnosing, [change.uri for change in params.changes])

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: types.DidChangeConfigurationParams) -> None:
        sent: Any = params.settings
        sent = sent.get(SECTION) if isinstance(sent, dict) else getattr(sent, SECTION, None)
        if sent is not None:
            _take_settings(server, sent)
        elif not await _ask_for_settings(server):
            server.settings.forget()
        diagnosing.refresh()

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None = None) -> None:
        server.desk.close()
        for task in tuple(server.tasks):
            task.cancel()


def _encoding(server: ForgeServer) -> Any:
    agreed = server.server_capabilities.position_encoding
    return str(agreed.value if isinstance(agreed, types.PositionEncodingKind) else agreed or "utf-16")


def _take_settings(server: ForgeServer, sent: object) -> None:
    settings, told = client_settings(_plain(sent))
    if replace(settings, abilities=server.settings.abilities) != server.settings.client:
        server.settings.forget(settings)
    for message in told:
        server.tell_once(message)


def _plain(value: Any) -> Any:
    """Return settings as plain dictionaries and lists; pygls hands unknown objects over as attributes."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    elif hasattr(value, "__dict__") and not isinstance(value, dict):
        value = vars(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


async def _ask_for_settings(server: ForgeServer) -> bool:
    """Ask the client for its settings, if it can be asked; return whether it was."""
    workspace = server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return False
    item = types.ConfigurationItem(section=SECTION)
    answer = await server.workspace_configuration_async(types.ConfigurationParams(items=[item]))
    if answer and answer[0] is not None:
        _take_settings(server, answer[0])
    return True


async def _watch(server: ForgeServer) -> None:
    """Ask to be told when configuration files or the client's own settings change, where the client can do so."""
    workspace = server.client_capabilities.workspace
    files = workspace.did_change_watched_files if workspace else None
    settings = workspace.did_change_configuration if workspace else None
    wanted: list[types.Registration] = []
    if files is not None and files.dynamic_registration:
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        wanted.append(types.Registration(id="recipeforge-files", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options))
    if settings is not None and settings.dynamic_registration:
        section = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        wanted.append(types.Registration(id="recipeforge-settings", method=method, register_options=section))
    if wanted:
        await server.client_register_capability_async(types.RegistrationParams(registrations=wanted))


def _files_changed(server: ForgeServer, diagnosing: Diagnosing, uris: Sequence[str]) -> None:
    """Judge anew if settings changed, or a file that an open configuration names."""
    paths = [to_fs_path(uri) or uri for uri in uris]
    if any(Path(path).name in SETTINGS_FILES or diagnosing.named.mentioned(path) for path in paths):
        server.settings.forget()
        diagnosing.refresh()
