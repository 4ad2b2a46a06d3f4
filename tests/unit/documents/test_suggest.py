"""Did you mean: the nearest word, and no rewriting of what was no typing error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipeforge.documents.suggest import suggest

_WORDS = (
    "lora",
    "dora",
    "qlora",
    "adamw",
    "adamw-8bit",
    "paged-adamw-8bit",
    "bnb-4bit",
    "bnb-8bit",
    "learning_rate",
    "gradient-checkpointing",
)


@pytest.mark.parametrize(
    ("written", "best", "clear"),
    [
        ("lerning_rate", "learning_rate", True),
        ("learning-rate", "learning_rate", True),
        ("LearningRate", "learning_rate", True),
        ("adamw_8bit", "adamw-8bit", True),
        ("adawm-8bit", "adamw-8bit", True),
        ("gradient-checkpoint", "gradient-checkpointing", True),
        ("adamw-4bit", "adamw-8bit", False),
        ("paged-adamw", "paged-adamw-8bit", False),
        ("loha", "lora", False),
        ("sora", "lora", False),
        ("xxxxxx", None, False),
        ("", None, False),
        ("a" * 10_000, None, False),
    ],
)
def test_suggestions(written: str, best: str | None, clear: bool) -> None:
    found = suggest(written, _WORDS)
    assert (found.best, found.clear) == (best, clear)


def test_two_equally_near_words_are_both_named_and_neither_is_clear() -> None:
    found = suggest("sora", _WORDS)
    assert set(found.words) == {"lora", "dora"}
    assert found.question() == "did you mean `lora` or `dora`?"


@given(st.text(alphabet="abc-_0", max_size=12))
def test_a_word_means_itself(word: str) -> None:
    found = suggest(word, [*_WORDS, word])
    assert found.best == word or not word.strip("-_") or len(word.strip("-_")) < 3 or found.clear
