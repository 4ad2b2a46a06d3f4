"""Every place of recipes good, bad and half-typed: each feature answers, and speaks of places inside the text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.features.code_lenses import code_lenses
from recipeforge.lsp.features.definition import definition
from recipeforge.lsp.features.document_links import document_links
from recipeforge.lsp.features.folding import folding_ranges
from recipeforge.lsp.features.hover import hover
from recipeforge.lsp.features.inlay_hints import inlay_hints
from recipeforge.lsp.features.symbols import document_symbols
from recipeforge.lsp.text import Encoding
from tests.unit.lsp.reading import ABLE, DOCUMENT, known, within

EXAMPLES = Path(__file__).parent.parent.parent.parent / "examples"

HALF_TYPED = """\
\ufeff# 😀 EV-0130 and RF2051, then one that is none: RF9999
recipeforge: 1
model: qwen/qwen2.5-1.5b
x-shared: &speed {learning_rate: 1e-3}
technique: {use: lora, rank: 16
optimizer: &main
  use: adamw_8bit
  <<: *speed
  learning_rate: 😀
memory: [gradient-checkpointing, , activation-offloading]
kernels:
  - liger
  - {use: torch-compile, mode: default}
  -
precision: bf16  # forge: ignore[bf16-below-ampere, RF2051]
objective: *main
data:
  source: |
    # no comment, RF2051
    a
batch: {micro: 4, accum
hardware: {gpu: T4, count: 2}
packages: {torch: "2.6", pytorch: 1}
budget: {memory_gib: 12}
? [a, b]
: "unclosed
"""
ODD = ["", "\n", "#", "- a\n- b\n", "a", "recipeforge: 1", "recipeforge:\n", "a: &a [*a]\n", "? \n: \n", '"": 1\n', "\r\r\n"]
ODD += [
    "{recipeforge: 1, model: {}}",
    "recipeforge: 1\ntechnique: [[lora], {use: [a]}, {use: {}}, *x]\nbatch: [1]\nhardware: {gpu: [t4]}\n",
]


def of_document(known: Analysis) -> Iterator[types.Range]:
    """Yield the ranges of all answers about a whole text."""
    end = types.Position(line=known.file.text.line_count, character=0)
    whole = types.Range(start=types.Position(line=0, character=0), end=end)
    for hint in inlay_hints(known, types.InlayHintParams(text_document=DOCUMENT, range=whole)):
        yield types.Range(start=hint.position, end=hint.position)
    yield from (lens.range for lens in code_lenses(known, types.CodeLensParams(text_document=DOCUMENT)))
    yield from (link.range for link in document_links(known, types.DocumentLinkParams(text_document=DOCUMENT)))
    for symbol in document_symbols(known, types.DocumentSymbolParams(text_document=DOCUMENT)):
        yield from of_symbol(known, symbol)
    for fold in folding_ranges(known, types.FoldingRangeParams(text_document=DOCUMENT)):
        assert 0 <= fold.start_line < fold.end_line < known.file.text.line_count


def of_symbol(known: Analysis, symbol: types.DocumentSymbol | types.SymbolInformation) -> Iterator[types.Range]:
    assert symbol.name.strip()
    if isinstance(symbol, types.SymbolInformation):
        yield symbol.location.range
        return
    inner, outer = symbol.selection_range, symbol.range
    assert known.offset(outer.start) <= known.offset(inner.start) <= known.offset(inner.end) <= known.offset(outer.end)
    yield from (inner, outer)
    for child in symbol.children or ():
        yield from of_symbol(known, child)


def of_place(known: Analysis, offset: int) -> Iterator[types.Range]:
    """Yield the ranges of all answers about one place."""
    at = known.range_between(offset, offset).start
    popup = hover(known, types.HoverParams(text_document=DOCUMENT, position=at))
    if popup is not None:
        assert isinstance(popup.contents, types.MarkupContent)
        assert popup.contents.value.strip()
        assert popup.range is not None
        assert known.offset(popup.range.start) <= known.offset(at) <= known.offset(popup.range.end)
        yield popup.range
    found = definition(known, types.DefinitionParams(text_document=DOCUMENT, position=at))
    if isinstance(found, list):
        for link in found:
            assert link.origin_selection_range is not None
            yield link.origin_selection_range
            if link.target_uri == known.file.uri:
                yield link.target_range


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", [(EXAMPLES / "broken-qlora.yaml").read_text(), (EXAMPLES / "smollm2-lora.yaml").read_text(), HALF_TYPED])
def test_every_place_is_answered_inside_the_text(text: str, encoding: Encoding) -> None:
    judged = known(text, encoding=encoding)
    answered = [found for offset in range(len(text) + 1) for found in of_place(judged, offset)]
    assert len(answered) > len(text) // 2, "most of a recipe means something"
    for found in [*answered, *of_document(judged)]:
        within(judged, found)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("able", [ABLE, Abilities()])
def test_odd_texts_are_answered(text: str, able: Abilities) -> None:
    judged = known(text, able)
    for found in [*of_document(judged), *(found for offset in range(len(text) + 1) for found in of_place(judged, offset))]:
        within(judged, found)


def test_every_beginning_of_a_recipe_is_answered() -> None:
    whole = (EXAMPLES / "broken-qlora.yaml").read_text()
    for end in range(0, len(whole), 3):
        judged = known(whole[:end])
        for found in [*of_document(judged), *of_place(judged, end), *of_place(judged, max(end - 5, 0))]:
            within(judged, found)
