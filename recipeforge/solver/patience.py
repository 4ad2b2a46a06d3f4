"""Whether anybody still waits for an answer: an editor gives a question up when the text has moved on.

A question asked `with asked_by(patience)` raises `GivenUp` soon after `patience.give_up()`, from whatever thread that is called.
Without one, questions run to their own limits.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class GivenUp(Exception):
    """Nobody waits for this answer any more."""


class Stoppable(Protocol):
    """A search outside Python that can be told to stop."""

    def stop_search(self) -> None:
        """Stop soon."""
        ...


class Patience:
    """One questioner's patience."""

    def __init__(self) -> None:
        self.over = False
        self._running: Stoppable | None = None

    def give_up(self) -> None:
        """Stop waiting. May be called from another thread, and more than once."""
        self.over = True
        if (running := self._running) is not None:
            running.stop_search()

    @contextmanager
    def watching(self, search: Stoppable) -> Generator[None]:
        """Let `give_up` stop this search while the block runs."""
        self._running = search
        try:
            check(self)
            yield
        finally:
            self._running = None
        check(self)


_asking: ContextVar[Patience | None] = ContextVar("asking", default=None)


def asking() -> Patience | None:
    """Return the patience of whoever asks, if they set one."""
    return _asking.get()


@contextmanager
def asked_by(patience: Patience) -> Generator[None]:
    """Ask questions that `patience` may give up."""
    token = _asking.set(patience)
    try:
        yield
    finally:
        _asking.reset(token)


def check(patience: Patience | None) -> None:
    """Raise `GivenUp` where nobody waits any more.

    Raises:
        GivenUp: `give_up` was called.
    """
    if patience is not None and patience.over:
        raise GivenUp
