"""What only the model's own tokenizer and configuration tell about rows and model: looked at before the model is loaded.

Runs in the training process; `recipeforge run --dry-run` starts one for this alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from recipeforge.runner.batches import Tokenised
from recipeforge.runner.plan import Plan

MOSTLY = 0.5
"""The share of rows from which on something is wrong with all of them."""


@dataclass(frozen=True)
class Finding:
    """Something that stands in the way of a run, or that its author would want to know."""

    slug: str
    message: str
    subject: str
    """The component, knob or slot at whose place it is shown."""
    help: str = ""
    stops: bool = True


def look(plan: Plan, tokenizer: Any, config: Any | None, done: Tokenised, lines: Sequence[Any]) -> Iterator[Finding]:
    """Yield what is odd about rows of which `done` was made, in `lines`; `config` is the model's, where it has one to read."""
    yield from _rows(plan, done.given, done)
    yield from _vocabulary(plan, tokenizer, config, done)
    yield from _positions(plan, config, done)
    micro = int(plan.values["batch.micro"])
    if len(lines) < micro:
        message = f"all rows together make {len(lines)} sequences, fewer than one micro-batch of {micro}"
        yield Finding("less-than-a-batch", message, "batch.micro", stops=False)


def _rows(plan: Plan, given: int, done: Tokenised) -> Iterator[Finding]:
    length, lost = int(plan.values["data.sequence_length"]), given - len(done.rows)
    if not done.rows:
        message = f"none of {given} rows has a token to learn from within {length} tokens"
        yield Finding(
            "nothing-to-learn", message, "data.format", "Check `data.format` and `objective.completion_only`, or raise the length."
        )
    elif lost > MOSTLY * given:
        message = (
            f"{lost} of {given} rows have nothing to learn from within {length} tokens: their prompts alone are longer, or they are empty"
        )
        yield Finding("mostly-nothing-to-learn", message, "data.sequence_length", "Raise `data.sequence_length`, or mend the rows.")
    elif lost:
        message = f"{lost} of {given} rows have nothing to learn from within {length} tokens"
        yield Finding("nothing-to-learn-in-some", message, "data.sequence_length", stops=False)
    if done.cut:
        more = f"; the longest has {done.longest}" if done.cut > MOSTLY * given else ""
        message = f"{done.cut} of {given} rows are longer than {length} tokens and were cut{more}"
        yield Finding("rows-cut", message, "data.sequence_length", stops=False)


def _vocabulary(plan: Plan, tokenizer: Any, config: Any | None, done: Tokenised) -> Iterator[Finding]:
    size = getattr(_of_text(config), "vocab_size", None)
    if not isinstance(size, int) or not done.rows:
        return
    most = max(max(row.ids) for row in done.rows)
    pad = tokenizer.pad_token_id
    if most >= size:
        message = f"the tokenizer of {plan.model.written} makes token {most}, and the model knows {size} tokens (0 to {size - 1})"
        yield Finding("tokenizer-beyond-vocabulary", message, "model", "Take the tokenizer that the model was trained with.")
    elif pad is not None and pad >= size:
        message = f"the tokenizer pads with token {pad}, and the model knows {size} tokens"
        yield Finding("padding-beyond-vocabulary", message, "model", "Let the tokenizer pad with a token that the model knows.")


def _positions(plan: Plan, config: Any | None, done: Tokenised) -> Iterator[Finding]:
    text = _of_text(config)
    most = getattr(text, "max_position_embeddings", None)
    length = max((len(row.ids) for row in done.rows), default=0)
    if not isinstance(most, int) or length <= most:
        return
    message = f"rows have up to {length} tokens, and {plan.model.written} was made for {most}"
    # Where positions are learnt there is no number for a later one; rotary ones are computed for any.
    if hasattr(text, "rope_parameters") or hasattr(text, "rope_scaling"):
        yield Finding("beyond-the-context", f"{message}: it has never seen what comes behind", "data.sequence_length", stops=False)
    else:
        yield Finding("beyond-the-positions", message, "data.sequence_length", f"Write `sequence_length: {most}`.")


def _of_text(config: Any | None) -> Any:
    """Return the part of a configuration that speaks of text: models of several kinds keep it inside."""
    return config.get_text_config() if config is not None and hasattr(config, "get_text_config") else config
