"""The page of what other tools check: what counts as covered, and that the page is what its generator writes."""

import importlib.util
import sys
from pathlib import Path

import pytest

from recipeforge.catalog.load import load

SCRIPT = Path(__file__).parents[3] / "dev" / "coverage.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("coverage_page", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["coverage_page"] = module
    spec.loader.exec_module(module)
    return module


def row(quote: str, path: str = "src/axolotl/utils/schemas/validation.py") -> dict[str, str]:
    return {"id": "axolotl-1", "repo": "axolotl-ai-cloud/axolotl", "path": path, "quote": quote}


def test_a_row_is_covered_by_the_rule_that_cites_its_sentence(script) -> None:
    sentence = "either datasets or\n  pretraining_dataset is required"
    assert script.by_evidence([row(sentence)], load()) == {"axolotl-1": ("RF5600",)}


def test_the_same_sentence_elsewhere_covers_nothing(script) -> None:
    assert script.by_evidence([row("either datasets or pretraining_dataset is required", "another.py")], load()) == {}


def test_a_few_words_cover_nothing(script) -> None:
    assert script.by_evidence([row("is required")], load()) == {}


def test_faults_name_unknown_rows_reasons_and_rules(script) -> None:
    decisions = {"axolotl-1": "because", "axolotl-2": ("RF5600", "RF9999")}
    assert script.faults([row("a")], decisions, load()) == [
        "axolotl-2: no such row",
        "axolotl-1: no such reason: because",
        "axolotl-2: no such rule: RF9999",
    ]


def test_the_page_is_what_the_generator_writes(script) -> None:
    made = script.generate()
    if not made:
        pytest.skip("the reference list of other tools' rules is not here")
    assert script.PAGE.read_text(encoding="utf-8") == made["docs/coverage.md"], "run python dev/coverage.py"
