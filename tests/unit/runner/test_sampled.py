"""Answers that the model samples itself: what scores them, and that they get better."""

import json
from pathlib import Path

import pytest

from recipeforge.runner.packages import Need
from recipeforge.schemas.errors import RunError

pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(Need("trl", "").installed is None, reason="needs trl")
GRPO = "{use: grpo, generations: 8, completion_length: 8, reward: 'scores.py:letters'}"
LINES = {
    "objective": GRPO,
    "data": "{source: asked.jsonl, format: prompts, sequence_length: 32, validation: 0.5}",
    "batch": "{micro: 16, accumulate: 2}",
    "optimizer": "{use: adamw, learning_rate: 1.0e-2}",
    "technique": "{use: lora, rank: 8}",
}


@pytest.fixture(autouse=True)
def asked(tmp_path: Path) -> None:
    """Sixty-four prompts, and a file that likes letters."""
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps({"prompt": f"say {n}: ", "likes": "e"}) + "\n" for n in range(64)))
    (tmp_path / "scores.py").write_text(
        "def letters(completions, likes, **more):\n"
        "    assert set(likes) == {'e'}\n"
        "    return [sum(c.isascii() and c.isalpha() for c in text) / 8 for text in completions]\n"
    )


def test_answers_earn_more(train) -> None:
    rate = "{use: adamw, learning_rate: 2.0e-3}"
    heard, _, done = train(**LINES | {"technique": "full", "train": "{steps: 25}", "optimizer": rate})
    seen = heard.summary()
    assert done
    assert seen["heldout_reward_after"] > seen["heldout_reward_before"] + 0.1
    assert "heldout_loss_after" not in seen
    assert [check["good"] for check in heard.of("check") if check["name"] == "learnt"] == [True]
    assert seen["reload_difference"] <= 1e-3


@pytest.mark.parametrize("objective", [GRPO, GRPO.replace("grpo,", "grpo, beta: 0,"), GRPO.replace("use: grpo", "use: dr-grpo")])
def test_it_goes_on_to_the_same_bits(train, objective: str) -> None:
    lines = LINES | {"objective": objective, "train": "{steps: 5, save_every: 2}"}
    whole, _, _ = train(**lines)
    _, folder, done = train(stop_after=3, **lines)
    assert not done
    rest, _, done = train(go_on_in=folder, **lines)
    assert done
    assert rest.losses()[-1] == whole.losses()[-1]
    assert rest.summary()["heldout_reward_after"] == whole.summary()["heldout_reward_after"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ({"objective": "grpo"}, "it does not say what scores an answer"),
        ({"objective": "{use: grpo, reward: gone.py:score}"}, "there is no Python file"),
        ({"objective": "{use: grpo, reward: 'scores.py:numbers'}"}, "has no function `numbers`"),
        ({"objective": GRPO.replace("8, comp", "12, comp")}, "32 answers, which are no whole groups of 12"),
        ({"objective": GRPO.replace("th: 8", "th: 32")}, "leaves no room for a prompt"),
        ({"train": "{epochs: 1}"}, "epochs over prompts are not counted here"),
        ({"objective": GRPO.replace("grpo,", "grpo, iterations: 2,")}, "cannot do `objective.iterations: 2`"),
        ({"technique": "pissa"}, "switched off, it is not the model that training began with"),
    ],
)
def test_what_cannot_be_done_is_told_before(make, recipe, lines: dict[str, str], message: str) -> None:
    from recipeforge.runner.preflight import problems

    made = make(recipe(**LINES | lines))
    assert any(message in d.message for d in problems(made.plan, made.loadout))


def test_length_needs_no_file_and_a_file_that_breaks_is_named(train, tmp_path: Path) -> None:
    heard, _, done = train(**LINES | {"objective": GRPO.replace("'scores.py:letters'", "length"), "train": "{steps: 1}"})
    assert done
    assert 0 < heard.summary()["train_reward_last"] <= 1
    (tmp_path / "scores.py").write_text("import nowhere_to_be_found\ndef letters(**more): ...\n")
    with pytest.raises(RunError, match=r"scores\.py cannot be used: ModuleNotFoundError"):
        train(**LINES)
