"""The site's sources: links stay within it, the matrix says what the engine says, and a dead link is found."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from recipeforge.catalog.load import load
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.solver.statuses import statuses

DEV = Path(__file__).parents[3] / "dev"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEV / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


compatibility = script("compatibility")
build_site = script("build_site")
CATALOG = load()


@pytest.fixture(scope="module")
def about() -> compatibility.Compatibility:
    return compatibility.Compatibility(CATALOG)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The site's sources, written with one generated page: to ask the engine about every two components is the business of `make site`."""
    monkeypatch.setattr(
        build_site, "pages", lambda catalog: iter([("rules/index.md", "# Rules\n"), ("components/index.md", "# Components\n")])
    )
    assert build_site.write_sources(tmp_path / "sources") > 10
    return tmp_path


def test_every_rule_and_component_has_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_site, "_beside", lambda about, component: "")
    monkeypatch.setattr(compatibility, "matrix_index", lambda about: "")
    monkeypatch.setattr(compatibility.Compatibility, "pairs", ())
    pages = dict(build_site.pages(CATALOG))
    for rule in CATALOG.rules.values():
        text = pages[f"rules/{rule.slug}.md"]
        assert rule.code in text and "## Evidence" in text and "## Since" in text
    assert {Path(name).stem for name in pages if name.startswith("components/")} == {*CATALOG.components, "index"}
    known = {*pages, "rules/index.md"}
    for name, text in pages.items():
        for link in re.findall(r"\]\(((?:\.\./)?[a-z/]*[a-z0-9-]+\.md)", text):
            assert (name.split("/")[0] + "/" + link if not link.startswith("../") else link[3:]) in known, f"{name}: {link}"


def test_links_of_other_pages_lead_to_pages_of_the_site(place: Path) -> None:
    seen = 0
    for page in (place / "sources").rglob("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not target.startswith(("https://", "http://", "mailto:")):
                seen += 1
                inside = (page.parent / target).resolve().relative_to((place / "sources").resolve())
                assert (page.parent / target).is_file() or inside.parts[0] in ("rules", "components", "matrix"), f"{page}: {target}"
    assert seen >= 10


def test_what_only_the_repository_has_is_named(place: Path) -> None:
    text = (place / "sources/editors.md").read_text()
    assert "[editors/vscode]" not in text and "editors/vscode" in text


def test_every_page_of_docs_is_in_the_navigation(place: Path) -> None:
    nav = yaml.safe_load(build_site.write_config(place).read_text())["nav"]
    listed = {page for _, section in build_site._sections(nav) for entry in section for page in entry.values() if isinstance(page, str)}
    for page in (place / "sources").glob("*.md"):
        assert page.name in listed
    decisions = [path.name for path in (place / "sources/decisions").glob("*.md")]
    assert sum(name.startswith("decisions/") for name in listed) == len(decisions) > 5


@pytest.mark.parametrize(("row", "column"), [("lora", "bnb-4bit"), ("full", "bnb-4bit"), ("qlora", "bnb-8bit"), ("adamw", "qlora")])
def test_a_cell_says_what_the_engine_says_of_a_recipe(row: str, column: str, about: compatibility.Compatibility) -> None:
    text = f"recipeforge: 1\nmodel: some/model\n{CATALOG.components[row].slot}: {row}\n"
    loadout = read(parse(text, "recipe.yaml"), CATALOG).loadout
    assert loadout is not None
    said = next(status for status in statuses(CATALOG, loadout) if status.component == column)
    told = about.beside(CATALOG.components[row])[column]
    assert (told.kind, told.rules) == (said.kind, said.rules)


def test_trouble_without_the_row_is_told_apart(about: compatibility.Compatibility) -> None:
    components = CATALOG.components
    assert about.tone(components["full"], components["bnb-4bit"]) == "blocked"
    assert about.tone(components["lora"], components["bnb-4bit"]) == "available"
    assert about.tone(components["lora"], components["gguf"]) == "alone"


def test_every_rule_about_recipes_is_reached_from_the_matrix(about: compatibility.Compatibility) -> None:
    for rule in CATALOG.rules.values():
        if not rule.code.startswith("RF0"):
            assert compatibility.subjects_of(rule) and compatibility.subjects_of(rule) <= set(about.subjects), rule.code


def test_a_dead_link_and_a_foreign_script_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/index.html").write_text('<h1 id="top">A</h1><a class="x" href="../b.html#here">b</a> <a href=https://x.org>x</a>')
    (tmp_path / "b.html").write_text('<a href="a/#top">a</a><p id=here>')
    assert build_site.dead_links(tmp_path) == []
    (tmp_path / "b.html").write_text('<a href="a/#gone">a</a><a href="c/">c</a><script src="https://cdn.example.org/x.js"></script>')
    assert build_site.dead_links(tmp_path) == [
        "a/index.html: ../b.html#here has no such anchor",
        "b.html: a/#gone has no such anchor",
        "b.html: c/ leads nowhere",
        "b.html: https://cdn.example.org/x.js would be loaded from elsewhere",
    ]
