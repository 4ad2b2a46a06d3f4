"""Did you mean: the words nearest to a misspelt one, and whether the nearest is beyond doubt."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from recipeforge.schemas.record import slotted

_DIGITS = re.compile(r"\d+")
_MAX_LENGTH = 64
"""Longer words are not misspelt names."""
_SHOWN = 3
_PREFIX = 6
"""A word of this length that begins exactly one name means it."""


@slotted
class Suggestion:
    """What a word may have meant."""

    words: tuple[str, ...]
    """Nearest first."""
    nearest: int = 0
    """How many of them are equally near, and nearer than the rest."""
    doubtless: bool = False
    """Whether the nearest are so near that the word is a misspelling of one of them."""

    @property
    def best(self) -> str | None:
        """The nearest word."""
        return self.words[0] if self.words else None

    @property
    def clear(self) -> bool:
        """Whether the nearest word may be put in without asking."""
        return self.doubtless and self.nearest == 1

    def question(self) -> str:
        """Return up to three of the words as a question; empty where there is none."""
        quoted = [f"`{word}`" for word in self.words[:_SHOWN]]
        if not quoted:
            return ""
        listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
        return f"did you mean {listed}?"

    def renamed(self, names: Callable[[str], str]) -> "Suggestion":
        """Return the suggestion in other words, several of which may become one: aliases in the ids that they stand for."""
        words = tuple(dict.fromkeys(names(word) for word in self.words))
        return Suggestion(words, len({names(word) for word in self.words[: self.nearest]}), self.doubtless)


NOTHING = Suggestion(())


def certainly(word: str) -> Suggestion:
    """Return the suggestion of a word that is known to be meant."""
    return Suggestion((word,), 1, doubtless=True)


def suggest(word: str, candidates: Iterable[str]) -> Suggestion:
    """Return the candidates that `word` may have meant."""
    return _suggest(word, tuple(candidates)) if word and len(word) <= _MAX_LENGTH else NOTHING


def normal(word: str) -> str:
    """Return a word without case and separators: `AdamW_8bit` and `adamw-8bit` are the same name."""
    return re.sub(r"[\s_.\-]+", "", word).casefold()


@lru_cache(maxsize=2048)
def _suggest(word: str, candidates: tuple[str, ...]) -> Suggestion:
    wanted = normal(word)
    allowed = _allowed(len(wanted))
    near: list[tuple[int, int, str]] = []
    for order, candidate in enumerate(candidates):
        distance = _distance(wanted, normal(candidate), allowed)
        if distance > allowed and len(wanted) >= _PREFIX and normal(candidate).startswith(wanted):
            distance = allowed
        if distance <= allowed:
            other_number = _DIGITS.findall(wanted) != _DIGITS.findall(normal(candidate))
            near.append((distance + 2 * other_number, order, candidate))
    near.sort()
    words = tuple(dict.fromkeys(candidate for _, _, candidate in near))
    if not words:
        return NOTHING
    best = near[0][0]
    ties = len({candidate for distance, _, candidate in near if distance == best})
    return Suggestion(words, ties, _beyond_doubt(wanted, normal(words[0]), best))


def _allowed(length: int) -> int:
    """Edits that a typing error may have made."""
    return 0 if length <= 2 else 1 if length <= 4 else 2 if length <= 8 else 3


def _beyond_doubt(wanted: str, found: str, distance: int) -> bool:
    # `adamw-4bit` is one edit from `adamw-8bit` and `loha` one from `lora`, and neither is a typing error.
    if distance == 0:
        return True
    if _DIGITS.findall(wanted) != _DIGITS.findall(found):
        return False
    if len(wanted) >= _PREFIX and found.startswith(wanted):
        return True
    if distance == 1 and (len(wanted) >= 5 or sorted(wanted) == sorted(found)):
        return True
    return distance == 2 and len(wanted) >= 8


def _distance(left: str, right: str, limit: int) -> int:
    """Return the edits (insert, delete, replace, swap neighbours) between two words, or more than `limit`."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    here, there = frozenset(left), frozenset(right)
    if len(here - there) > limit or len(there - here) > limit:  # each letter that the other lacks takes an edit
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, row = row, current
    return row[-1]
