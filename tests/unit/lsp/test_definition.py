from pathlib import Path

import pytest
from lsprotocol import types
from pygls.uris import to_fs_path

from recipeforge.catalog.load import load
from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.catalog_places import What, place_of
from recipeforge.lsp.features.definition import definition
from tests.unit.lsp.reading import ABLE, DOCUMENT, known, place, within

TEXT = """\
# RF1001 and EV-0130
recipeforge: 1
model: qwen/qwen2.5-1.5b
x-a: &speed2 {a: 1}
x: &speed {learning_rate: 1e-4}
technique: {use: lora, rank: 8}
optimizer:
  use: adamw_8bit
  <<: *speed
precision: bf16  # forge: ignore[bf16-below-ampere]
hardware: {gpu: NVIDIA T4}
packages: {torch: "2.6"}
"""


def target(word: str, shift: int = 0) -> tuple[str, str]:
    """Return the file and the text that a word leads to."""
    judged = known(TEXT)
    found = definition(judged, types.DefinitionParams(text_document=DOCUMENT, position=place(judged, word, shift)))
    assert isinstance(found, list)
    (link,) = found
    if link.target_uri == judged.file.uri:
        return "", within(judged, link.target_range)
    file = Path(str(to_fs_path(link.target_uri)))
    line = file.read_text(encoding="utf-8").split("\n")[link.target_range.start.line]
    return f"{file.parent.name}/{file.name}", line[link.target_range.start.character : link.target_range.end.character]


@pytest.mark.parametrize(
    ("word", "file", "id_"),
    [
        ("adamw_8bit", "components/optimizer.yaml", "adamw-8bit"),
        ("rank", "core/knobs.yaml", "technique.rank"),
        ("technique", "core/slots.yaml", "technique"),
        ("RF1001", "rules/adapters.yaml", "RF1001"),
        ("bf16-below-ampere", "rules/precision.yaml", "RF2051"),
        ("EV-0130", "claims/precision.yaml", "EV-0130"),
        ("qwen/", "facts/models_qwen2.yaml", "Qwen/Qwen2.5-1.5B"),
        ("NVIDIA T4", "facts/gpus.yaml", "t4"),
        ("torch", "facts/packages.yaml", "torch"),
        ("*speed", "", "&speed"),
    ],
)
def test_words_lead_to_their_entries(word: str, file: str, id_: str) -> None:
    assert target(word) == (file, id_)


def test_a_client_without_links_gets_the_place_alone() -> None:
    judged = known(TEXT, Abilities())
    found = definition(judged, types.DefinitionParams(text_document=DOCUMENT, position=place(judged, "adamw_8bit")))
    assert isinstance(found, types.Location)


def test_the_whole_word_is_underlined() -> None:
    judged = known(TEXT, ABLE)
    found = definition(judged, types.DefinitionParams(text_document=DOCUMENT, position=place(judged, "_8bit")))
    assert isinstance(found, list)
    assert found[0].origin_selection_range is not None
    assert within(judged, found[0].origin_selection_range) == "adamw_8bit"


def test_nothing_is_defined_where_nothing_stands() -> None:
    judged = known(TEXT)
    assert definition(judged, types.DefinitionParams(text_document=DOCUMENT, position=place(judged, "1e-4"))) is None


def test_every_entry_of_the_catalog_is_found() -> None:
    catalog = load()
    kinds: dict[What, object] = {
        "component": catalog.components,
        "rule": catalog.rules,
        "claim": catalog.claims,
        "slot": catalog.slots,
        "knob": catalog.knobs,
        "gpu": catalog.gpus,
        "model": catalog.models,
        "package": catalog.packages,
    }
    for what, entries in kinds.items():
        assert isinstance(entries, dict)
        missing = [id_ for id_ in entries if place_of(what, id_) is None]
        assert not missing, f"{what}: {missing}"
        assert entries
