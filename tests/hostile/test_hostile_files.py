"""Whatever the file: findings with a place and a next step, no exception, little time, little memory."""

import gc
import time
import tracemalloc
from pathlib import Path

import pytest
from cases import CASES, Case

from recipeforge.catalog.load import load as load_catalog
from recipeforge.documents.edit import apply_edits
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read

MAX_SECONDS = 2.0
MAX_BYTES = 200_000_000


@pytest.fixture(scope="module", autouse=True)
def _catalog_is_warm() -> None:
    load_catalog()


def test_there_are_enough_cases_and_their_names_differ() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_findings_of_a_hostile_file(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    catalog = load_catalog()
    started = time.perf_counter()
    document = load(path)
    result = read(document, catalog)
    found = result.diagnostics
    apply_ignores(document, catalog, found)
    assert time.perf_counter() - started < MAX_SECONDS
    assert tuple(d.code for d in found) == case.codes, [(d.code, d.message) for d in found[:5]]
    assert (result.loadout is not None) == case.readable
    if case.place is not None:
        start = found[0].primary.span.start
        assert (start.line + 1, start.column + 1) == case.place
    for diagnostic in found:
        assert len(diagnostic.message) < 400, diagnostic.message
        assert diagnostic.message.isprintable() or str(tmp_path) in diagnostic.message
        assert diagnostic.help or diagnostic.primary.text or diagnostic.fixes or diagnostic.code == "RF0006"
        for fix in diagnostic.fixes:
            apply_edits(document.text, fix.edits)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.codes[:1] in {("RF0013",), ("RF0002",), ("RF0003",)} or not c.codes], ids=lambda c: c.name
)
def test_the_memory_that_a_hostile_file_takes(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    catalog = load_catalog()
    gc.collect()
    tracemalloc.start()
    try:
        read(load(path), catalog)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_BYTES


def test_paths_that_no_system_takes() -> None:
    for path in ("a\0b.yaml", "x" * 100_000, ""):
        document = load(path)
        assert [d.code for d in document.diagnostics] == ["RF0018"]
        assert document.diagnostics[0].help


def test_a_text_that_is_too_large_is_refused_without_a_path() -> None:
    assert [d.code for d in parse("x" * 2_000_000).diagnostics] == ["RF0013"]
    assert [d.code for d in parse(b"x" * 2_000_000).diagnostics] == ["RF0013"]


def test_a_missing_file_with_another_ending_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("recipeforge: 1\n", encoding="utf-8")
    assert "recipe.yaml" in load(tmp_path / "recipe.yml").diagnostics[0].help


def test_every_cut_of_a_good_recipe_is_answered() -> None:
    """Half-typed text is the common case in an editor: each prefix gives findings or a loadout, and never an exception."""
    text = (
        "recipeforge: 1\nname: 'a b'\nmodel: HuggingFaceTB/SmolLM2-135M  # hub id\ntechnique: {use: qlora, rank: 16}\n"
        'optimizer:\n  use: adamw-8bit\n  learning_rate: 2e-4\nmemory: [gradient-checkpointing]\nname2: "x\\n"\n'
        "distributed:\n  - use: fsdp2\n    offload: true\nbatch: &b {micro: 4}\neval: {<<: *b}\n# forge: ignore[RF0002]\nseed: 17\n"
    )
    catalog = load_catalog()
    for end in range(len(text)):
        for eol in ("\n", "\r\n"):
            document = parse(text[:end].replace("\n", eol))
            result = read(document, catalog)
            apply_ignores(document, catalog, result.diagnostics)
            assert result.diagnostics or result.loadout is not None
