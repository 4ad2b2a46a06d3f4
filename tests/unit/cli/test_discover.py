"""Which files of a folder are recipes; others are left alone."""

from pathlib import Path

import click
import pytest

from recipeforge.cli.discover import recipe_paths


def test_recipes_in_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "a/recipe.yaml",
        "b.recipe.yml",
        "c/other.yaml",
        "d/compose.yaml",
        ".git/recipe.yaml",
        "node_modules/x.recipe.yaml",
        "e/n.txt",
    ):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("services: {}\nx:\n  recipeforge: 1\n")
    Path("c/other.yaml").write_text("# a recipe\nrecipeforge: 1\n")
    Path("c/bom.yaml").write_bytes(b"\xef\xbb\xbfrecipeforge : 1\r\n")
    assert recipe_paths(["."]) == ["b.recipe.yml", "a/recipe.yaml", "c/bom.yaml", "c/other.yaml"]
    assert recipe_paths(["c", "d/compose.yaml", "c/other.yaml", "-", "missing"]) == [
        "c/bom.yaml",
        "c/other.yaml",
        "d/compose.yaml",
        "-",
        "missing",
    ]


def test_a_folder_without_recipes_is_bad_use(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    with pytest.raises(click.UsageError, match="no recipe under"):
        recipe_paths([str(tmp_path)])


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "recipe.yaml").write_text("")
    assert recipe_paths([str(tmp_path)]) == [str(tmp_path / "a" / "recipe.yaml")]


def test_a_hook_names_every_file_and_only_recipes_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "compose.yaml": "services: {}\n",
        "nested.yml": "x:\n  recipeforge: 1\n",
        "notes.txt": "recipeforge: 1\n",
        "broken.yaml": "a: [\n",
        "trained.yaml": "recipeforge: 1\n",
        "axolotl.yml": "base_model: x\ndatasets: []\n",
        "x.recipe.yaml": "",
    }.items():
        Path(name).write_text(text)
    Path("empty").mkdir()
    named = [*sorted(path.name for path in Path().iterdir()), "-"]
    assert recipe_paths(named, only_recipes=True) == ["axolotl.yml", "trained.yaml", "x.recipe.yaml", "-"]
    assert recipe_paths(["compose.yaml", "empty"], only_recipes=True) == []
    assert recipe_paths(["missing.yaml", "a\0b"], only_recipes=True) == ["missing.yaml", "a\0b"]
