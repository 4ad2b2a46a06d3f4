"""Objective parts. `build() -> None`: the training loop's own loss, next-token cross-entropy over the rows' tokens."""

from collections.abc import Iterable

from recipeforge.runner.parts.registry import Objection, Part, Wishes, reads


def _prompt_exists(wishes: Wishes) -> Iterable[Objection]:
    if wishes.values.get("objective.completion_only") and wishes.values.get("data.format") == "text":
        yield Objection(
            "objective.completion_only",
            "plain text rows have no prompt to skip",
            "use `data.format: chat` or `instruct`, or drop `completion_only`",
        )


def _sentence(values) -> str:
    over = "the answers' tokens" if values.get("objective.completion_only") else "all tokens"
    return f"next-token cross-entropy over {over}, averaged over the tokens of a whole optimizer step"


PARTS = (
    Part("sft", "objective", build=lambda: None, does=_sentence, reads=reads("objective", "completion_only"), objections=_prompt_exists),
    Part(
        "pretrain",
        "objective",
        build=lambda: None,
        does=lambda v: "next-token cross-entropy over all tokens, averaged over the tokens of a whole optimizer step",
    ),
)
