from lsprotocol import types

from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.features.symbols import document_symbols
from tests.unit.lsp.reading import DOCUMENT, known, within

TEXT = """\
recipeforge: 1
technique: &t {use: lora, rank: 16}
memory: [gradient-checkpointing, liger]
kernels:
  - use: torch-compile
    mode: default
batch:
  micro: 4
other: *t
'': nothing
"""


def test_the_outline_is_nested() -> None:
    judged = known(TEXT)
    found = [s for s in document_symbols(judged, types.DocumentSymbolParams(text_document=DOCUMENT)) if isinstance(s, types.DocumentSymbol)]
    assert [(s.name, s.detail) for s in found] == [
        ("recipeforge", "1"),
        ("technique", "lora"),
        ("memory", "gradient-checkpointing, liger"),
        ("kernels", "torch-compile"),
        ("batch", None),
        ("other", "*t"),
    ]
    technique, kernels, batch = found[1], found[3], found[4]
    assert [c.name for c in technique.children or ()] == ["use", "rank"]
    assert [(c.name, [g.name for g in c.children or ()]) for c in kernels.children or ()] == [("torch-compile", ["use", "mode"])]
    assert technique.kind == types.SymbolKind.Class
    assert batch.kind == types.SymbolKind.Namespace
    assert within(judged, batch.range) == "batch:\n  micro: 4"
    assert within(judged, batch.selection_range) == "batch"


def test_clients_without_nesting_get_a_flat_list() -> None:
    found = document_symbols(known(TEXT, Abilities()), types.DocumentSymbolParams(text_document=DOCUMENT))
    flat = [(s.name, s.container_name) for s in found if isinstance(s, types.SymbolInformation)]
    assert ("micro", "batch") in flat
    assert ("technique", None) in flat
    assert len(flat) == len(found)
