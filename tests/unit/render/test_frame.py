"""Code frames, cell by cell."""

import time

import pytest

from recipeforge.documents.lines import LineIndex
from recipeforge.render.cells import visible, width, wrap
from recipeforge.render.frame import Mark, frame
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.place import Position, Span


def mark(line: int, start: int, end: int, text: str = "", *, primary: bool = True, last_line: int | None = None) -> Mark:
    span = Span(Position(line, start), Position(line if last_line is None else last_line, end))
    return Mark(span, text, "error" if primary else "related", primary)


def drawn(text: str, *marks: Mark, look: Look = PLAIN) -> str:
    return "\n".join(frame(LineIndex(text), marks, look))


def test_the_look_of_the_style_guide() -> None:
    text = "\n" * 10 + "  in_backward: true\n\n\n  grad_accumulation_steps: 4\n"
    found = drawn(
        text,
        mark(13, 27, 28, "needs gradients kept for 4 steps"),
        mark(10, 15, 19, "frees each gradient during backward", primary=False),
    )
    assert found == (
        "   |\n"
        "11 |   in_backward: true\n"
        "   |                ---- frees each gradient during backward\n"
        "   ⋮\n"
        "14 |   grad_accumulation_steps: 4\n"
        "   |                            ^ needs gradients kept for 4 steps\n"
        "   |"
    )


def test_one_line_between_two_labels_is_shown_instead_of_a_gap() -> None:
    found = drawn("a: 1\nb: 2\nc: 3\n", mark(0, 0, 1), mark(2, 0, 1))
    assert "⋮" not in found
    assert " 2 | b: 2" in found.splitlines()


def test_several_labels_on_a_line_hang_below_each_other() -> None:
    found = drawn(
        "optimizer: {use: lion-8bit, momentum: 0.9}",
        mark(0, 38, 41, "third"),
        mark(0, 17, 26, "second", primary=False),
        mark(0, 0, 9, "first", primary=False),
    )
    assert found.splitlines()[1:-1] == [
        " 1 | optimizer: {use: lion-8bit, momentum: 0.9}",
        "   | ---------        ---------            ^^^ third",
        "   | |                |",
        "   | |                second",
        "   | first",
    ]


def test_overlapping_labels_get_rows_of_their_own() -> None:
    found = drawn("abcdef", mark(0, 1, 4, "inner"), mark(0, 0, 6, "outer", primary=False))
    assert found.splitlines()[2:4] == ["   |  ^^^ inner", "   | ------ outer"]


@pytest.mark.parametrize(
    ("line", "start", "end", "shown", "under"),
    [
        ("名前: 猫", 4, 5, "名前: 猫", "      ^^"),
        ("e\u0301e\u0301: x", 6, 7, "e\u0301e\u0301: x", "    ^"),
        ("\ta: x", 4, 5, "    a: x", "       ^"),
        ("a: \x1b[2Jx", 7, 8, "a: ␛[2Jx", "       ^"),
        ("a:\u200bx", 3, 4, "a:<U+200B>x", "          ^"),
        ("a: \u202eevil", 4, 8, "a: <U+202E>evil", "           ^^^^"),
        ("👍: x", 3, 4, "👍: x", "    ^"),
    ],
)
def test_carets_stand_under_their_characters(line: str, start: int, end: int, shown: str, under: str) -> None:
    rows = drawn(line, mark(0, start, end)).splitlines()
    assert rows[1] == f" 1 | {shown}"
    assert rows[2] == f"   | {under}"


def test_an_empty_span_is_one_caret_also_behind_the_line() -> None:
    assert "   |   ^ here" in drawn("ab\n", mark(0, 2, 2, "here")).splitlines()


def test_a_span_over_lines_is_underlined_to_the_end_of_the_first() -> None:
    assert "   |  ^^^^" in drawn("a: {b\n  c}\n", mark(0, 1, 3, last_line=1)).splitlines()


def test_a_place_beyond_the_text_draws_nothing() -> None:
    assert frame(LineIndex("a\n"), [mark(7, 0, 1)], PLAIN) == []


def test_a_long_line_is_clipped_around_its_label() -> None:
    text = "x" * 300 + "GUILTY" + "y" * 300
    rows = drawn(text, mark(0, 300, 306, "it")).splitlines()
    assert all(width(row) <= PLAIN.width for row in rows[:2])
    source, under = rows[1][5:], rows[2][5:]
    assert source.startswith("…x")
    assert source.endswith("y…")
    assert source[under.index("^") : under.rindex("^") + 1] == "GUILTY"


def test_both_labels_of_a_long_line_are_shown_where_they_fit() -> None:
    text = " " * 200 + "first" + " " * 30 + "second" + " " * 200
    rows = drawn(text, mark(0, 235, 241, "2"), mark(0, 200, 205, "1", primary=False)).splitlines()
    assert "first" in rows[1]
    assert "second" in rows[1]
    assert rows[1].index("second") == rows[2].index("^")


def test_a_wide_long_line_stays_inside_the_terminal() -> None:
    rows = drawn("猫" * 500, mark(0, 250, 252, "cats"), look=Look(width=60)).splitlines()
    assert all(width(row) <= 60 for row in rows[:2])
    assert "^^^^ cats" in rows[2]


def test_ten_megabytes_on_a_line_cost_nothing() -> None:
    index = LineIndex("x" * 10_000_000)
    started = time.perf_counter()
    rows = frame(index, [mark(0, 5_000_000, 9_999_999, "much")], PLAIN)
    assert time.perf_counter() - started < 0.5
    assert all(width(row) <= PLAIN.width + 10 for row in rows)


def test_text_from_files_cannot_steer_the_terminal() -> None:
    assert visible("a\x1b]8;;evil\x07b\nc\u0085\ud800") == "a␛]8;;evil␇b␊c<U+0085><U+D800>"


def test_wrapping_keeps_addresses_whole_and_measures_cells() -> None:
    url = "https://example.org/" + "a" * 50
    assert wrap(f"see {url} now", 20) == ["see", url, "now"]
    assert wrap("猫猫 猫猫 猫猫", 9) == ["猫猫 猫猫", "猫猫"]
