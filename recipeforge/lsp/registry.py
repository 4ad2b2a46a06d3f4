"""What the server answers: each feature registers itself with its method; two for one method are refused at import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from recipeforge.schemas.record import record

if TYPE_CHECKING:
    from recipeforge.lsp.analysis import Analysis

Answer = Callable[["Analysis", Any], Any]
"""(what is known about the text, the request's parameters) → the result. Runs off the event loop; pure."""
Act = Callable[..., Awaitable[Any]]
"""(the server, the command's arguments…) → its result. Runs on the event loop."""

A = TypeVar("A", bound=Answer)
C = TypeVar("C", bound=Act)


def _named_text(params: Any) -> str | None:
    return params.text_document.uri


@record
class Feature:
    """A request about one text."""

    method: str
    answer: Answer
    options: Any
    deep: bool
    """Whether it may search for long, and so must not keep quick answers waiting."""
    empty: Any
    """The answer for a text that is none of our business, or after a crash."""
    text_of: Callable[[Any], str | None] = _named_text
    """The parameters → the URI of the text that they speak of; `None` where they do not tell."""
    unchanged: bool = False
    """Whether the parameters are the answer where there is none: a request to fill something in."""
    native: bool = False
    """Whether it speaks of a recipe's own keys, and so has nothing to say about another tool's configuration."""

    def answered(self, known: Analysis, params: Any) -> Any:
        """Return the answer about a text."""
        foreign = self.native and known.report.dialect not in ("", "recipeforge")
        return self.otherwise(params) if foreign else self.answer(known, params)

    def otherwise(self, params: Any) -> Any:
        """Return the answer where there is none."""
        return params if self.unchanged else self.empty


FEATURES: dict[str, Feature] = {}
COMMANDS: dict[str, Act] = {}


def answers(
    method: str,
    options: Any = None,
    *,
    deep: bool = False,
    empty: Any = None,
    text_of: Callable[[Any], str | None] = _named_text,
    unchanged: bool = False,
    native: bool = False,
) -> Callable[[A], A]:
    """Register a function as the answer to a request about one text; the other parameters are those of `Feature`.

    Raises:
        ValueError: the method has an answer already.
    """

    def register(answer: A) -> A:
        if method in FEATURES:
            raise ValueError(f"{method} is answered twice: {FEATURES[method].answer} and {answer}")
        FEATURES[method] = Feature(method, answer, options, deep, empty, text_of, unchanged, native)
        return answer

    return register


def command(name: str) -> Callable[[C], C]:
    """Register an asynchronous function as a command that clients may execute.

    Raises:
        ValueError: there is such a command already.
    """

    def register(act: C) -> C:
        if name in COMMANDS:
            raise ValueError(f"the command {name} is there twice")
        COMMANDS[name] = act
        return act

    return register
