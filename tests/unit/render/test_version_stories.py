"""Dead ends of versions, each told as a newcomer reads it: `--update-golden` writes what is printed, a person reads the words."""

import re
from pathlib import Path

import pytest

from recipeforge.api import pick_names, versions_for_document
from recipeforge.documents.parse import parse
from recipeforge.render.versions import render_versions
from recipeforge.schemas.versions import Versions

STORIES = sorted((Path(__file__).parents[2] / "golden" / "stories").glob("version-*.md"))
_STORY = re.compile(r"(?s)(# .+\n\n.+?\n\n```yaml\n(.+?)```\n\n```text\n)(.*?)(```\n)")


def told(recipe: str) -> tuple[Versions, str]:
    document = parse(recipe, "recipe.yaml")
    versions = versions_for_document(document, {})
    return versions, render_versions("recipe.yaml", versions, pick_names(document, {}))


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_a_story_is_told_as_it_stands(path: Path, request: pytest.FixtureRequest) -> None:
    story = _STORY.fullmatch(path.read_text(encoding="utf-8"))
    assert story, "a title, a paragraph, the recipe, and what is printed about it"
    versions, text = told(story[2])
    if request.config.getoption("--update-golden"):
        path.write_text(f"{story[1]}{text}{story[4]}", encoding="utf-8", newline="")
        return
    assert text == story[3]
    assert versions.kind == "none"
    steps = versions.conflicts[0].steps
    assert {"RF", "pkg"} <= {s.rule.split(":")[0][:3].rstrip("0123456789") for s in steps if s.rule}, "rules and releases take part"
    assert all(s.citation for s in steps if s.rule)


def test_there_is_one() -> None:
    assert STORIES
