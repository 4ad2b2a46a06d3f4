"""Half-typed texts: what of them is read, and what is not said about them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_catalog import CATALOG

from recipeforge.documents.mend import parse_half_typed
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.documents.tree import Document, MappingNode, key_text, target_of

ROOT = Path(__file__).parents[3]
RECIPE = """\
recipeforge: 1
model: tiny
technique:
  use: lora
  rank: 16
memory:
  - gradient-checkpointing
optimizer: {use: adamw, learning_rate: 1.0e-4}
batch: {micro: 4}
"""


def keys(document: Document) -> list[str | None]:
    root = target_of(document.root) if document.root is not None else None
    return [key_text(entry) for entry in root.entries] if isinstance(root, MappingNode) else []


@pytest.mark.parametrize(
    ("broken", "gap"),
    [
        ("batch\n", "batch"),
        ("batch: {micro: 4\nseed: 1\n", "batch"),
        ('name: "not closed\nseed: 1\n', "name"),
        ("name: a: b\nseed: 1\n", "name"),
        ("memory: [a, b\nseed: 1\n", "memory"),
        ("name: @x\n", "name"),
        ("\tname: x\nseed: 1\n", None),
        ("memory\n  - a\n  - b\nseed: 1\n", "memory"),
    ],
)
def test_the_line_being_typed_is_left_out_and_the_rest_is_read(broken: str, gap: str | None) -> None:
    text = f"recipeforge: 1\nmodel: tiny\n{broken}technique: lora\n"
    document = parse_half_typed(text)
    found = keys(document)
    assert {"recipeforge", "model", "technique"} <= set(found)
    assert gap not in found
    assert any(d.severity == "error" for d in document.diagnostics), "the error itself is told"
    if "seed" in broken:
        assert "seed" in found


def test_a_whole_text_is_read_as_ever() -> None:
    assert parse_half_typed(RECIPE) == parse(RECIPE)
    assert not parse_half_typed(RECIPE).gaps


def test_places_are_those_of_the_text() -> None:
    text = RECIPE.replace("optimizer: {use: adamw, ", "optimizer: {use: adamw, [")
    document = parse_half_typed(text)
    assert document.text == text
    root = document.root
    assert isinstance(root, MappingNode)
    for entry in root.entries:
        assert text[entry.key.start : entry.key.end] == key_text(entry)


def test_nothing_is_said_about_what_may_just_be_typed() -> None:
    missing = parse_half_typed("recipeforge: 1\nmodel: tiny\ntechniq\n")
    assert [d.code for d in read(missing, CATALOG).diagnostics] == ["RF0001"]
    wrong = parse_half_typed("recipeforge: 1\nmodel: tiny\ntechnique: lora\noptimizer: nonsense\nbat\n")
    assert "RF0003" in [d.code for d in read(wrong, CATALOG).diagnostics]


def test_at_most_the_key_being_typed_is_lost() -> None:
    whole = set(keys(parse(RECIPE)))
    for at in range(len(RECIPE)):
        cut = RECIPE[:at] + RECIPE[RECIPE.index("\n", at) :]
        assert len(whole - set(keys(parse_half_typed(cut)))) <= 2, repr(cut[max(0, at - 20) : at + 20])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(RECIPE)), st.integers(0, 12), st.text(alphabet="a: -[]{}\"'#\n\t&*!|>%\x00\u2028é🦙", max_size=6))
def test_any_edit_is_read_without_an_exception(at: int, length: int, new: str) -> None:
    text = RECIPE[:at] + new + RECIPE[at + length :]
    document = parse_half_typed(text)
    assert document.text == text
    assert all(0 <= line < len(document.lines) for line in document.gaps)
    read(document, CATALOG)
