"""Conditions as packs write them (YAML mappings) → the syntax tree that the solver reads.

    {technique: qlora, quantization: {tag: 4-bit}}          a mapping is a conjunction of `subject: test`
    slot:         id · [id, id] · {tag: t} · {tag: [t, u]} · {any: true} · {none: true}
    knob or fact: value · [value, value] · {lt|le|gt|ge|eq|ne: v} · {set: true} · {has: v} · {lacks: v} · {contains: v}
    connectives:  any: [condition, …] · all: [condition, …] · not: condition · predicate: name

Tags are resolved to component ids here, so that nothing later knows about tags.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import cast

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.spelling import did_you_mean
from recipeforge.catalog.subjects import FACT_SUBJECTS, FactSubject, fact_subject
from recipeforge.catalog.values import fact_problem, knob_problem, stored
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.recipe import Knob, Scalar, Slot
from recipeforge.schemas.record import record

CONNECTIVES = ("any", "all", "not", "predicate")
_ORDERINGS = ("lt", "le", "gt", "ge")
_OTHER_SPELLINGS = {
    "gte": "ge",
    "lte": "le",
    "neq": "ne",
    ">": "gt",
    ">=": "ge",
    "<": "lt",
    "<=": "le",
    "==": "eq",
    "!=": "ne",
    "in": "has",
}
_COMPARISONS = ("eq", "ne", *_ORDERINGS, "has", "lacks", "contains")


@record
class Vocabulary:
    """The names that conditions may use."""

    slots: Mapping[str, Slot]
    knobs: Mapping[str, Knob]
    components: Mapping[str, Component]

    @cached_property
    def by_slot(self) -> dict[str, tuple[str, ...]]:
        """Slot → ids of its components."""
        return {slot: tuple(c.id for c in self.components.values() if c.slot == slot) for slot in self.slots}

    @cached_property
    def tags(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Slot → tag → ids of the components that bear it."""
        found: dict[str, dict[str, tuple[str, ...]]] = {slot: {} for slot in self.slots}
        for component in self.components.values():
            for tag in component.tags:
                group = found.setdefault(component.slot, {})
                group[tag] = (*group.get(tag, ()), component.id)
        return found

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Every name a condition may test, but for `packages.…`."""
        return (*self.slots, *self.knobs, *FACT_SUBJECTS)


def parse_condition(written: object, where: str, vocabulary: Vocabulary) -> Condition:
    """Return the tree of a condition.

    `where` opens every message, such as `rules/lora.yaml:12: RF1001: when`.

    Raises:
        CatalogError: a name is not known or a test does not suit its subject.
    """
    if not isinstance(written, dict):
        raise CatalogError(f"{where}: a condition is a mapping of `subject: test`, not {_shown(written)}")
    mapping = cast("dict[object, object]", written)
    if not mapping:
        raise CatalogError(f"{where}: the condition is empty; leave the key out, or say what has to hold")
    parts = [_parse_entry(str(subject), test, f"{where}.{subject}", vocabulary) for subject, test in mapping.items()]
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _parse_entry(subject: str, test: object, where: str, vocabulary: Vocabulary) -> Condition:
    if subject in CONNECTIVES:
        return _parse_connective(subject, test, where, vocabulary)
    if subject in vocabulary.slots:
        return _parse_slot_test(subject, test, where, vocabulary)
    if subject in vocabulary.knobs:
        return _parse_value_test(vocabulary.knobs[subject], subject, test, where)
    fact = fact_subject(subject)
    if fact is not None:
        return _parse_value_test(fact, subject, test, where)
    if subject in vocabulary.components:
        slot = vocabulary.components[subject].slot
        raise CatalogError(f"{where}: '{subject}' is a component; write `{slot}: {subject}`")
    hint = did_you_mean(subject, (*vocabulary.subjects, *CONNECTIVES))
    raise CatalogError(f"{where}: no slot, knob or fact is called '{subject}'{hint}")


def _parse_connective(word: str, test: object, where: str, vocabulary: Vocabulary) -> Condition:
    if word == "predicate":
        if not isinstance(test, str) or test not in PREDICATES:
            hint = did_you_mean(str(test), PREDICATES)
            raise CatalogError(f"{where}: no predicate is called {_shown(test)}{hint}; they are in catalog/predicates.py")
        return Predicate(test)
    if word == "not":
        return Not(parse_condition(test, where, vocabulary))
    conditions = cast("list[object]", test) if isinstance(test, list) else []
    if not conditions:
        raise CatalogError(f"{where}: `{word}` takes a list of conditions, not {_shown(cast('object', test))}")
    parts = tuple(parse_condition(part, f"{where}[{index}]", vocabulary) for index, part in enumerate(conditions))
    return AnyOf(parts) if word == "any" else All(parts)


def _parse_slot_test(slot: str, test: object, where: str, vocabulary: Vocabulary) -> Condition:
    if isinstance(test, dict):
        return _parse_slot_mapping(slot, cast("dict[object, object]", test), where, vocabulary)
    ids = cast("list[object]", test) if isinstance(test, list) else [test]
    if not ids:
        raise CatalogError(f"{where}: the list is empty; write {{none: true}} for an empty slot")
    return Holds(slot, tuple(_component(slot, written, where, vocabulary) for written in ids))


def _parse_slot_mapping(slot: str, test: dict[object, object], where: str, vocabulary: Vocabulary) -> Condition:
    if len(test) != 1 or next(iter(test)) not in ("tag", "any", "none"):
        raise CatalogError(
            f"{where}: a slot is tested by an id, a list of ids, {{tag: …}}, {{any: true}} or {{none: true}}, not {_shown(test)}"
        )
    word, value = next(iter(test.items()))
    if word == "tag":
        return Holds(slot, _tagged(slot, value, where, vocabulary))
    if value is not True:
        other = "none" if word == "any" else "any"
        raise CatalogError(f"{where}: write {{{other}: true}} instead of {{{word}: {_shown(value)}}}")
    filled = Holds(slot, vocabulary.by_slot[slot])
    return filled if word == "any" else Not(filled)


def _component(slot: str, written: object, where: str, vocabulary: Vocabulary) -> str:
    component = vocabulary.components.get(written) if isinstance(written, str) else None
    if component is None:
        hint = did_you_mean(str(written), vocabulary.by_slot[slot])
        raise CatalogError(f"{where}: no component is called {_shown(written)}{hint}")
    if component.slot != slot:
        raise CatalogError(f"{where}: '{component.id}' belongs to the slot '{component.slot}', not to '{slot}'")
    return component.id


def _tagged(slot: str, written: object, where: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    wanted = cast("list[object]", written) if isinstance(written, list) else [written]
    tags = vocabulary.tags[slot]
    for tag in wanted:
        if not isinstance(tag, str) or tag not in tags:
            known = f"tags of {slot}: {', '.join(tags)}" if tags else f"no component of {slot} has a tag"
            raise CatalogError(f"{where}: no tag is called {_shown(tag)}{did_you_mean(str(tag), tags) or f' ({known})'}")
    bearers = {id_ for tag in wanted for id_ in tags[cast("str", tag)]}
    return tuple(id_ for id_ in vocabulary.by_slot[slot] if id_ in bearers)


def _parse_value_test(subject: Knob | FactSubject, name: str, test: object, where: str) -> Condition:
    if isinstance(test, dict):
        tests = cast("dict[object, object]", test)
        if not tests:
            raise CatalogError(f"{where}: the test is empty")
        parts = [_parse_comparison(subject, name, str(word), value, where) for word, value in tests.items()]
        return parts[0] if len(parts) == 1 else All(tuple(parts))
    if isinstance(subject, FactSubject) and subject.kind == "list":
        raise CatalogError(f"{where}: '{name}' is a list; test it with {{has: …}} or {{lacks: …}}")
    if isinstance(test, list):
        options = cast("list[object]", test)
        if not options:
            raise CatalogError(f"{where}: the list of values is empty")
        return AnyOf(tuple(Compare(name, "eq", _value(subject, option, where)) for option in options))
    return Compare(name, "eq", _value(subject, test, where))


def _parse_comparison(subject: Knob | FactSubject, name: str, word: str, value: object, where: str) -> Condition:
    if word == "set":
        return _parse_set(subject, name, value, where)
    if word not in _COMPARISONS:
        meant = _OTHER_SPELLINGS.get(word)
        hint = f"; did you mean '{meant}'?" if meant else did_you_mean(word, (*_COMPARISONS, "set"))
        raise CatalogError(f"{where}: no comparison is called '{word}'{hint} ({', '.join(_COMPARISONS)}, set)")
    listed = isinstance(subject, FactSubject) and subject.kind == "list"
    if listed != (word in ("has", "lacks")):
        advice = "is a list; test it with {has: …} or {lacks: …}" if listed else f"is not a list, so `{word}` does not apply"
        raise CatalogError(f"{where}: '{name}' {advice}")
    kind = subject.type if isinstance(subject, Knob) else subject.kind
    if word in _ORDERINGS and kind not in ("int", "float", "duration", "version", "any"):
        raise CatalogError(f"{where}: '{name}' is no number, so `{word}` does not apply")
    if word == "contains" and kind not in ("str", "any"):
        raise CatalogError(f"{where}: '{name}' is no text, so `contains` does not apply")
    return Compare(name, word, _value(subject, value, where, range_matters=word in ("eq", "ne")))


def _parse_set(subject: Knob | FactSubject, name: str, value: object, where: str) -> Condition:
    if isinstance(subject, FactSubject):
        raise CatalogError(f"{where}: '{name}' is a fact; a fact that is not known never fires a rule, so `set` says nothing about it")
    if not isinstance(value, bool):
        raise CatalogError(f"{where}: `set` is true or false, not {_shown(value)}")
    return IsSet(name) if value else Not(IsSet(name))


def _value(subject: Knob | FactSubject, value: object, where: str, range_matters: bool = True) -> Scalar:
    """Return the value, of the right type; a bound to compare with may lie outside the knob's range."""
    if isinstance(subject, FactSubject):
        problem = fact_problem(subject, value)
    else:
        kind = subject.type
        # `batch.micro: {gt: 1.5}` is sound arithmetic although 1.5 is no batch size.
        bound = Knob(subject.path, "float" if kind == "int" else kind, "", values=subject.values)
        problem = knob_problem(subject if range_matters else bound, value)
    if problem:
        raise CatalogError(f"{where}: {problem}")
    return stored(subject, cast("Scalar", value)) if isinstance(subject, Knob) else cast("Scalar", value)


def _shown(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)
