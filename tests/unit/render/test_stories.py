"""Ten real tangles, each told as a newcomer reads it: `--update-golden` writes what is printed, a person reads the words."""

import re
from pathlib import Path

import pytest

from recipeforge.api import check_document
from recipeforge.documents.parse import parse
from recipeforge.render.text import render_report

STORIES = sorted((Path(__file__).parents[2] / "golden" / "stories").glob("*.md"))
_STORY = re.compile(r"(?s)(# .+\n\n.+?\n\n```yaml\n(.+?)```\n\n```text\n)(.*?)(```\n)")


def test_there_are_ten() -> None:
    assert len(STORIES) == 10


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_a_story_is_told_as_it_stands(path: Path, request: pytest.FixtureRequest) -> None:
    story = _STORY.fullmatch(path.read_text(encoding="utf-8"))
    assert story, "a title, a paragraph, the recipe, and what is printed about it"
    told = render_report(check_document(parse(story[2], "recipe.yaml")))
    if request.config.getoption("--update-golden"):
        path.write_text(f"{story[1]}{told}{story[4]}", encoding="utf-8", newline="")
    else:
        assert told == story[3]


def test_every_step_of_the_stories_cites_its_rule() -> None:
    verdicts = [
        check_document(parse(story[2], "recipe.yaml")).verdict
        for path in STORIES
        if (story := _STORY.fullmatch(path.read_text(encoding="utf-8")))
    ]
    conflicts = [c for v in verdicts for c in v.conflicts]
    assert sum(v.kind == "conflicting" for v in verdicts) >= 8
    assert sum(bool(c.steps) for c in conflicts) >= 5
    assert all(c.steps or len(c.rules) == 1 for c in conflicts)
    assert all(s.citation for c in conflicts for s in c.steps if s.why)
