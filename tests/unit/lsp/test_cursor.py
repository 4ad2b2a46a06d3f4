"""Where the cursor stands, on texts of every kind and state."""

import pytest

from recipeforge.documents.lines import LineIndex
from recipeforge.lsp.cursor import Cursor, cursor_at

HEAD = "recipeforge: 1\nmodel: x\n"
MARK = "¦"


def at(text: str) -> tuple[str, Cursor]:
    """Return a text without its mark, and the place where that stood."""
    offset = text.index(MARK)
    whole = text.replace(MARK, "")
    return whole, cursor_at(LineIndex(whole), offset)


def told(text: str) -> tuple[str, tuple[str, ...], str]:
    """Return role, path and the word to replace."""
    whole, cursor = at(text)
    return cursor.role, cursor.path, whole[cursor.start : cursor.end]


@pytest.mark.parametrize(
    ("text", "role", "path", "word"),
    [
        ("¦", "key", (), ""),
        ("opt¦", "key", (), "opt"),
        ("opt¦imizer: adamw", "key", (), "optimizer"),
        ("optimizer:¦", "value", ("optimizer",), ""),
        ("optimizer: ¦", "value", ("optimizer",), ""),
        ("optimizer: ada¦mw", "value", ("optimizer",), "adamw"),
        ("optimizer: ¦adamw  # why", "value", ("optimizer",), "adamw"),
        ("optimizer: ¦ adamw", "value", ("optimizer",), " adamw"),
        ("optimizer: ¦ # why", "value", ("optimizer",), ""),
        ("optimizer: 'ada¦'", "value", ("optimizer",), "ada"),
        ('optimizer: "ada¦', "value", ("optimizer",), "ada"),
        ('optimizer: {use: "ada¦, beta1: 0.9}', "value", ("optimizer", "use"), "ada"),
        ("optimizer: {¦}", "key", ("optimizer",), ""),
        ("optimizer: {¦", "key", ("optimizer",), ""),
        ("optimizer: {use: ¦}", "value", ("optimizer", "use"), ""),
        ("optimizer: {use: ada¦, beta1: 0.9}", "value", ("optimizer", "use"), "ada"),
        ("optimizer: {use: adamw, ¦", "key", ("optimizer",), ""),
        ("optimizer: {use: adamw, be¦ta1: 0.9}", "key", ("optimizer",), "beta1"),
        ("optimizer: {\n  use: adamw,\n  ¦\n}", "key", ("optimizer",), ""),
        ("optimizer: {use: adamw,  # why\n  be¦", "key", ("optimizer",), "be"),
        ("optimizer:\n  ¦", "key", ("optimizer",), ""),
        ("optimizer:\n  use: ¦", "value", ("optimizer", "use"), ""),
        ("optimizer:\n  use: adamw\n  ¦", "key", ("optimizer",), ""),
        ("optimizer:\n  ¦\n  beta1: 0.9", "key", ("optimizer",), ""),
        ("optimizer:\n  use: adamw\n¦", "key", (), ""),
        ("memory: [¦]", "item", ("memory",), ""),
        ("memory: [a, b¦c, d]", "item", ("memory",), "bc"),
        ("memory:\n  - ¦", "item", ("memory",), ""),
        ("memory:\n- a\n- ¦", "item", ("memory",), ""),
        ("memory:\n- a\n¦", "key", (), ""),
        ("memory:\n  - a\n  ¦", "item", ("memory",), ""),
        ("kernels:\n  - use: ¦\n    mode: x", "value", ("kernels", "use"), ""),
        ("kernels:\n  - use: a\n    ¦", "key", ("kernels",), ""),
        ("kernels:\n  - {use: a, ¦\n  - b", "key", ("kernels",), ""),
        ("kernels:\n  - {use: a,\n  - b¦", "item", ("kernels",), "b"),
        ("kernels: [a, {use: ¦}]", "value", ("kernels", "use"), ""),
        ("batch: ¦\ntrain: {epochs: 1}", "value", ("batch",), ""),
        ("data:\n  source: x\n\n¦\nbatch: {}", "key", (), ""),
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_it_knows_the_place(text: str, role: str, path: tuple[str, ...], word: str, eol: str, bom: str) -> None:
    assert told(bom + (HEAD + text).replace("\n", eol)) == (role, path, word)


@pytest.mark.parametrize(
    "text",
    [
        "optimizer: adamw ¦",
        "optimizer: adamw  # good ¦",
        "batch: micro: ¦",
        "batch: {micro: 4} ¦",
        "batch:\n  micro: 4\n    ¦",
        "batch:\n  micro: 4\n ¦",
        "batch:\n ¦\n  micro: 4",
        "name: |\n  some text ¦",
        "name: >-\n  some ¦text\nseed: 1",
        "optimizer: &here¦ adamw",
        "optimizer: *he¦re",
        "---¦",
        "  ¦",
        "- ¦",
    ],
)
def test_elsewhere_there_is_no_place(text: str) -> None:
    _, cursor = at(HEAD + text)
    assert cursor.role in ("nothing", "comment") or cursor.path == ("?",)


def test_a_broken_line_above_does_no_harm() -> None:
    assert told("recipeforge: 1\ntechnique: {use: qlora, rank: [\nname: 'x\noptimizer: {use: ¦") == ("value", ("optimizer", "use"), "")


def test_json_is_a_recipe_too() -> None:
    assert told('{"recipeforge": 1, "technique": {"use": "lo¦ra"}, "seed": 3}') == ("value", ("technique", "use"), "lora")
    assert told('{\n  "recipeforge": 1,\n  "te¦"\n}') == ("key", (), "te")


def test_it_knows_the_neighbours() -> None:
    _, cursor = at(f"{HEAD}optimizer: {{use: muon, ¦, beta1: 0.9}}")
    assert cursor.keys == {"use": "muon", "beta1": "0.9"}
    assert cursor.flow
    _, cursor = at(f"{HEAD}optimizer:\n  ¦\n  use: muon\nseed: 1")
    assert cursor.keys == {"use": "muon"}
    _, cursor = at(f"{HEAD}kernels:\n  - liger\n  - {{use: unsloth}}\n  - t¦\n  - tf32")
    assert set(cursor.items) == {"liger", "unsloth", "tf32"}
    _, cursor = at(f"{HEAD}kernels: [liger, {{use: ¦}}]")
    assert cursor.items == ("liger",)
    _, cursor = at(f"{HEAD}¦\nseed: 1")
    assert set(cursor.keys) == {"recipeforge", "model", "seed"}


@pytest.mark.parametrize(
    ("text", "lead", "tail", "colon"),
    [
        ("optimizer:¦", " ", "", False),
        ("optimizer: ¦", "", "", False),
        ("optimizer: {use: adamw,¦}", " ", "", False),
        ("memory:\n  -¦", " ", "", False),
        ("memory:\n  - a\n  ¦", "- ", "", False),
        ('optimizer: "ada¦', "", '"', False),
        ('optimizer: "ada¦"', "", "", False),
        ("optimizer: ¦# why", "", " ", False),
        ("opt¦: adamw", "", "", True),
        ("# forge: ignore[¦", "", "]", False),
        ("# forge: ignore[¦]", "", "", False),
    ],
)
def test_it_knows_what_the_word_needs_around_it(text: str, lead: str, tail: str, colon: bool) -> None:
    _, cursor = at(HEAD + text)
    assert (cursor.lead, cursor.tail, cursor.colon) == (lead, tail, colon)


def test_codes_of_an_ignore_are_words() -> None:
    _, cursor = at(f"{HEAD}optimizer: adamw  # forge: ignore[RF1001, RF2¦, x]")
    assert cursor.role == "ignore"
    assert cursor.items == ("RF1001", "x")
    assert told(f"{HEAD}# so: # forge: ignore[RF1001, RF2¦, x]")[2] == "RF2"


def test_long_data_is_left_alone() -> None:
    _, cursor = at(f"{HEAD}name: {'x' * 300_000}¦")
    assert cursor.role == "nothing"
