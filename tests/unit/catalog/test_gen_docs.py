"""Generated files are written, checked, and removed when nothing writes them any more."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "dev" / "gen_docs.py"


@pytest.fixture(scope="module")
def gen_docs():
    spec = importlib.util.spec_from_file_location("gen_docs", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_writes_what_differs_and_removes_what_is_stale(gen_docs, tmp_path):
    texts = {"docs/rules/a.md": "a\n", "docs/components.md": "c\n"}
    assert len(gen_docs.bring_up_to_date(texts, tmp_path)) == 2
    assert gen_docs.stale_files(texts, tmp_path) == []
    (tmp_path / "docs/rules/a.md").write_text("edited\n")
    (tmp_path / "docs/rules/gone.md").write_text("old\n")
    (tmp_path / "docs/hand-written.md").write_text("mine\n")
    stale = [tmp_path / "docs/rules/a.md", tmp_path / "docs/rules/gone.md"]
    assert gen_docs.stale_files(texts, tmp_path) == stale
    assert gen_docs.bring_up_to_date(texts, tmp_path) == stale
    assert (tmp_path / "docs/rules/a.md").read_text() == "a\n"
    assert not (tmp_path / "docs/rules/gone.md").exists()
    assert (tmp_path / "docs/hand-written.md").exists()


def test_check_lists_what_differs_and_fails(gen_docs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gen_docs, "ROOT", tmp_path)
    monkeypatch.setattr(gen_docs, "GENERATORS", [lambda: {"docs/x.md": "x\n"}])
    monkeypatch.setattr(gen_docs.sys, "argv", ["gen_docs.py", "--check"])
    assert gen_docs.main() == 1
    assert capsys.readouterr().out == "docs/x.md\n"
    assert not (tmp_path / "docs/x.md").exists()
    monkeypatch.setattr(gen_docs.sys, "argv", ["gen_docs.py"])
    assert gen_docs.main() == 0
    monkeypatch.setattr(gen_docs.sys, "argv", ["gen_docs.py", "--check"])
    assert gen_docs.main() == 0


def test_each_generator_names_its_files(gen_docs):
    names = [name for generate in gen_docs.GENERATORS for name in generate()]
    assert len(names) == len(set(names))
    assert {"docs/rules/index.md", "docs/components.md", "docs/recipe.schema.json"} <= set(names)
