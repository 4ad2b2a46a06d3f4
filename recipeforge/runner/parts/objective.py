"""Objective parts. `build() -> None`: the training loop's own loss, next-token cross-entropy over the rows' tokens."""

from recipeforge.runner.parts.registry import Part, reads


def _sentence(values) -> str:
    # Rows of plain text have no prompt to skip: a rule warns of it.
    answers = values.get("objective.completion_only") and values.get("data.format") != "text"
    over = "the answers' tokens" if answers else "all tokens"
    return f"next-token cross-entropy over {over}, averaged over the tokens of a whole optimizer step"


PARTS = (
    Part("sft", "objective", build=lambda: None, does=_sentence, reads=reads("objective", "completion_only")),
    Part(
        "pretrain",
        "objective",
        build=lambda: None,
        does=lambda v: "next-token cross-entropy over all tokens, averaged over the tokens of a whole optimizer step",
    ),
)
