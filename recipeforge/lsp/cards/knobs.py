"""The cards of knobs, slots and groups: what is decided there, what may stand there, and what stands there now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.cards.evidence import rules_section
from recipeforge.lsp.markdown import cut, escaped, prose
from recipeforge.lsp.memory import knob_words, told
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.verdict import StatusKind
from recipeforge.solver.titles import spelled

_TYPES = {"int": "whole number", "float": "number", "bool": "true or false", "str": "text", "enum": "word", "duration": "duration"}
_COUNTED: dict[StatusKind, str] = {
    "available": "fit as things stand",
    "conditional": "fit with something besides",
    "swap": "fit in place of what stands here",
    "blocked": "blocked",
}
MOST_NAMED = 8


def knob_card(known: Analysis, knob: Knob, untold: Collection[str] = ()) -> str:
    """Return what is known about a knob; `untold`: codes of rules that are told elsewhere."""
    kind = [_TYPES[knob.type], *([_range(knob)] if _range(knob) else []), *([knob.unit] if knob.unit else [])]
    parts = [f"**{knob.path}** · {' · '.join(kind)}", prose(knob.description), _values(knob)]
    if memory := knob_words(known, knob):
        parts.append(f"**Memory:** {memory}.")
    if knob.path == "budget.memory_gib" and (estimate := told(known)):
        parts.append(f"This recipe: {estimate}.")
    if reader := _unread(known, knob):
        parts.append(reader)
    parts += rules_section(known, knob.path, heading="Rules that read it", untold=untold)
    return "\n\n".join(part for part in parts if part)


def _range(knob: Knob) -> str:
    low, high = knob.minimum, knob.maximum
    if low is not None and high is not None:
        return f"{low:,.10g} to {high:,.10g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else ""


def _values(knob: Knob) -> str:
    """Return what may stand there, and what holds by default."""
    default = "no default" if knob.default is None else f"default `{spelled(knob.default)}`"
    if knob.values:
        return f"One of {', '.join(f'`{word}`' for word in knob.values)}; {default}."
    if len(knob.choices) > 2:
        return f"Usually {', '.join(spelled(value) for value in knob.choices[:-1])} or {spelled(knob.choices[-1])}; {default}."
    return f"{default[:1].upper()}{default[1:]}."


def _unread(known: Analysis, knob: Knob) -> str:
    """Return that nothing equipped reads the knob, and what would."""
    held = known.view.slots.get(knob.group, ()) if known.view else ()
    if not knob.components or not held or any(component in knob.components for component in held):
        return ""
    return f"Not read here. It is read by {cut(', '.join(knob.components), 120)}."


# -- slots and groups ----------------------------------------------------------------------------------------


def slot_card(known: Analysis, slot: Slot) -> str:
    """Return what choosing in a slot decides, what stands there, and how many others fit."""
    takes = {"one": "one component, always", "at-most-one": "one component", "many": "any number of components"}[slot.cardinality]
    parts = [
        f"**{slot.title}**{f' `{slot.id}`' if slot.id != slot.title else ''} · takes {takes}",
        prose(slot.description),
        _standing(known, slot),
    ]
    members = known.catalog.members(slot.id)
    held = known.view.slots.get(slot.id, ()) if known.view else ()
    statuses = [known.statuses[c.id] for c in members if c.id in known.statuses and c.id not in held]
    if statuses:
        counts = Counter(status.kind for status in statuses)
        parts.append(f"Others: {', '.join(f'{counts[kind]} {words}' for kind, words in _COUNTED.items() if counts[kind])}.")
        fitting = [status.component for status in statuses if status.kind in ("available", "swap") and not status.needs]
        if fitting:
            more = f" and {len(fitting) - MOST_NAMED} more" if len(fitting) > MOST_NAMED else ""
            parts.append(f"These fit: {', '.join(f'`{id_}`' for id_ in fitting[:MOST_NAMED])}{more}.")
    else:
        parts.append(f"To choose from: {cut(', '.join(component.id for component in members), 160)}.")
    return "\n\n".join(part for part in parts if part)


def group_card(known: Analysis, group: str) -> str:
    """Return the knobs of a group with what they say."""
    rows = [f"- `{knob.name}`: {prose(knob.description)}" for knob in known.vocabulary.knobs[group].values()]
    return f"**{group}**\n\n" + "\n".join(rows)


def _standing(known: Analysis, slot: Slot) -> str:
    held = known.view.slots.get(slot.id, ()) if known.view else ()
    names = [f"{escaped(known.catalog.components[id_].title)} (`{id_}`)" for id_ in held]
    if known.report.loadout is not None and names and not known.report.loadout.components_in(slot.id):
        return f"By default: {names[0]}."
    if names:
        return f"Here: {' and '.join(names)}."
    return f"Default: `{slot.default}`." if slot.default else "Nothing stands here."
