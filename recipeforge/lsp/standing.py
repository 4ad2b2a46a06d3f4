"""What choosing a component would mean, in the words of a list: available, needs this, replaces that, blocked by a rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from recipeforge.documents.surgery import written
from recipeforge.lsp.analysis import Analysis
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Condition, Holds, Not
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Status, StatusKind

ORDER: tuple[StatusKind, ...] = ("available", "swap", "conditional", "equipped", "blocked")
_RANK = {kind: rank for rank, kind in enumerate(ORDER)}
_NOBODY_KNOWS = Status("", "available")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def standing(known: Analysis, component: Component) -> Status:
    """Return a component's status; "available" where there is no recipe to judge it by.

    Where a slot has to be filled and is not, all that fits is wanted, which is not worth a word.
    """
    status = known.statuses.get(component.id, _NOBODY_KNOWS)
    slot = known.catalog.slots[component.slot]
    return status._replace(wanted=False) if status.wanted and slot.cardinality == "one" and slot.default is None else status


def ranked(known: Analysis, components: Iterable[Component]) -> list[tuple[Component, Status]]:
    """Return components with their statuses: what may be chosen first, then what the recipe wants, the default, as in the catalog."""
    judged = [(component, standing(known, component)) for component in components]
    defaults = {slot.default for slot in known.catalog.slots.values()}
    return sorted(judged, key=lambda one: (_RANK[one[1].kind], not one[1].wanted, one[0].id not in defaults))


def in_short(catalog: Catalog, status: Status) -> str:
    """Return a status in a few words, such as "needs bnb 4-bit"."""
    needs = f"needs {_listed(catalog, status.needs)}" if status.needs else ""
    wanted = "wanted" if status.wanted else ""
    match status.kind:
        case "available":
            return wanted or "available"
        case "conditional":
            return _joined(needs or "available", wanted)
        case "swap":
            return _joined(f"replaces {_titles(catalog, status.blockers)}", needs)
        case "blocked":
            codes = [rule.code for rule in rules_of(catalog, status)]
            return f"blocked by {codes[0]}" if codes else "blocked"
        case _:
            return "equipped"


def at_length(known: Analysis, component: Component, status: Status) -> str:
    """Return the reason for a status in one sentence; empty where there is nothing to add to the few words."""
    catalog = known.catalog
    rules = rules_of(catalog, status)
    reason = f" ({rules[0].code}: {message_of(known, rules[0], component)})" if rules else ""
    match status.kind:
        case "conditional":
            return f"together with {_listed(catalog, status.needs)}{reason}" if status.needs else ""
        case "swap":
            come = f", together with {_listed(catalog, status.needs)}{reason}" if status.needs else ""
            return f"in place of {_titles(catalog, status.blockers)}{come}" if come else ""
        case "blocked":
            held = f"blocked while the recipe has {_titles(catalog, status.blockers, 'or')}" if status.blockers else "ruled out"
            return f"{held}{reason}"
        case _:
            return _wanted_by(known, component) if status.wanted else ""


def rules_of(catalog: Catalog, status: Status) -> list[Rule]:
    """Return the rules that stand in the way; what only says that something is missing comes last."""
    codes = dict.fromkeys(code.split(":")[0] for code in status.rules)
    return sorted((catalog.rules[code] for code in codes if code in catalog.rules), key=lambda rule: rule.code.startswith("RF00"))


def message_of(known: Analysis, rule: Rule, component: Component | None = None) -> str:
    """Return what a rule says about this recipe, as it would be with `component` in it."""
    catalog, view = known.catalog, known.view
    if rule.budget:  # its numbers are those of a recipe that nobody has written yet
        return rule.slug.replace("-", " ")

    def value(found: re.Match[str]) -> str:
        subject = found[1]
        if component is not None and subject == component.slot:
            return component.title
        held = view.known(subject) if view is not None else None
        if isinstance(held, tuple):
            return _titles(catalog, held)
        if held is None:
            return catalog.slots[subject].title if subject in catalog.slots else subject.rpartition(".")[2].replace("_", " ")
        return _title(catalog, held) if isinstance(held, str) else written(held)

    return _PLACEHOLDER.sub(value, " ".join(rule.message.split())).rstrip(".")


def _wanted_by(known: Analysis, component: Component) -> str:
    """Return which broken rule would be content with a component, or one like it."""
    for finding in known.report.diagnostics:
        rule = known.catalog.rules.get(finding.code)
        if rule is not None and rule.violated_when is not None and component.id in _asked(rule.violated_when, False):
            return f"cures {finding.code}: {finding.message}"
    return "something in this recipe needs it, or one like it"


def _asked(condition: Condition, wanted: bool) -> Iterator[str]:
    """Yield the components whose presence keeps a pattern from holding."""
    match condition:
        case Holds(components=components) if wanted:
            yield from components
        case Not(inner=inner):
            yield from _asked(inner, not wanted)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _asked(part, wanted)
        case _:
            return


def change_words(catalog: Catalog, change: Change) -> str:
    """Return what one change brings, such as "bnb 4-bit" or "batch.micro: 1"."""
    if change.knob is not None:
        knob = catalog.knobs.get(change.knob)
        return f"{change.knob}: {written(change.value, knob)}" if change.op == "set" and change.value is not None else f"no {change.knob}"
    title = _title(catalog, change.component or "")
    return f"no {title}" if change.op == "drop" else title


def _listed(catalog: Catalog, changes: Iterable[Change]) -> str:
    return " and ".join(change_words(catalog, change) for change in changes)


def _titles(catalog: Catalog, names: Iterable[str], word: str = "and") -> str:
    return f" {word} ".join(_title(catalog, name) for name in names)


def _title(catalog: Catalog, name: str) -> str:
    component = catalog.components.get(name)
    return component.title if component is not None else name


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
