"""The catalog's linter: everything that loads but may still be wrong.

Each check is one function that yields findings; a new check is a new function in `CHECKS`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from recipeforge.catalog.families import FAMILIES
from recipeforge.catalog.lint_evidence import EVIDENCE_CHECKS, is_date
from recipeforge.catalog.lint_releases import release_findings
from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import atoms
from recipeforge.catalog.subjects import FACT_SUBJECTS, FRAMEWORKS, fact_subject
from recipeforge.catalog.values import knob_problem
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import Compare, Holds, IsSet, Predicate
from recipeforge.schemas.rule import Rule

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_BUDGET_PLACEHOLDERS = ("estimate_gib", "limit_gib", "estimate_time", "limit_time", "estimate_usd", "limit_usd")
"""What a budget rule's message may insert beside subjects: the two numbers that it compares, by kind."""
_PLAIN_GROUPS = ("data", "batch", "train", "eval", "hardware", "budget")
_PACKAGE_NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")


def lint(catalog: Catalog, pack_dirs: Sequence[Path]) -> list[str]:
    """Return what is wrong with the catalog and its packs' excerpts, one finding a line; none: an empty list."""
    findings = [finding for check in CHECKS for finding in check(catalog)]
    findings += [finding for check in EVIDENCE_CHECKS for finding in check(catalog, pack_dirs)]
    findings += release_findings(catalog, pack_dirs)
    return findings


def _slots(catalog: Catalog) -> Iterator[str]:
    for slot in catalog.slots.values():
        if slot.default is not None and slot.default not in {c.id for c in catalog.members(slot.id)}:
            yield f"slot {slot.id}: its default '{slot.default}' is no component of it"
        if not catalog.members(slot.id):
            yield f"slot {slot.id}: no component fills it"


def _knobs(catalog: Catalog) -> Iterator[str]:
    for knob in catalog.knobs.values():
        if knob.path.count(".") != 1 or knob.group not in (*catalog.slots, *_PLAIN_GROUPS):
            yield f"knob {knob.path}: '{knob.group}' is neither a slot nor one of {', '.join(_PLAIN_GROUPS)}"
            continue
        members = {c.id for c in catalog.members(knob.group)}
        yield from (f"knob {knob.path}: '{id_}' is no component of {knob.group}" for id_ in knob.components if id_ not in members)
        if (knob.type == "enum") != bool(knob.values):
            yield f"knob {knob.path}: an enum has `values`, and nothing else has"
        proposed = knob.choices if knob.default is None else (knob.default, *knob.choices)
        yield from (f"knob {knob.path}: {problem}" for value in proposed if (problem := knob_problem(knob, value)))


def _components(catalog: Catalog) -> Iterator[str]:
    owner: dict[str, str] = {}
    for component in catalog.components.values():
        if component.slot not in catalog.slots:
            yield f"component {component.id}: there is no slot '{component.slot}'"
        if not component.url.startswith("https://"):
            yield f"component {component.id}: url '{component.url}' does not start with https://"
        if component.effects and not component.effects_source:
            yield f"component {component.id}: effects without effects_source; say where the numbers come from"
        for name in (component.id, *component.aliases):
            if owner.setdefault(name.casefold(), component.id) != component.id:
                yield f"component {component.id}: the name '{name}' already means '{owner[name.casefold()]}'"


def _measured(catalog: Catalog) -> Iterator[str]:
    for claim in catalog.claims.values():
        yield from (f"{claim.id}: about '{id_}', which is no component" for id_ in claim.about if id_ not in catalog.components)


def _sentences(catalog: Catalog) -> Iterator[str]:
    texts = [(f"slot {slot.id}: description", slot.description) for slot in catalog.slots.values()]
    texts += [(f"knob {knob.path}: description", knob.description) for knob in catalog.knobs.values()]
    texts += [(f"component {c.id}: description", c.description) for c in catalog.components.values()]
    texts += [(f"{rule.code}: why", rule.why) for rule in catalog.rules.values()]
    yield from (f"{name} does not end with a full stop" for name, text in texts if not text.rstrip().endswith("."))


def _rule_shape(catalog: Catalog) -> Iterator[str]:
    slugs: dict[str, str] = {}
    for rule in catalog.rules.values():
        if slugs.setdefault(rule.slug, rule.code) != rule.code:
            yield f"{rule.code}: the slug '{rule.slug}' is taken by {slugs[rule.slug]}"
        if rule.code[:3] not in FAMILIES or rule.code.endswith("000"):
            yield f"{rule.code}: no family has this number ({', '.join(FAMILIES)}, counted from 001)"
        if rule.budget and not rule.code.startswith("RF8"):
            yield f"{rule.code}: a budget rule belongs to the RF8 family"
        if not rule.code.startswith("RF0"):
            yield from _wants(rule)


def _wants(rule: Rule) -> Iterator[str]:
    """Yield what a rule about recipes (not about the file itself) still lacks."""
    if rule.violated_when is None and not rule.budget:
        yield f"{rule.code}: nothing violates it; write `require`, `forbid` or `budget`"
    if not rule.evidence:
        yield f"{rule.code}: no evidence; a rule without a source is an opinion"
    if not rule.why.strip():
        yield f"{rule.code}: `why` is empty"
    if rule.example is None:
        yield f"{rule.code}: no example"
    elif not rule.example.bad.strip() or not rule.example.good.strip():
        yield f"{rule.code}: the example needs a bad and a good recipe"


