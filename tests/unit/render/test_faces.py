"""The smaller faces: GitHub, HTML, statuses, estimate, pages, diffs."""

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import sample_report as sample

from recipeforge.render.component_page import component_page
from recipeforge.render.diff import render_diff
from recipeforge.render.estimate import render_estimate
from recipeforge.render.github import render_github
from recipeforge.render.html import report_html
from recipeforge.render.look import Look
from recipeforge.render.rule_page import render_page
from recipeforge.render.statuses import render_statuses
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Label
from recipeforge.schemas.verdict import Estimate

Golden = Callable[[str, str], None]
EVIL = '<script>alert("x")</script>'


def test_github_commands(golden: Golden) -> None:
    golden("report.github.txt", render_github([sample.REPORT]))


def test_github_escapes_what_would_end_a_command_early() -> None:
    report = replace(sample.CLEAN, path="a,b:c%.yaml", diagnostics=(sample.PACKING, sample.HARDWARE))
    lines = render_github([report]).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::notice file=a%2Cb%3Ac%25.yaml,line=8,endLine=8,title=RF5299 packing-of-cats,col=")
    assert "␛[31mcats␛[0m do not pack␍␊well" in lines[0]
    assert "\x1b" not in lines[0]
    assert "100%25 emulated" in lines[1]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]


def test_html_escapes_everything_and_links_only_to_the_web() -> None:
    citation = Citation("EV-0009", "T2", EVIL, "javascript:alert(1)", title=EVIL)
    evil = Diagnostic("RF0003", "x", "error", EVIL, Label(sample.span("qlora"), EVIL), notes=(EVIL,), help=EVIL, citations=(citation,))
    report = replace(sample.REPORT, path=EVIL, text=sample.TEXT.replace("recipeforge: 1", EVIL), diagnostics=(evil, sample.QLORA))
    page = _Tags()
    page.feed(report_html(report))
    assert "script" not in page.tags
    assert page.tags.count("blockquote") == 4
    assert all(link and link.startswith("https://") for link in page.links)
    assert len(page.links) == 3


def test_html_of_a_clean_file_says_so() -> None:
    assert "valid</b> — about 3.5 GiB" in report_html(sample.CLEAN)


def test_statuses(golden: Golden) -> None:
    golden("statuses.txt", render_statuses(sample.CATALOG, sample.STATUSES))


def test_an_estimate(golden: Golden) -> None:
    estimate = Estimate({"weights": 3 << 30, "activations": 1 << 29, "adapter": 0}, ("batch.micro 4",))
    golden("estimate.txt", render_estimate("recipe.yaml: peak memory", estimate, 16))
    assert render_estimate("nothing", Estimate({"weights": 0})).splitlines()[-1].split() == ["total", "0.000", "GiB"]


def test_an_estimate_beyond_the_device_is_red() -> None:
    assert "\x1b[1;31m  of 2 GiB" in render_estimate("x", Estimate({"weights": 3 << 30}), 2, Look(color=True))


PAGE = """\
# T `t`

See [the *docs*](https://a.b/c) \\<now\\>.

> quoted \\*words\\*
>
> ```text
> code()
> ```

```yaml
a: 1
```
"""


def test_a_page_for_the_terminal() -> None:
    assert render_page(PAGE) == "T t\n\nSee the *docs* <https://a.b/c> <now>.\n\n│ quoted *words*\n│\n│ code()\n\n    a: 1\n"


def test_a_components_page_lists_the_rules_about_it() -> None:
    from recipeforge.catalog.load import load

    catalog = load()
    page = component_page(catalog, catalog.components["qlora"])
    assert page.startswith("# QLoRA `qlora`\n")
    assert "- RF1001 `qlora-without-4bit-base` (error)" in page
    assert "RF3002" not in page


def test_a_diff_is_one_that_patch_reads() -> None:
    told = render_diff("/tmp/recipe.yaml", "a: 1\nb: 2", "a: 1\nb: 3\n")
    assert told == "--- a/tmp/recipe.yaml\n+++ b/tmp/recipe.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n\\ No newline at end of file\n+b: 3\n"
    assert render_diff("x", "a", "a") == ""
