"""Offsets and positions: lines as editors see them, columns in code points, no column for a byte order mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipeforge.documents.edit import apply_edits
from recipeforge.documents.lines import LineIndex
from recipeforge.schemas.place import Position, Span, TextEdit

_TEXTS = st.text(alphabet="ab:\n\r\t #\u2028\u0085é😀", max_size=60)


@given(_TEXTS)
def test_every_offset_has_one_position_and_comes_back(text: str) -> None:
    lines = LineIndex(text)
    for offset in range(len(text) + 1):
        inside_crlf = text[offset - 1 : offset + 1] == "\r\n"
        if not inside_crlf:
            position = lines.position(offset)
            assert lines.offset(position) == offset or text[offset - 1 : offset] in {"\r", "\n"}


@pytest.mark.parametrize(
    ("text", "offset", "position"),
    [
        ("a\nb", 2, Position(1, 0)),
        ("a\r\nb", 3, Position(1, 0)),
        ("a\rb", 2, Position(1, 0)),
        ("a\u2028b", 2, Position(0, 2)),
        ("\ufeffab", 1, Position(0, 0)),
        ("\ufeffab\nc", 4, Position(1, 0)),
        ("😀é", 1, Position(0, 1)),
        ("", 0, Position(0, 0)),
    ],
)
def test_positions(text: str, offset: int, position: Position) -> None:
    assert LineIndex(text).position(offset) == position
    assert LineIndex(text).offset(position) == offset


def test_a_position_beyond_a_line_is_clamped_to_it() -> None:
    lines = LineIndex("ab\ncd")
    assert lines.offset(Position(0, 99)) == 2
    assert lines.offset(Position(9, 0)) == 5


def test_edits_keep_the_byte_order_mark_and_speak_of_columns_without_it() -> None:
    edit = TextEdit(Span(Position(0, 0), Position(0, 1)), "x")
    assert apply_edits("\ufeffab", [edit]) == "\ufeffxb"
    assert apply_edits("ab", [edit]) == "xb"


def test_overlapping_edits_are_refused() -> None:
    edit = TextEdit(Span(Position(0, 0), Position(0, 2)), "x")
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abc", [edit, edit])
