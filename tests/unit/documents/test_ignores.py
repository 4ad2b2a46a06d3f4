"""`# forge: ignore[…]`: what is silenced, and ignores that silence nothing."""

import pytest
from small_catalog import CATALOG

from recipeforge.documents.edit import apply_edits
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.diagnostic import Diagnostic, Label
from recipeforge.schemas.place import Position, Span

_HEAD = "recipeforge: 1\nmodel: tiny\ntechnique: lora\n"
_NOT_READ = "optimizer: {use: adamw, momentum: 0.9}"


def _left(text: str, *more: Diagnostic) -> tuple[Diagnostic, ...]:
    document = parse(text)
    return apply_ignores(document, CATALOG, (*read(document, CATALOG).diagnostics, *more))


@pytest.mark.parametrize(
    "text",
    [
        f"{_HEAD}{_NOT_READ}  # forge: ignore[RF0015]\n",
        f"{_HEAD}{_NOT_READ}  # forge: ignore[rf0015]\n",
        f"{_HEAD}{_NOT_READ}  # forge: ignore[knob-not-read]\n",
        f"{_HEAD}{_NOT_READ}  #forge:ignore [ RF0015 ] it moved\n",
        f"{_HEAD}{_NOT_READ}  # said before # forge: ignore[RF0015]\n",
        f"{_HEAD}# forge: ignore[RF0015]\n{_NOT_READ}\n",
        f"{_HEAD}# forge: ignore[RF0015]\n# and why\n{_NOT_READ}\n",
        "\ufeff# forge: ignore[RF0017]\r\nmodel: unknown/x\r\nrecipeforge: 1\r\ntechnique: lora",
    ],
)
def test_a_finding_is_silenced_on_its_line_or_from_the_line_above(text: str) -> None:
    assert _left(text) == ()


def test_findings_of_rules_are_silenced_where_they_stand() -> None:
    there = Span(Position(2, 11), Position(2, 15))
    rule = Diagnostic("RF1001", "qlora-without-4bit-base", "error", "…", Label(there, ""))
    text = _HEAD.replace("technique: lora", "technique: lora # forge: ignore[qlora-without-4bit-base]")
    assert _left(text, rule) == ()
    assert [d.code for d in _left(_HEAD, rule)] == ["RF1001"]


@pytest.mark.parametrize(
    "line",
    [
        'name: "x  # forge: ignore[RF0002]"',
        "name: 'x # forge: ignore[RF0002]'",
        "name: x#forge:ignore[RF0002]",
        "name: |\n  # forge: ignore[RF0002]",
        "name: >-\n  x\n  # forge: ignore[RF0002]\nseed: 1",
        "name: x # about forge: ignore[RF0002] in prose",
    ],
)
def test_what_is_no_comment_is_no_ignore(line: str) -> None:
    assert _left(f"{_HEAD}{line}\n") == ()


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("seed: 1  # forge: ignore[RF0002]", "seed: 1"),
        ("# forge: ignore[RF0002]\nseed: 1", "seed: 1"),
        ("seed: 1  # why  # forge: ignore[RF0002]", "seed: 1  # why"),
        ("seed: 1  # forge: ignore[RF0002] since it is odd", "seed: 1  # since it is odd"),
        (f"{_NOT_READ} # forge: ignore[RF0002, RF0015]", f"{_NOT_READ} # forge: ignore[RF0015]"),
        ("seed: 1 # forge: ignore[RF0002, RF3104]", "seed: 1"),
        ("seed: 1 # forge: ignore", "seed: 1"),
        ("seed: 1 # forge: ignore[]", "seed: 1"),
    ],
)
def test_an_unused_ignore_is_reported_and_its_fix_takes_it_out(line: str, fixed: str) -> None:
    text = f"{_HEAD}{line}\n"
    found = _left(text)
    assert [(d.code, d.severity) for d in found] == [("RF0014", "warning")]
    assert apply_edits(text, found[0].fixes[0].edits) == f"{_HEAD}{fixed}\n"
    assert _left(f"{_HEAD}{fixed}\n") == ()


def test_an_unknown_rule_is_asked_about() -> None:
    text = f"{_HEAD}{_NOT_READ} # forge: ignore[knob-not-raed]\n"
    found = _left(text)
    assert [d.code for d in found] == ["RF0015", "RF0014"]
    assert "`knob-not-read`" in found[1].primary.text
    assert _left(apply_edits(text, found[1].fixes[0].edits)) == ()
    assert "no rule `RF9999`" in _left(f"{_HEAD}seed: 1 # forge: ignore[RF9999]\n")[0].message


def test_nothing_is_called_unused_while_the_file_is_not_wholly_read() -> None:
    assert [d.code for d in _left(f"{_HEAD}seed: 1 # forge: ignore[RF3104]\nnonsense: 1\n")] == ["RF0002"]
    assert [d.code for d in _left(f"{_HEAD}seed: 1 # forge: ignore[RF3104]\nbatch: {{micro\n")] == ["RF0001"]


def test_what_keeps_a_file_from_being_read_cannot_be_silenced() -> None:
    assert [d.code for d in _left("recipeforge: 99 # forge: ignore[RF0008]\nmodel: tiny\n")] == ["RF0008"]
