"""pygls' protocol without its own copy of the texts: `open_files` keeps them, with line ends as the protocol defines them."""

from __future__ import annotations

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

CONTENT_MODIFIED = -32801
"""The text changed while the answer was worked out (LSP 3.17, ErrorCodes)."""
SERVER_CANCELLED = -32802


class ForgeProtocol(LanguageServerProtocol):
    """The base protocol; what texts say goes to our own handlers alone.

    Plain functions: of a generator, as the base class has them, pygls keeps the future of every single keystroke.
    """

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hand a newly opened text on."""
        self.fm.features[types.TEXT_DOCUMENT_DID_OPEN](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hand edits on."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE](params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hand on that a text is closed."""
        self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE](params)
