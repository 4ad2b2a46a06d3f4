"""Real tangles, each told as a newcomer reads it: `--update-golden` writes what is printed, a person reads the words.

A story may bring a second file, named behind the language of its block, which lies beside the recipe.
"""

import re
from pathlib import Path

import pytest

from recipeforge.api import check_document
from recipeforge.documents.parse import parse
from recipeforge.render.text import render_report
from recipeforge.schemas.report import FileReport

STORIES = [p for p in sorted((Path(__file__).parents[2] / "golden" / "stories").glob("*.md")) if not p.name.startswith("version-")]
_STORY = re.compile(
    r"(?s)(?P<begin># .+\n\n.+?\n\n```yaml\n(?P<recipe>.+?)```\n\n(?:```\w+ (?P<name>\S+)\n(?P<other>.+?)```\n\n)?```text\n)"
    r"(?P<told>.*?)(?P<end>```\n)"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, in which a story's files lie by the names that they have in it."""
    monkeypatch.chdir(tmp_path)


def report_of(path: Path) -> tuple[re.Match[str], FileReport]:
    """A story, and what is found in its recipe."""
    story = _STORY.fullmatch(path.read_text(encoding="utf-8"))
    assert story, "a title, a paragraph, the recipe, another file or none, and what is printed about it"
    if story["name"]:
        Path(story["name"]).parent.mkdir(parents=True, exist_ok=True)
        Path(story["name"]).write_text(story["other"], encoding="utf-8")
    return story, check_document(parse(story["recipe"], "recipe.yaml"))


def test_there_are_eleven() -> None:
    assert len(STORIES) == 11


@pytest.mark.parametrize("path", STORIES, ids=lambda p: p.stem)
def test_a_story_is_told_as_it_stands(path: Path, request: pytest.FixtureRequest) -> None:
    story, report = report_of(path)
    told = render_report(report)
    if request.config.getoption("--update-golden"):
        path.write_text(f"{story['begin']}{told}{story['end']}", encoding="utf-8", newline="")
    else:
        assert told == story["told"]


def test_every_step_of_the_stories_cites_its_rule() -> None:
    verdicts = [report_of(path)[1].verdict for path in STORIES]
    conflicts = [c for v in verdicts for c in v.conflicts]
    assert sum(v.kind == "conflicting" for v in verdicts) >= 8
    assert sum(bool(c.steps) for c in conflicts) >= 5
    assert all(c.steps or len(c.rules) == 1 for c in conflicts)
    assert all(s.citation for c in conflicts for s in c.steps if s.why)
