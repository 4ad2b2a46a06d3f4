"""The comment that silences a finding: where it goes, and where it cannot."""

import pytest
from small_catalog import CATALOG

from recipeforge.documents.ignore_edit import ignore_edit
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.parse import parse
from recipeforge.documents.pieces import apply_edits
from recipeforge.documents.read import read

_HEAD = "recipeforge: 1\nmodel: tiny\ntechnique: lora\n"


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("optimizer: {use: adamw, momentum: 0.9}", "optimizer: {use: adamw, momentum: 0.9}  # forge: ignore[RF0015]"),
        ("optimizer: {use: adamw, momentum: 0.9}   ", "optimizer: {use: adamw, momentum: 0.9}  # forge: ignore[RF0015]"),
        ("optimizer: {use: adamw, momentum: 0.9} # why", "optimizer: {use: adamw, momentum: 0.9} # why  # forge: ignore[RF0015]"),
        (
            "optimizer: {use: adamw, momentum: 0.9} # forge: ignore[RF1001]",
            "optimizer: {use: adamw, momentum: 0.9} # forge: ignore[RF1001, RF0015]",
        ),
        ("optimizer: {use: adamw, momentum: 0.9} # forge: ignore[]", "optimizer: {use: adamw, momentum: 0.9} # forge: ignore[RF0015]"),
        ("optimizer: {use: adamw,\n  momentum: 0.9}", "optimizer: {use: adamw,\n  momentum: 0.9}  # forge: ignore[RF0015]"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_finding_is_silenced_and_nothing_else_changes(line: str, after: str, end: str) -> None:
    text = f"{_HEAD}{line}\n".replace("\n", end)
    document = parse(text)
    (finding,) = [d for d in read(document, CATALOG).diagnostics if d.code == "RF0015"]
    edit = ignore_edit(document, finding)
    assert edit is not None
    silenced = apply_edits(text, [edit])
    assert silenced == f"{_HEAD}{after}\n".replace("\n", end)
    again = parse(silenced)
    assert not [d for d in apply_ignores(again, CATALOG, read(again, CATALOG).diagnostics) if d.code == "RF0015"]


def test_no_comment_is_written_into_a_value() -> None:
    text = f'{_HEAD}optimizer: {{momentum: 0.9, use: "adamw\n\n  "}}\n'
    document = parse(text)
    found = read(document, CATALOG).diagnostics
    assert [d.code for d in found] == ["RF0003"]
    assert ignore_edit(document, found[0]) is None
