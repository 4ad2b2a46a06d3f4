"""Conditions, changes and scopes in words, as rule pages and `explain` show them (Markdown)."""

from collections.abc import Iterable, Sequence

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subjects import EXCLUDED, FRAMEWORKS
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.rule import Rule

_RELATIONS = {
    "eq": ("is", "is not"),
    "ne": ("is not", "is"),
    "lt": ("is below", "is not below"),
    "le": ("is at most", "is not at most"),
    "gt": ("is above", "is not above"),
    "ge": ("is at least", "is not at least"),
    "has": ("has", "does not have"),
    "lacks": ("does not have", "has"),
    "contains": ("contains", "does not contain"),
}
_BUDGETS = {
    "memory": "the estimated peak memory exceeds",
    "memory-tight": "the estimated peak memory comes close to",
    "time": "the run exceeds, even at the fastest pace that the estimate allows for,",
    "time-likely": "the run exceeds, at its typical pace,",
    "cost": "the cost exceeds, even at the fastest pace and the cheapest price,",
    "cost-likely": "the cost exceeds, at the typical pace and the middle price,",
}


def clauses(catalog: Catalog, condition: Condition) -> list[str]:
    """Return what has to hold together for `condition`, one clause an item."""
    if isinstance(condition, All):
        return [clause for part in condition.parts for clause in clauses(catalog, part)]
    if isinstance(condition, Not) and isinstance(condition.inner, AnyOf):
        return [clause for part in condition.inner.parts for clause in clauses(catalog, Not(part))]
    return [_words(catalog, condition, truth=True)]


def pattern_of(catalog: Catalog, rule: Rule) -> list[str]:
    """Return what the rule forbids, one clause an item; together they are the pattern."""
    if rule.budget is not None:
        limits = " and ".join(f"`{subject}`" for subject in rule.budget_limits)
        relation = _BUDGETS.get(rule.budget, f"the estimated {rule.budget} exceeds")
        return [f"{relation} {'the smallest known of ' if len(rule.budget_limits) > 1 else ''}{limits}"]
    if rule.violated_when is None:
        return []
    return clauses(catalog, rule.violated_when)


def change_words(change: Change) -> str:
    """Return one change as an instruction."""
    match change.op:
        case "add":
            return f"add `{change.slot}: {change.component}`"
        case "replace":
            return f"put `{change.component}` in place of `{change.previous}` (`{change.slot}`)"
        case "set":
            return f"set `{change.knob}: {value_words(change.value)}`"
        case "drop":
            return f"remove `{change.knob}`" if change.knob else f"remove `{change.component}` from `{change.slot}`"


def scope_words(rule: Rule) -> list[str]:
    """Return for what the rule is claimed, one limit an item; a general rule has none."""
    found: list[str] = []
    for name, specifier in rule.scope.items():
        if specifier == EXCLUDED:
            found.append(f"not recipes that say `framework: {name}`")
        elif name in FRAMEWORKS:
            version = f" {specifier}" if specifier else ""
            found.append(f"recipes that say `framework: {name}`{version}")
        else:
            found.append(f"`{name}` {specifier}" if specifier else f"`{name}`, any version")
    return found


def _words(catalog: Catalog, condition: Condition, truth: bool) -> str:
    match condition:
        case Not(inner):
            return _words(catalog, inner, not truth)
        case All(parts) | AnyOf(parts):
            # De Morgan: what is denied of a whole is asserted of its denied parts.
            word = " and " if isinstance(condition, All) == truth else " or "
            return word.join(_grouped(catalog, part, truth) for part in parts) or ("always" if word == " and " else "never")
        case Holds(slot, components):
            return _slot_words(catalog, slot, components, truth)
        case IsSet(subject):
            return f"`{subject}` is {'set' if truth else 'not set'}"
        case Compare(subject, op, value):
            return f"`{subject}` {_RELATIONS[op][0 if truth else 1]} {value_words(value)}"
        case Predicate(name):
            text = _lower_first(PREDICATES[name].description.rstrip("."))
            reads = ", ".join(f"`{subject}`" for subject in PREDICATES[name].subjects)
            return f"{text if truth else f'it is not so that {text}'} ({reads})"


def _grouped(catalog: Catalog, part: Condition, truth: bool) -> str:
    inner = part.inner if isinstance(part, Not) else part
    text = _words(catalog, part, truth)
    return f"({text})" if isinstance(inner, All | AnyOf) and len(inner.parts) > 1 else text


def _slot_words(catalog: Catalog, slot: str, components: Sequence[str], truth: bool) -> str:
    members = [component.id for component in catalog.members(slot)]
    if set(components) == set(members):
        return f"`{slot}` is {'given' if truth else 'empty'}"
    if len(components) == 1:
        return f"`{slot}` {'is' if truth else 'is not'} `{components[0]}`"
    named = _either(components, "or")
    tag = _tag_of(catalog, slot, components)
    if tag is not None:
        return f"`{slot}` is {'one' if truth else 'none'} of the `{tag}` ones ({named})"
    return f"`{slot}` is {'' if truth else 'neither '}{named if truth else _either(components, 'nor')}"


def _tag_of(catalog: Catalog, slot: str, components: Sequence[str]) -> str | None:
    """Return the tag that exactly these components of the slot bear."""
    tags = {tag: None for id_ in components if id_ in catalog.components for tag in catalog.components[id_].tags}
    for tag in tags:
        if {c.id for c in catalog.members(slot) if tag in c.tags} == set(components):
            return tag
    return None


def _either(names: Iterable[str], word: str) -> str:
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} {word} {last}" if most else last


def value_words(value: object) -> str:
    """Return a value as a recipe spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
