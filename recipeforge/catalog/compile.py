"""Pack folders → one catalog, every entry validated; all problems are reported at once.

A pack is a folder:

    slots.yaml  knobs.yaml  components/<slot>.yaml  rules/<topic>.yaml
    claims/<topic>.yaml  facts/{gpus,models,packages}*.yaml  facts/prices.yaml  excerpts/<claim id>.txt

Packs are read in the order given; a later one adds to an earlier one and may not redefine it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from recipeforge.catalog.conditions import Vocabulary
from recipeforge.catalog.entries import Entry, read_entries
from recipeforge.catalog.files import content_files
from recipeforge.catalog.rules import past_names, rule_from
from recipeforge.catalog.spelling import did_you_mean
from recipeforge.catalog.subjects import FACT_SUBJECTS, fact_subject
from recipeforge.catalog.validate import build
from recipeforge.catalog.values import fact_problem
from recipeforge.schemas.catalog import Catalog, FactSheet, Offer
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.component import Component
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.rule import Rule

T = TypeVar("T")

FACT_GROUPS = {"gpus": "gpu", "models": "model", "packages": "packages"}
"""File of fact sheets → the subject group that their facts belong to."""


class _Compilation:
    """Gathers entries of several packs and everything that is wrong with them."""

    def __init__(self, pack_dirs: Sequence[Path]) -> None:
        self.pack_dirs = pack_dirs
        self.problems: list[str] = []

    def entries(self, relative: str) -> Iterable[Entry]:
        """Yield the entries of all packs' files that match the relative pattern, in name order."""
        for pack in self.pack_dirs:
            for path in sorted(pack.glob(relative)):
                try:
                    yield from read_entries(path)
                except CatalogError as error:
                    self.problems.append(str(error))

    def collect(self, relative: str, key: str, make: Callable[[Entry], T]) -> dict[str, T]:
        """Return the made entries by their `key`, which may not occur twice."""
        found: dict[str, T] = {}
        places: dict[str, str] = {}
        for entry in self.entries(relative):
            try:
                made = make(entry)
            except CatalogError as error:
                self.problems.append(str(error))
                continue
            name = str(getattr(made, key))
            if name in found:
                self.problems.append(f"{entry.place}: {name}: the {key} is taken, see {places[name]}")
                continue
            found[name], places[name] = made, entry.place
        return found


def compile_packs(pack_dirs: Sequence[Path]) -> Catalog:
    """Return the catalog that the packs write.

    Raises:
        CatalogError: with every problem found, one a line.
    """
    work = _Compilation(pack_dirs)
    slots = work.collect("slots.yaml", "id", _plain(Slot, "id"))
    knobs = work.collect("knobs.yaml", "path", _plain(Knob, "path"))
    components = _ordered(work.collect("components/*.yaml", "id", _component), slots)
    claims = work.collect("claims/*.yaml", "id", _plain(Claim, "id"))
    vocabulary = Vocabulary(slots, knobs, components)
    rules = work.collect("rules/*.yaml", "code", lambda entry: rule_from(entry, vocabulary, claims))
    sheets = {name: work.collect(f"facts/{name}*.yaml", "id", _sheet(group)) for name, group in FACT_GROUPS.items()}
    prices = work.collect("facts/prices.yaml", "id", _plain(Offer, "id"))
    work.problems += _twice_used_slugs(rules)
    current = {name: str(sheet.facts["current"]) for name, sheet in sheets["packages"].items() if "current" in sheet.facts}
    if work.problems:
        raise CatalogError("\n".join(work.problems))
    return Catalog(
        hash=content_hash(pack_dirs),
        slots=slots,
        knobs=knobs,
        components=components,
        rules={code: replace(rule, past=past_names(rule.scope, current)) for code, rule in sorted(rules.items())},
        claims=dict(sorted(claims.items())),
        gpus=sheets["gpus"],
        models=sheets["models"],
        packages=sheets["packages"],
        prices=prices,
    )


def content_hash(pack_dirs: Sequence[Path]) -> str:
    """Return the hash of what the packs say: the same on every machine, whatever the clock, folder or line ends."""
    digest = hashlib.sha256()
    for pack in pack_dirs:
        for path in content_files(pack):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{path.relative_to(pack).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _plain(kind: type[T], key: str) -> Callable[[Entry], T]:
    return lambda entry: build(kind, entry, str(entry.data.get(key, f"{kind.__name__.lower()} without {key}")))


def _component(entry: Entry) -> Component:
    named = Entry(entry.path, entry.line, {"slot": entry.path.stem, **entry.data})
    return build(Component, named, str(entry.data.get("id", "component without id")))


def _ordered(components: Mapping[str, Component], slots: Mapping[str, Slot]) -> dict[str, Component]:
    """Return the components in the order of their slots, so that catalogs list like recipes."""
    order = {slot: index for index, slot in enumerate(slots)}
    return dict(sorted(components.items(), key=lambda item: order.get(item[1].slot, len(order))))


def _sheet(group: str) -> Callable[[Entry], FactSheet]:
    def make(entry: Entry) -> FactSheet:
        name = str(entry.data.get("id", "facts without id"))
        sheet = build(FactSheet, entry, name)
        if group != "packages":
            for fact, value in sheet.facts.items():
                _check_fact(f"{group}.{fact}", value, f"{entry.place}: {name}: facts.{fact}")
        return sheet

    return make


def _check_fact(subject: str, value: object, where: str) -> None:
    fact = fact_subject(subject)
    if fact is None:
        group = subject.split(".", 1)[0]
        known = [name.split(".", 1)[1] for name in FACT_SUBJECTS if name.startswith(f"{group}.")]
        raise CatalogError(
            f"{where}: no fact of a {group} is called so{did_you_mean(subject.split('.', 1)[1], known)} ({', '.join(known)})"
        )
    if (fact.kind == "list") != isinstance(value, tuple):
        raise CatalogError(f"{where}: {'a list is wanted' if fact.kind == 'list' else 'one value is wanted, not a list'}")
    members = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    for one in members:
        problem = fact_problem(fact, one)
        if problem:
            raise CatalogError(f"{where}: {problem}")


def _twice_used_slugs(rules: Mapping[str, Rule]) -> list[str]:
    first: dict[str, str] = {}
    owners = {rule.code: first.setdefault(rule.slug, rule.code) for rule in rules.values()}
    return [f"{code}: the slug '{rules[code].slug}' is taken by {owner}" for code, owner in owners.items() if owner != code]
