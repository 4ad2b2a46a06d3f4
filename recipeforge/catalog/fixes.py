"""Changes as packs write them → changes with their slots filled in.

{add: id} · {drop: id} · {replace: {old: new}} · {set: {knob: value}} · {unset: knob}
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from recipeforge.catalog.conditions import Vocabulary
from recipeforge.catalog.spelling import did_you_mean
from recipeforge.catalog.values import knob_problem, stored
from recipeforge.schemas.change import Change
from recipeforge.schemas.component import Component
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.recipe import Knob, Scalar


def parse_changes(written: Sequence[Mapping[str, object]], where: str, vocabulary: Vocabulary) -> tuple[Change, ...]:
    """Return the changes, in order.

    Raises:
        CatalogError: an unknown operation, component or knob, or a value the knob does not take.
    """
    if not written:
        raise CatalogError(f"{where}: changes: the list is empty")
    found: list[Change] = []
    for index, operations in enumerate(written):
        if not operations:
            raise CatalogError(f"{where}: changes[{index}]: empty; write one of {', '.join(_OPERATIONS)}")
        for word, operand in operations.items():
            place = f"{where}: changes[{index}].{word}"
            if word not in _OPERATIONS:
                raise CatalogError(f"{place}: no operation is called '{word}'{did_you_mean(word, _OPERATIONS)} ({', '.join(_OPERATIONS)})")
            found.extend(_OPERATIONS[word](operand, place, vocabulary))
    return tuple(found)


def _add(operand: object, where: str, vocabulary: Vocabulary) -> Iterator[Change]:
    component = _component(operand, where, vocabulary)
    yield Change("add", slot=component.slot, component=component.id)


def _drop(operand: object, where: str, vocabulary: Vocabulary) -> Iterator[Change]:
    component = _component(operand, where, vocabulary)
    yield Change("drop", slot=component.slot, component=component.id)


def _replace(operand: object, where: str, vocabulary: Vocabulary) -> Iterator[Change]:
    for old, new in _pairs(operand, where, "{old: new}"):
        before, after = _component(old, where, vocabulary), _component(new, where, vocabulary)
        if before.slot != after.slot:
            raise CatalogError(
                f"{where}: '{before.id}' is in '{before.slot}' but '{after.id}' is in '{after.slot}'; drop one and add the other"
            )
        yield Change("replace", slot=after.slot, component=after.id, previous=before.id)


def _set(operand: object, where: str, vocabulary: Vocabulary) -> Iterator[Change]:
    for path, value in _pairs(operand, where, "{knob: value}"):
        knob = _knob(path, where, vocabulary)
        problem = knob_problem(knob, value)
        if problem:
            raise CatalogError(f"{where}.{knob.path}: {problem}")
        yield Change("set", knob=knob.path, value=stored(knob, cast("Scalar", value)))


def _unset(operand: object, where: str, vocabulary: Vocabulary) -> Iterator[Change]:
    yield Change("drop", knob=_knob(operand, where, vocabulary).path)


_OPERATIONS: dict[str, Callable[[object, str, Vocabulary], Iterator[Change]]] = {
    "add": _add,
    "drop": _drop,
    "replace": _replace,
    "set": _set,
    "unset": _unset,
}


def _pairs(operand: object, where: str, form: str) -> list[tuple[object, object]]:
    if not isinstance(operand, dict) or not operand:
        raise CatalogError(f"{where}: takes {form}, not {operand!r}")
    return list(cast("dict[object, object]", operand).items())


def _component(written: object, where: str, vocabulary: Vocabulary) -> Component:
    component = vocabulary.components.get(written) if isinstance(written, str) else None
    if component is None:
        raise CatalogError(f"{where}: no component is called '{written}'{did_you_mean(str(written), vocabulary.components)}")
    return component


def _knob(written: object, where: str, vocabulary: Vocabulary) -> Knob:
    knob = vocabulary.knobs.get(written) if isinstance(written, str) else None
    if knob is None:
        raise CatalogError(f"{where}: no knob is called '{written}'{did_you_mean(str(written), vocabulary.knobs)}")
    return knob
