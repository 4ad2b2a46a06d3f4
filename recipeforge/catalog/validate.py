"""Entries → dataclasses, strictly: no unknown key, no missing key, no value of another type.

Only compiling a pack imports this file, and with it pydantic.
"""

import json
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from recipeforge.catalog.entries import Entry
from recipeforge.catalog.spelling import did_you_mean
from recipeforge.schemas.errors import CatalogError

T = TypeVar("T")


def build(kind: type[T], entry: Entry, name: str) -> T:
    """Return the entry as a `kind`; `name` says in messages which item it is.

    Raises:
        CatalogError: with every problem of the entry, one a line.
    """
    where = f"{entry.place}: {name}"
    check_keys(kind, entry.data, where)
    try:
        # JSON mode is the strict one that still takes a list for a tuple and a mapping for a dataclass.
        return _adapter(kind).validate_json(json.dumps(entry.data), strict=True)
    except ValidationError as error:
        raise CatalogError("\n".join(f"{where}: {_problem(detail)}" for detail in _distinct(error))) from error
    except TypeError as error:
        raise CatalogError(f"{where}: {error}") from error


def check_keys(kind: type[Any], data: dict[str, object], where: str) -> None:
    """Refuse keys that `kind` does not have, and the absence of those that it needs."""
    known = {field.name: field for field in fields(kind)}
    problems = [f"{where}: no key is called '{key}'{did_you_mean(key, known)}" for key in data if key not in known]
    required = [name for name, field in known.items() if field.default is MISSING and field.default_factory is MISSING]
    problems += [f"{where}: the key '{name}' is missing" for name in required if name not in data]
    if problems:
        raise CatalogError("\n".join(problems))


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def _distinct(error: ValidationError) -> list[Any]:
    """Return one detail a place: of a union, only the last branch's complaint."""
    by_place: dict[tuple[object, ...], Any] = {}
    for detail in error.errors(include_url=False):
        place = tuple(part for part in detail["loc"] if not _is_branch(part))
        by_place[place] = detail | {"loc": place}
    return list(by_place.values())


def _is_branch(part: object) -> bool:
    return isinstance(part, str) and (part in ("bool", "int", "float", "str") or "[" in part)


def _problem(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {detail['msg']}, not {detail['input']!r}" if place else str(detail["msg"])
