"""An editor for tests: it keeps its own texts, counts positions its own way, and applies what the server sends like a real one."""

import asyncio
import itertools
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

T = TypeVar("T")
CLIENTS = ("visual_studio_code@1.65.2", "neovim@0.11.0", "emacs@29.1")
"""Recorded capabilities. VS Code's are of a version that is pushed to; Neovim pulls."""
COMMAND = (sys.executable, "-m", "recipeforge", "lsp")
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def split_lines(text: str) -> list[str]:
    """Return lines with their ends, as the protocol defines them."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text) + ([""] if not text or text[-1] in "\r\n" else [])


def offset_of(text: str, place: types.Position, encoding: str) -> int:
    """Return the offset of a position, by encoding the line and cutting its bytes."""
    lines = split_lines(text)
    assert place.line < len(lines), f"line {place.line} of {len(lines)}"
    codec, width = _UNITS[encoding]
    line = lines[place.line].rstrip("\r\n")
    encoded = line.encode(codec, "surrogatepass")
    assert place.character * width <= len(encoded), f"column {place.character} beyond {line!r}"
    return sum(map(len, lines[: place.line])) + len(encoded[: place.character * width].decode(codec, "surrogatepass"))


def place_of(text: str, offset: int, encoding: str) -> types.Position:
    """Return the position of an offset."""
    codec, width = _UNITS[encoding]
    before = split_lines(text[:offset])
    if offset and text[offset - 1 : offset] == "\r" and text[offset : offset + 1] == "\n":
        before = [*before[:-2], before[-2].rstrip("\r")] if before[-1] == "" else before
    return types.Position(line=len(before) - 1, character=len(before[-1].encode(codec, "surrogatepass")) // width)


def edited(text: str, edits: Sequence[Any], encoding: str) -> str:
    """Return the text after edits, which may not overlap."""
    spans = sorted((offset_of(text, e.range.start, encoding), offset_of(text, e.range.end, encoding), i) for i, e in enumerate(edits))
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans)), "edits overlap"
    for start, end, index in reversed(spans):
        text = text[:start] + edits[index].new_text + text[end:]
    return text


async def waited(look: Callable[[], T | None]) -> T:
    """Return what `look` finds, once it finds something."""
    async with asyncio.timeout(20):
        while not (found := look()):
            await asyncio.sleep(0.01)
    return found


class Editor:
    """One client with its texts."""

    def __init__(self, client: LanguageClient, capabilities: types.ClientCapabilities) -> None:
        self.client, self.capabilities = client, capabilities
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.encoding = "utf-16"
        self.server = types.ServerCapabilities()
        self._pushed: dict[str, types.PublishDiagnosticsParams] = {}
        self._news = asyncio.Event()

        client.protocol.fm.features.pop(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, None)  # ours knows versions

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self._pushed[params.uri] = params
            self._news.set()

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.apply(params.edit)
            return types.ApplyWorkspaceEditResult(applied=True)

    @classmethod
    async def started(cls, kind: str, options: dict[str, Any] | None = None, folder: str = "file:///work", **changed: Any) -> "Editor":
        """Start a server and a client of some kind; `changed` are text document capabilities in place of the recorded ones."""
        capabilities = client_capabilities(kind)
        for name, value in changed.items():
            setattr(capabilities.text_document, name, value)
        editor = cls(make_test_lsp_client(), capabilities)
        await editor.client.start_io(*COMMAND)
        folders = [types.WorkspaceFolder(uri=folder, name="work")]
        params = types.InitializeParams(capabilities=capabilities, workspace_folders=folders, initialization_options=options)
        found = await editor.client.initialize_session(params)
        editor.server = found.capabilities
        encoding = found.capabilities.position_encoding
        editor.encoding = str(getattr(encoding, "value", encoding) or "utf-16")
        return editor

    async def stop(self) -> None:
        """Leave in good order."""
        await self.client.shutdown_session()

    @property
    def pulls(self) -> bool:
        """Whether this client asks for findings."""
        return self.server.diagnostic_provider is not None

    # -- texts ----------------------------------------------------------------------------------------------

    def open(self, uri: str, text: str, language: str = "recipeforge") -> None:
        """Open a text."""
        self.texts[uri], self.versions[uri] = text, 1
        self._pushed.pop(uri, None)
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def close(self, uri: str) -> None:
        """Close a text."""
        del self.texts[uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

    def change(self, uri: str, start: int, end: int, new: str) -> None:
        """Replace a stretch between two offsets, and tell the server."""
        text = self.texts[uri]
        place = types.Range(start=place_of(text, start, self.encoding), end=place_of(text, end, self.encoding))
        self._tell(uri, [types.TextDocumentContentChangePartial(range=place, text=new)], text[:start] + new + text[end:])

    def replace(self, uri: str, text: str) -> None:
        """Replace the whole text."""
        self._tell(uri, [types.TextDocumentContentChangeWholeDocument(text=text)], text)

    def _tell(self, uri: str, changes: list[types.TextDocumentContentChangeEvent], text: str) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=changes))

    def apply(self, edit: types.WorkspaceEdit) -> None:
        """Apply an edit; one for another version is refused, as real clients do."""
        for change in edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            uri = change.text_document.uri
            assert change.text_document.version in (None, self.versions[uri]), "an edit for another version"
            self.replace(uri, edited(self.texts[uri], change.edits, self.encoding))
        for uri, edits in (edit.changes or {}).items():
            self.replace(uri, edited(self.texts[uri], edits, self.encoding))

    # -- questions ------------------------------------------------------------------------------------------

    def document(self, uri: str) -> types.TextDocumentIdentifier:
        """Return the name of a text in a request."""
        return types.TextDocumentIdentifier(uri=uri)

    def place(self, uri: str, word: str, into: int = 0) -> types.Position:
        """Return the position of a word's first occurrence, or `into` characters inside it."""
        return place_of(self.texts[uri], self.texts[uri].index(word) + into, self.encoding)

    async def diagnostics(self, uri: str) -> Sequence[types.Diagnostic]:
        """Return the findings on the present version, pulled or pushed."""
        if self.pulls:
            report = await self.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(text_document=self.document(uri)))
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return report.items
        async with asyncio.timeout(20):
            while uri not in self._pushed or self._pushed[uri].version != self.versions[uri]:
                self._news.clear()
                await self._news.wait()
        return self._pushed[uri].diagnostics

    def pushed(self, uri: str) -> types.PublishDiagnosticsParams | None:
        """Return what was pushed last for a text."""
        return self._pushed.get(uri)

    async def codes(self, uri: str) -> list[str]:
        """Return the codes of the findings."""
        return [str(d.code) for d in await self.diagnostics(uri)]

    async def actions(self, uri: str, place: types.Range, only: str | None = None) -> Sequence[types.CodeAction]:
        """Return the code actions for a range."""
        context = types.CodeActionContext(diagnostics=[], only=[only] if only else None)
        params = types.CodeActionParams(text_document=self.document(uri), range=place, context=context)
        found = await self.client.text_document_code_action_async(params) or ()
        # pygls' client takes an action that bears a command for a bare command.
        return [a if isinstance(a, types.CodeAction) else types.CodeAction(title=a.title, command=a.command) for a in found]  # pyright: ignore

    async def execute(self, command: str, *arguments: Any) -> Any:
        """Execute a command."""
        return await self.client.workspace_execute_command_async(types.ExecuteCommandParams(command=command, arguments=[*arguments]))
