from lsprotocol import types

from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.features.folding import folding_ranges
from tests.unit.lsp.reading import DOCUMENT, known

TEXT = """\
# one
# two

# alone
recipeforge: 1
optimizer:
  use: adamw  # not alone

kernels:
  - use: torch-compile
    mode: default
data: {
  format: chat,
}
memory: [a,
  b]
name: |
  # no comment
  # none either
technique: lora
"""


def folds(text: str, able: Abilities | None = None) -> list[tuple[int, int, object]]:
    found = folding_ranges(known(text, able or Abilities()), types.FoldingRangeParams(text_document=DOCUMENT))
    return [(fold.start_line, fold.end_line, fold.kind) for fold in found]


def test_blocks_brackets_texts_and_comments() -> None:
    assert folds(TEXT) == [
        (0, 1, types.FoldingRangeKind.Comment),
        (5, 6, None),
        (8, 10, None),
        (9, 10, None),
        (11, 12, None),
        (14, 15, None),
        (16, 18, None),
    ]


def test_a_client_may_limit_their_number() -> None:
    assert len(folds(TEXT, Abilities(most_folds=2))) == 2


def test_one_line_folds_nothing() -> None:
    assert folds("recipeforge: 1\ntechnique: {use: lora}\n") == []
