"""Constraints of the Universal Variability Language as expressions of `cnf.py`."""

import re
from collections.abc import Mapping, Sequence

from dev.models.cnf import Expression

_TOKEN = re.compile(r'\s*(?:("[^"]*"|[^\s!&|()=<>"+*/,]+)|(<=>|=>|[!&|()])|(\S))')
_LEVELS = ("<=>", "=>", "|", "&")
"""Weakest first."""


class Unread(Exception):
    """A constraint that is not read here, and why."""


def expression(text: str, numbers: Mapping[str, int]) -> Expression:
    """Read one constraint over the features in `numbers`.

    Raises:
        Unread: it names no feature, or says something other than `! & | => <=>` and parentheses.
    """
    if "(" not in text and "&" not in text and '"' not in text:
        literals = _clause(text, numbers)
        if literals is not None:
            return ("|", literals)
    return _Reader(_tokens(text), numbers).whole()


def _clause(text: str, numbers: Mapping[str, int]) -> list[int] | None:
    """Return the literals of `!A | B | C` or `A => B | C`, as most constraints are; `None` for anything else."""
    before, implies, after = text.partition("=>")
    words = [*(f"!{before}" if implies else before).split("|"), *(after.split("|") if implies else ())]
    if implies and "|" in before:
        return None
    literals: list[int] = []
    for word in words:
        plain = word.strip()
        negated = plain.startswith("!")
        number = numbers.get(plain[1:].lstrip() if negated else plain)
        if number is None:
            return None
        literals.append(~number if negated else number)
    return literals


def _tokens(text: str) -> list[str]:
    """Return names (quoted ones without their quotes, but with a leading `"`), operators and parentheses."""
    tokens: list[str] = []
    for name, operator, other in _TOKEN.findall(text):
        if other:
            raise Unread(f"`{other}` is not read; a constraint has features, ! & | => <=> and parentheses")
        tokens.append(operator or '"' + name.strip('"'))
    return tokens


class _Reader:
    """Reads one constraint from left to right. A name's token starts with a quote, so that none looks like an operator."""

    def __init__(self, tokens: Sequence[str], numbers: Mapping[str, int]) -> None:
        self.tokens, self.numbers = tokens, numbers
        self.at = 0

    def whole(self) -> Expression:
        """Return the expression, all of it."""
        found = self._level(0)
        if self.at < len(self.tokens):
            raise Unread(f"`{self._peek().lstrip(chr(34))}` is one too many here; an operator or the end of the line was expected")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _level(self, level: int) -> Expression:
        """Return what operators of this strength, or stronger ones, join."""
        if level == len(_LEVELS):
            return self._factor()
        operator = _LEVELS[level]
        parts = [self._level(level + 1)]
        while self._peek() == operator:
            self.at += 1
            parts.append(self._level(level + 1))
        if len(parts) == 1 or operator in "&|":
            return parts[0] if len(parts) == 1 else (operator, parts)
        joined = parts[0]
        for part in parts[1:]:
            joined = ("=", joined, part) if operator == "<=>" else ("|", [("!", joined), part])
        return joined

    def _factor(self) -> Expression:
        """Return a feature, a negation, or what stands in parentheses."""
        token = self._peek()
        self.at += 1
        if token == "!":
            return ("!", self._factor())
        if token == "(":
            inside = self._level(0)
            if self._peek() != ")":
                raise Unread("a parenthesis is opened and never closed")
            self.at += 1
            return inside
        if not token.startswith('"'):
            raise Unread(f"a feature was expected before {f'`{token}`' if token else 'the end of the line'}")
        number = self.numbers.get(token[1:])
        if number is None:
            raise Unread(f"no feature is called `{token[1:]}`")
        return number
