"""The status of every component, by slot: what may be added, what would have to come or go, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recipeforge.render.cells import visible, wrap
from recipeforge.render.derivation import render_steps
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.verdict import Blocked, Status, StatusKind

_MARKS: Mapping[StatusKind, tuple[str, str]] = {
    "equipped": ("●", "good"),
    "available": ("+", "help"),
    "conditional": ("±", "info"),
    "swap": ("⇄", "warning"),
    "blocked": ("×", "quiet"),
}

_OUTCOMES: Mapping[StatusKind, str] = {
    "equipped": "is in the recipe",
    "available": "can be added",
    "conditional": "can be added",
    "swap": "can be put in",
    "blocked": "is blocked",
}


def render_statuses(catalog: Catalog, statuses: Sequence[Status], look: Look = PLAIN) -> str:
    """Return a block for each slot, a line for each component."""
    by_slot: dict[str, list[Status]] = {}
    for status in statuses:
        by_slot.setdefault(catalog.components[status.component].slot, []).append(status)
    wide = max((len(s.component) for s in statuses), default=0)
    blocks = [_slot(slot, members, catalog, wide, look) for slot, members in by_slot.items()]
    legend = "  ".join(f"{look.paint(style, mark)} {kind}" for kind, (mark, style) in _MARKS.items())
    return "\n".join([*blocks, legend, ""])


def render_blocked(catalog: Catalog, told: Blocked, look: Look = PLAIN) -> str:
    """Return one component's status: why it is blocked, step by step, and what would let it in."""
    status, component = told.status, catalog.components[told.status.component]
    mark, style = _MARKS[status.kind]
    reason = _reason(status, catalog)
    lines = [
        f"{look.paint(style, mark)} {look.paint('message', component.title)} {_OUTCOMES[status.kind]}{f': {reason}' if reason else ''}"
    ]
    lines += render_steps(told.steps, look)
    if told.title:
        indent = " " * len("help: ")
        body = wrap(visible(f"{told.title}; then the recipe runs with {component.title}, and nothing cheaper does it"), look.width - 6)
        lines += [f"{look.paint('help', 'help:')} {body[0]}", *(indent + row for row in body[1:])]
    elif status.kind not in ("equipped", "available"):
        lines.append(f"{look.paint('help', 'help:')} no change of this recipe lets it in; that takes another GPU, model or version")
    return "\n".join(lines) + "\n"


def _slot(slot: str, members: Sequence[Status], catalog: Catalog, wide: int, look: Look) -> str:
    lines = [look.paint("message", slot)]
    for status in sorted(members, key=lambda s: list(_MARKS).index(s.kind)):
        mark, style = _MARKS[status.kind]
        column = f"  {look.paint(style, mark)} {status.component:<{wide}}"
        reason = wrap(visible(_reason(status, catalog)), look.width - wide - 6)
        lines.append(f"{column}  {look.paint('quiet', reason[0])}".rstrip())
        lines += [" " * (wide + 6) + look.paint("quiet", row) for row in reason[1:]]
    return "\n".join(lines) + "\n"


def _reason(status: Status, catalog: Catalog) -> str:
    """Return why a component has its status, in one sentence."""
    wanted = "wanted; " if status.wanted and status.kind != "equipped" else ""
    needs = ", ".join(_words(change) for change in status.needs)
    rules = ", ".join(f"{code} {catalog.rules[code].slug}" for code in (c.split(":")[0] for c in status.rules) if code in catalog.rules)
    match status.kind:
        case "conditional":
            return f"{wanted}with {needs}{f' ({rules})' if rules else ''}"
        case "swap":
            held = " and ".join(status.blockers)
            return f"{wanted}in place of {held}{f', with {needs}' if needs else ''}"
        case "blocked":
            # Nothing equipped is in the way where the machine, the model or the part itself rules it out.
            way = f"{' or '.join(status.blockers)} would have to leave" if status.blockers else "ruled out"
            return f"{wanted}{way}{f': {rules}' if rules else ''}"
        case _:
            return wanted.rstrip("; ")


def _words(change: Change) -> str:
    if change.knob is not None:
        return f"{change.knob}: {_value(change)}" if change.op == "set" else f"no {change.knob}"
    return {"add": f"{change.component}", "drop": f"no {change.component}"}.get(change.op, f"{change.component} for {change.previous}")


def _value(change: Change) -> str:
    return str(change.value).lower() if isinstance(change.value, bool) else str(change.value)
