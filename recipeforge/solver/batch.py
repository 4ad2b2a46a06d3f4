"""The effective batch, the sequences behind one optimizer step: micro-batch × accumulation × devices.

A smaller micro-batch with more accumulation computes the same step in less memory. So the two parameters may move
together as one idea, which leaves the meaning of the run alone.
"""

from collections.abc import Mapping, Sequence

from recipeforge.schemas.recipe import Scalar

MICRO, ACCUMULATE = "batch.micro", "batch.accumulate"
PAIR = (MICRO, ACCUMULATE)


def effective(micro: Scalar | None, accumulate: Scalar | None) -> int | None:
    """Return the sequences of one step on one device; `None` where either is no count."""
    if not isinstance(micro, int) or not isinstance(accumulate, int) or micro < 1 or accumulate < 1:
        return None
    return micro * accumulate


def with_partners(
    domains: Mapping[str, tuple[Scalar | None, ...]], now: Mapping[str, Scalar | None], most: float | None
) -> tuple[Scalar | None, ...]:
    """Return the choices of accumulation, with those that keep the effective batch under some choice of the micro-batch."""
    batch = effective(now[MICRO], now[ACCUMULATE])
    options = domains[ACCUMULATE]
    for micro in domains[MICRO] if batch else ():
        if batch and isinstance(micro, int) and batch % micro == 0:
            wanted = batch // micro
            if wanted not in options and wanted <= (most or wanted):
                options = (*options, wanted)
    return options


def raised(before: Sequence[Scalar | None], after: Sequence[Scalar | None]) -> str | None:
    """Return which of the two parameters rises to keep the effective batch, given (micro, accumulate); `None` if they do not trade."""
    batch = effective(*before)
    if batch is None or batch != effective(*after) or tuple(before) == tuple(after):
        return None
    return ACCUMULATE if int(str(after[0])) < int(str(before[0])) else MICRO
