"""What a scalar means where a type is wanted: YAML's traps, each on purpose."""

import math

import pytest
from small_catalog import CATALOG

from recipeforge.documents.parse import parse
from recipeforge.documents.scalars import Misfit, duration_text, number, plain_value, seconds, value_for
from recipeforge.documents.tree import MappingNode, target_of


def _given(path: str, written: str):
    root = parse(f"k: {written}\n").root
    assert isinstance(root, MappingNode)
    return value_for(CATALOG.knobs[path], target_of(root.entries[0].value))


@pytest.mark.parametrize(
    ("path", "written", "value"),
    [
        ("optimizer.learning_rate", "2e-4", 2e-4),
        ("optimizer.learning_rate", "2E-4", 2e-4),
        ("optimizer.learning_rate", "1", 1.0),
        ("optimizer.learning_rate", ".5", 0.5),
        ("optimizer.learning_rate", "!!float '0.5'", 0.5),
        ("technique.rank", "16", 16),
        ("technique.rank", "0x10", 16),
        ("technique.rank", "0o20", 16),
        ("data.sequence_length", "1_024", 1024),
        ("data.packing", "yes", True),
        ("data.packing", "Off", False),
        ("data.packing", "TRUE", True),
        ("data.source", "no", "no"),
        ("data.source", "123", "123"),
        ("data.source", "1:30", "1:30"),
        ("data.format", "chat", "chat"),
        ("budget.wall_clock", "2h", 7200),
        ("budget.wall_clock", "1h30m", 5400),
        ("budget.wall_clock", "45 min", 2700),
        ("budget.wall_clock", "0.5d", 43200),
    ],
)
def test_what_people_mean_is_read(path: str, written: str, value: object) -> None:
    assert _given(path, written) == value
    assert type(_given(path, written)) is type(value)


@pytest.mark.parametrize(
    ("path", "written", "code", "replacement"),
    [
        ("technique.rank", '"16"', "RF0004", "16"),
        ("technique.rank", "!!str 16", "RF0004", "16"),
        ("technique.rank", "16.0", "RF0004", "16"),
        ("technique.rank", "1e3", "RF0004", "1000"),
        ("technique.rank", "16.5", "RF0004", None),
        ("technique.rank", "010", "RF0004", "10"),
        ("technique.rank", "true", "RF0004", None),
        ("technique.rank", "1:30", "RF0004", None),
        ("technique.rank", "sixteen", "RF0004", None),
        ("technique.rank", "[16]", "RF0004", None),
        ("technique.rank", "", "RF0004", None),
        ("technique.rank", "~", "RF0004", None),
        ("technique.rank", "-4", "RF0006", None),
        ("technique.rank", "9" * 5000, "RF0006", None),
        ("train.steps", "9" * 30, "RF0006", None),
        ("train.steps", "9" * 17, "RF0006", None),
        ("optimizer.learning_rate", ".nan", "RF0006", None),
        ("optimizer.learning_rate", ".inf", "RF0006", None),
        ("optimizer.learning_rate", "1e999", "RF0006", None),
        ("optimizer.learning_rate", "2,0e-4", "RF0004", None),
        ("scheduler.warmup_ratio", "3%", "RF0004", "0.03"),
        ("budget.memory_gib", "24GB", "RF0004", "24"),
        ("budget.memory_gib", "24 GiB", "RF0004", "24"),
        ("data.packing", "1", "RF0004", "true"),
        ("data.packing", '"false"', "RF0004", "false"),
        ("data.packing", "maybe", "RF0004", None),
        ("data.format", "Chat", "RF0006", "chat"),
        ("data.format", "parquet", "RF0006", None),
        ("eval.strategy", "no", "RF0006", "none"),
        ("eval.strategy", "null", "RF0004", "none"),
        ("budget.wall_clock", "2", "RF0004", None),
        ("budget.wall_clock", "1:30", "RF0004", None),
        ("budget.wall_clock", "2 fortnights", "RF0004", None),
        ("budget.wall_clock", "0h", "RF0006", None),
    ],
)
def test_what_does_not_fit_says_so_and_knows_the_right_text(path: str, written: str, code: str, replacement: str | None) -> None:
    misfit = _given(path, written)
    assert isinstance(misfit, Misfit), misfit
    assert (misfit.code, misfit.replacement) == (code, replacement)
    assert path in misfit.message or written in misfit.message
    assert len(misfit.message) < 200
    if replacement is not None:
        assert not isinstance(_given(path, replacement), Misfit)


def test_octal_or_decimal_is_not_decided_for_the_author() -> None:
    misfit = _given("technique.rank", "010")
    assert isinstance(misfit, Misfit)
    assert misfit.safety == "unsafe"


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("null", None), ("true", True), ("no", "no"), ("2e-4", 2e-4), ("16", 16), ("1:30", "1:30")]
)
def test_a_plain_scalar_by_itself(text: str, value: object) -> None:
    assert plain_value(text) == value


def test_numbers_of_any_length_are_read_in_no_time() -> None:
    assert number("9" * 100_000) == math.inf
    assert number("1" * 400 + "x") is None


@pytest.mark.parametrize("length", [1, 45, 60, 90, 3600, 5400, 7200, 86400, 100_000])
def test_durations_come_back(length: int) -> None:
    assert seconds(duration_text(length)) == length
