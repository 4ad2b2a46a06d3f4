"""A recipe as the features see it, for a client of any kind."""

from dataclasses import replace
from typing import Any

from lsprotocol import types

from recipeforge.api.config import Config
from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.analysis import Analysis, analyse
from recipeforge.lsp.features.hover import hover
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.settings import ClientSettings
from recipeforge.lsp.text import Encoding, Text

URI = "file:///work/some.recipe.yaml"
ABLE = Abilities(markdown=True, nested_symbols=True, definition_links=True, link_tooltips=True, shows_documents=True)
DOCUMENT = types.TextDocumentIdentifier(uri=URI)


def known(text: str, able: Abilities = ABLE, encoding: Encoding = "utf-16", **settings: Any) -> Analysis:
    """Return what is known about a text."""
    client = replace(ClientSettings(abilities=able), **settings)
    return analyse(OpenFile(URI, 1, "recipeforge", Text(text, encoding)), Config(), client)


def place(known: Analysis, word: str, shift: int = 0) -> types.Position:
    """Return the position of the first occurrence of a word."""
    at = known.document.text.index(word) + shift
    return known.range_between(at, at).start


def popup(known: Analysis, word: str, shift: int = 0) -> str:
    """Return what a hover over a word says."""
    found = hover(known, types.HoverParams(text_document=DOCUMENT, position=place(known, word, shift)))
    assert found is not None, f"nothing is said about {word}"
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


def within(known: Analysis, found: types.Range) -> str:
    """Return the text of a range, which has to lie inside the text."""
    text = known.file.text
    for at in (found.start, found.end):
        assert 0 <= at.line < text.line_count, f"line {at.line} of {text.line_count}"
        assert known.range_between(known.offset(at), known.offset(at)).start == at, f"column {at.character} of {text.line(at.line)!r}"
    start, end = known.offset(found.start), known.offset(found.end)
    assert start <= end
    return text.content[start:end]
