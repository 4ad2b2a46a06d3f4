"""Whether a value suits a knob or a fact: its type, its range, its admitted words."""

import re

from recipeforge.catalog.spelling import did_you_mean
from recipeforge.catalog.subjects import FactSubject
from recipeforge.schemas.recipe import Knob, Scalar

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_VERSION = re.compile(r"\d+(\.\d+)*([a-z]+\d*)?(\.(post|dev)\d+)?")


def knob_problem(knob: Knob, value: object) -> str | None:
    """Return what is wrong with `value` for `knob`, or nothing."""
    problem = _type_problem(knob.type, knob.values, value)
    if problem:
        return problem
    if isinstance(value, int | float) and not isinstance(value, bool):
        if knob.minimum is not None and value < knob.minimum:
            return f"{value} is below the minimum {knob.minimum:g}"
        if knob.maximum is not None and value > knob.maximum:
            return f"{value} is above the maximum {knob.maximum:g}"
    return None


def stored(knob: Knob, value: Scalar) -> Scalar:
    """Return a fitting value as loadouts hold it: durations in seconds, all others as written."""
    if knob.type != "duration" or not isinstance(value, str):
        return value
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION_PART.findall(value))


def fact_problem(fact: FactSubject, value: object) -> str | None:
    """Return what is wrong with a single `value` (for a list: with one member), or nothing."""
    if fact.kind == "version":
        if isinstance(value, str) and _VERSION.fullmatch(value):
            return None
        return f'{value!r} is not a version; write it in quotes, such as "2.6"'
    if fact.kind == "any":
        return None if isinstance(value, bool | int | float | str) else f"{value!r} is no single value"
    kind = "enum" if fact.values else "str" if fact.kind == "list" else fact.kind
    return _type_problem(kind, fact.values, value)


def _type_problem(kind: str, words: tuple[str, ...], value: object) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "bool": isinstance(value, bool),
        "int": number and isinstance(value, int),
        "float": number,
        "str": isinstance(value, str),
        "enum": isinstance(value, str),
        "duration": number or (isinstance(value, str) and bool(re.fullmatch(f"(?:{_DURATION_PART.pattern})+", value))),
    }[kind]
    if not fits:
        wanted = {"bool": "true or false", "int": "a whole number", "float": "a number", "duration": "a duration such as 2h"}
        return f"{value!r} is not {wanted.get(kind, 'a word')}"
    if kind == "enum" and value not in words:
        return f"{value!r} is not one of {', '.join(words)}{did_you_mean(str(value), words)}"
    return None
