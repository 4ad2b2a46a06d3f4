"""What the client can show, as it said in `initialize`; what it did not say, it cannot."""

from __future__ import annotations

from lsprotocol import types

from recipeforge.schemas.record import record

ANY_NUMBER = 5_000
"""Folds that are sent where the client names no limit of its own."""


@record
class Abilities:
    """What answers depend on."""

    markdown: bool = False
    """Hovers may be Markdown."""
    nested_symbols: bool = False
    """Document symbols may have children."""
    definition_links: bool = False
    """A definition may say which text led to it, so that an id with hyphens is underlined whole."""
    shows_documents: bool = False
    """The server may ask to show a document and a place in it."""
    most_folds: int = ANY_NUMBER
    link_tooltips: bool = False
    """Document links may say where they lead."""
    snippets: bool = False
    """Completed text may say where the cursor goes."""
    markdown_items: bool = False
    """The documentation of completion items may be Markdown."""


def abilities_of(client: types.ClientCapabilities) -> Abilities:
    """Return what a client can show."""
    text = client.text_document or types.TextDocumentClientCapabilities()
    hover, symbols, definition, folding = text.hover, text.document_symbol, text.definition, text.folding_range
    item = text.completion.completion_item if text.completion else None
    shows = client.window.show_document if client.window else None
    return Abilities(
        markdown=hover is not None and types.MarkupKind.Markdown in (hover.content_format or ()),
        nested_symbols=symbols is not None and bool(symbols.hierarchical_document_symbol_support),
        definition_links=definition is not None and bool(definition.link_support),
        shows_documents=shows is not None and shows.support,
        link_tooltips=text.document_link is not None and bool(text.document_link.tooltip_support),
        snippets=item is not None and bool(item.snippet_support),
        markdown_items=item is not None and types.MarkupKind.Markdown in (item.documentation_format or ()),
        most_folds=(folding.range_limit if folding else None) or ANY_NUMBER,
    )