def _rule_references(catalog: Catalog) -> Iterator[str]:
    slugs = {rule.slug for rule in catalog.rules.values()}
    for rule in catalog.rules.values():
        yield from (f"{rule.code}: evidence {id_} is no claim" for id_ in rule.evidence if id_ not in catalog.claims)
        companions = rule.example.companions if rule.example else ()
        yield from (f"{rule.code}: companion '{slug}' is no rule's slug" for slug in companions if slug not in slugs)
        yield from (f"{rule.code}: limit '{name}' is no knob or fact" for name in rule.budget_limits if not _is_value(catalog, name))
        if rule.violated_when is not None:
            yield from _condition_references(catalog, rule)
        yield from _change_references(catalog, rule)
        for name in rule.scope:
            if name not in FRAMEWORKS and not _PACKAGE_NAME.fullmatch(name):
                yield f"{rule.code}: scope '{name}' is neither a framework nor a package name"


def _condition_references(catalog: Catalog, rule: Rule) -> Iterator[str]:
    assert rule.violated_when is not None
    for atom in atoms(rule.violated_when):
        match atom:
            case Holds(slot, ids):
                members = {c.id for c in catalog.members(slot)}
                yield from (f"{rule.code}: '{id_}' is no component of {slot}" for id_ in ids if id_ not in members)
            case Compare(subject, _, value):
                knob = catalog.knobs.get(subject)
                if knob is not None and knob.type == "enum" and value not in knob.values:
                    yield f"{rule.code}: {subject} never is '{value}'"
                elif not _is_value(catalog, subject):
                    yield f"{rule.code}: '{subject}' is no knob or fact"
            case IsSet(subject):
                if subject not in catalog.knobs:
                    yield f"{rule.code}: '{subject}' is no knob"
            case Predicate(name):
                if name not in PREDICATES:
                    yield f"{rule.code}: there is no predicate '{name}'"


def _change_references(catalog: Catalog, rule: Rule) -> Iterator[str]:
    for change in (change for fix in rule.fixes for change in fix.changes):
        for id_ in (change.component, change.previous):
            if id_ is not None and (id_ not in catalog.components or catalog.components[id_].slot != change.slot):
                yield f"{rule.code}: a fix names '{id_}', which is no component of {change.slot}"
        if change.knob is not None and change.knob not in catalog.knobs:
            yield f"{rule.code}: a fix names '{change.knob}', which is no knob"


def _messages(catalog: Catalog) -> Iterator[str]:
    for rule in catalog.rules.values():
        for subject in _PLACEHOLDER.findall(rule.message):
            computed = rule.budget is not None and subject in _BUDGET_PLACEHOLDERS
            if subject not in catalog.slots and not _is_value(catalog, subject) and not computed:
                yield f"{rule.code}: message: '{{{subject}}}' is no slot, knob or fact"
        if "{" in (rest := _PLACEHOLDER.sub("", rule.message)) or "}" in rest:
            yield f"{rule.code}: message: a brace without its partner"


def _predicates(catalog: Catalog) -> Iterator[str]:
    for predicate in PREDICATES.values():
        for subject in predicate.subjects:
            if subject not in catalog.slots and not _is_value(catalog, subject):
                yield f"predicate {predicate.name}: reads '{subject}', which is no slot, knob or fact"


def _fact_sheets(catalog: Catalog) -> Iterator[str]:
    for group, sheets in (("gpu", catalog.gpus), ("model", catalog.models), ("package", catalog.packages)):
        owner: dict[str, str] = {}
        for sheet in sheets.values():
            if not sheet.source.startswith(("https://", "pkg:pypi/")):
                yield f"{group} {sheet.id}: source '{sheet.source}' is neither an https:// address nor a pkg:pypi/ one"
            if not is_date(sheet.checked):
                yield f"{group} {sheet.id}: checked '{sheet.checked}' is no date such as 2026-01-31"
            for name in (sheet.id, *sheet.aliases):
                if owner.setdefault(name.casefold(), sheet.id) != sheet.id:
                    yield f"{group} {sheet.id}: the name '{name}' already means '{owner[name.casefold()]}'"
            if group != "package":
                yield from (
                    f"{group} {sheet.id}: no fact is called '{name}'" for name in sheet.facts if f"{group}.{name}" not in FACT_SUBJECTS
                )


def _prices(catalog: Catalog) -> Iterator[str]:
    for offer in catalog.prices.values():
        if offer.gpu not in catalog.gpus:
            yield f"price {offer.id}: there is no GPU '{offer.gpu}'"
        if offer.usd_hour <= 0:
            yield f"price {offer.id}: {offer.usd_hour:g} USD an hour is no price"
        if not offer.source.startswith("https://"):
            yield f"price {offer.id}: source '{offer.source}' does not start with https://"
        if not is_date(offer.checked):
            yield f"price {offer.id}: checked '{offer.checked}' is no date such as 2026-01-31"


def _is_value(catalog: Catalog, name: str) -> bool:
    return name in catalog.knobs or fact_subject(name) is not None


CHECKS: tuple[Callable[[Catalog], Iterator[str]], ...] = (
    _slots,
    _knobs,
    _components,
    _measured,
    _sentences,
    _rule_shape,
    _rule_references,
    _messages,
    _predicates,
    _fact_sheets,
    _prices,
)
