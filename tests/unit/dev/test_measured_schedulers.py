"""The page and the claims of a cohort, written from its results."""

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from recipeforge.catalog.quotes import MAX_QUOTE_CHARS, found_in, sha256_of
from recipeforge.runner.cohort.results import Cohort, Result
from recipeforge.runner.cohort.setting import Setting
from recipeforge.runner.cohort.statistics import summary

SCRIPT = Path(__file__).parents[3] / "dev" / "measured_schedulers.py"
VERSIONS = {"torch": "2.13.0", "transformers": "5.23.0"}
MANIFEST = {
    "recipe": {"model": "m", "seed": 0},
    "versions": VERSIONS,
    "machine": {"cores": "2", "cpu": "a processor"},
    "finished": "2026-11-21T10:00:00+00:00",
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("measured_schedulers", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["measured_schedulers"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cohort() -> Cohort:
    rows = {"linear": (0.4, 0.5), "schedule-free": (0.42, 0.49)}
    runs = [
        Result("measure", name, 1e-4, seed, loss, 0.7, 64, 30.0, manifest=MANIFEST)
        for name, row in rows.items()
        for seed, loss in enumerate(row)
    ]
    tried = [Result("tune", name, rate, 1000, loss, 0.7, manifest=MANIFEST) for name in rows for rate, loss in ((1e-4, 0.4), (2e-4, 0.5))]
    return Cohort(Setting(), VERSIONS, (*tried, *runs))


def test_each_claim_is_a_run_whose_quote_stands_in_its_excerpt(script, cohort: Cohort) -> None:
    texts = script.claims(cohort, summary(cohort))
    claims = yaml.safe_load(texts.pop(f"{script.PACK}/claims/schedulers_measured.yaml"))
    assert [claim["id"] for claim in claims] == ["EV-2000", "EV-2002", "EV-2011"], "an id stays with its scheduler"
    assert [claim["about"] for claim in claims] == [["linear", "schedule-free-adamw"], ["linear"], ["schedule-free-adamw"]]
    assert len(texts) == len(claims)
    for claim in claims:
        excerpt = texts[f"{script.PACK}/excerpts/{claim['id']}.txt"]
        assert found_in(claim["quote"], excerpt)
        assert len(claim["quote"]) <= MAX_QUOTE_CHARS
        assert claim["excerpt_sha256"] == sha256_of(excerpt)
        assert (claim["kind"], claim["retrieved"]) == ("run", "2026-11-21")
    assert "seed 1: val_loss 0.5, val_acc 0.7, 64 steps, 30.0 s" in texts[f"{script.PACK}/excerpts/EV-2002.txt"]


def test_only_what_is_between_the_marks_is_written(script, cohort: Cohort) -> None:
    page = script.page(f"before\n{script.BEGIN}\nstale\n{script.END}\nafter\n", cohort, summary(cohort))
    assert page.startswith(f"before\n{script.BEGIN}\n\n**No leader is separable: ")
    assert page.endswith(f"{script.END}\nafter\n")
    assert "stale" not in page
    assert "| ★ | linear | 1e-04 | 0.4500 ± 0.0707 |" in page
    assert "| linear | 0.4000 | 0.5000 |  |" in page
    assert script.page(page, cohort, summary(cohort)) == page


def test_no_sentence_is_longer_than_a_quote_may_be(script, cohort: Cohort) -> None:
    from recipeforge.render.cohort import sentence, verdict
    from recipeforge.runner.cohort.entrants import ENTRANTS

    many = Cohort(
        Setting(),
        VERSIONS,
        tuple(Result("measure", name, 1e-4, s, 0.4 + 0.1 * s, 0.7, manifest=MANIFEST) for name in ENTRANTS.names for s in (0, 1)),
    )
    found = summary(many)
    assert max(len(text) for text in (verdict(found), *(sentence(found, line) for line in found.lines))) <= MAX_QUOTE_CHARS
