"""Package versions that satisfy a recipe: as a table, as JSON, as constraints for pip; and why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recipeforge.render.cells import visible, wrap
from recipeforge.render.derivation import render_steps
from recipeforge.render.json import Json, citation_json, conflict_json, dumped
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.versions import Bound, Chosen, Versions

PYTHON = "python"
NONE = "none"
"""What is shown for a package that has to go."""
MOST_CORRECTIONS = 4
MOST_NEEDING = 3
"""Packages named that require one; of more the rest is counted."""


def render_versions(path: str, versions: Versions, names: Mapping[str, str], look: Look = PLAIN) -> str:
    """Return the answer for people. `names` says how parts of the recipe are called."""
    blocks = [look.paint("message", visible(headline(path, versions))) + "\n"]
    if versions.kind == "none":
        blocks += _why(versions, names, look)
    if versions.chosen and versions.kind == "none":
        blocks.append("with the least change:\n")
    if versions.chosen:
        blocks.append(_table(versions, look))
    blocks += _notes(versions, look)
    return "\n".join(blocks)


def headline(path: str, versions: Versions) -> str:
    """Return the outcome in one line."""
    moved = [c for c in versions.chosen if c.moved]
    if versions.kind == "found":
        kept = sum(bool(c.given) for c in versions.chosen)
        least = "the most recent" if versions.proved else "versions found before the time ran out, maybe not the most recent"
        return f"{path}: {least} versions that satisfy it{f'; {kept} given' if kept else ''}".replace("versions versions", "versions")
    if versions.kind == "undecided":
        return f"{path}: the time ran out before versions were found, or their absence was proved; --limit gives more"
    if moved:
        change = ", ".join(f"{c.package} {c.given} → {c.version or NONE}" for c in moved)
        return f"{path}: no versions satisfy it with what is given; the least change: {change}"
    return f"{path}: no versions satisfy it"


def _why(versions: Versions, names: Mapping[str, str], look: Look) -> list[str]:
    """Return each conflict step by step, and what could give way."""
    found: list[str] = []
    for conflict in versions.conflicts:
        said = [names.get(pick, pick) for pick in conflict.picks]
        proof = "" if conflict.minimal else " (not proved minimal)"
        together = f" take {' and '.join([', '.join(said[:-1]), said[-1]] if len(said) > 1 else said)}" if said else " do"
        head = f"why no versions{together}{proof}:"
        lines = [look.paint("message", line) for line in wrap(visible(head), look.width)]
        steps = render_steps(conflict.steps, look) or ["  The derivation is too long to be told."]
        found.append("\n".join([*lines, *steps]) + "\n")
    if versions.corrections:
        ways = [" and ".join(names.get(pick, pick) for pick in c) for c in versions.corrections[:MOST_CORRECTIONS]]
        rest = len(versions.corrections) - len(ways)
        more = f"; and {rest} other way{'s' if rest > 1 else ''}" if rest else ""
        told = f"could give way: {'; or '.join(ways)}{more}"
        found.append("\n".join(wrap(visible(told), look.width)) + "\n")
    return found


def _table(versions: Versions, look: Look) -> str:
    name = max(len(c.package) for c in versions.chosen)
    version = max(len(c.version or NONE) for c in versions.chosen)
    lines: list[str] = []
    for chosen in versions.chosen:
        indent = " " * (name + version + 6)
        first, *rest = wrap(visible(_remark(chosen)), look.width - len(indent)) or [""]
        lines.append(f"  {chosen.package:<{name}}  {look.paint('message', f'{chosen.version or NONE:<{version}}')}  {first}".rstrip())
        lines += [f"{indent}{line}" for line in rest]
        for bound in shown_bounds(chosen):
            told, *more = wrap(visible(f"{bound.text}: {bound_words(bound)}"), look.width - len(indent) - 2)
            lines += [f"{indent}{look.paint('quiet', told)}", *(f"{indent}  {look.paint('quiet', line)}" for line in more)]
    return "\n".join(lines) + "\n"


def _remark(chosen: Chosen) -> str:
    """Return what is worth saying of a version: that it is given, or moved, or not the newest; and who needs it."""
    state = f"given as {chosen.given}" if chosen.moved else "given" if chosen.given else ""
    newest = f"newest is {chosen.newest}" if chosen.newest and chosen.newest != chosen.version else "newest"
    names = chosen.needed_by.split(", ") if chosen.needed_by else []
    named = f"{', '.join(names[:MOST_NEEDING])}{f' and {len(names) - MOST_NEEDING} more' if len(names) > MOST_NEEDING else ''}"
    return "; ".join(filter(None, (state, newest, f"for {named}" if named else "")))


def shown_bounds(chosen: Chosen) -> tuple[Bound, ...]:
    """Return the bounds worth a line: all where the newest is not chosen, those of rules in any case."""
    return tuple(b for b in chosen.bounds if chosen.version != chosen.newest or not b.rule.startswith("pkg:"))


def bound_words(bound: Bound) -> str:
    """Return who sets a bound: a rule by its code, a release by its own words."""
    return bound.because if bound.rule.startswith("pkg:") else f"{bound.rule} {bound.because}".strip()


def _notes(versions: Versions, look: Look) -> list[str]:
    told: list[str] = []
    if versions.warnings:
        told.append(f"warnings that no versions avoid: {', '.join(versions.warnings)} (recipeforge explain CODE)")
    if versions.unjudged:
        told.append(f"not judged, since no release facts are known: {', '.join(versions.unjudged)}")
    if versions.checked:
        told.append(f"releases as of {versions.checked}")
    return ["\n".join(line for note in told for line in wrap(visible(f"note: {note}"), look.width)) + "\n"] if told else []


def versions_json(path: str, versions: Versions) -> str:
    """Return the answer for programs."""
    return dumped(
        {
            "format": "recipeforge/packages/1",
            "path": path,
            "kind": versions.kind,
            "proved": versions.proved,
            "checked": versions.checked or None,
            "packages": [_chosen_json(c) for c in versions.chosen],
            "warnings": versions.warnings,
            "conflicts": [conflict_json(c) for c in versions.conflicts],
            "all_conflicts": versions.all_conflicts,
            "corrections": versions.corrections,
            "unjudged": versions.unjudged,
        }
    )


def _chosen_json(chosen: Chosen) -> Json:
    bounds = [
        {"versions": b.text, "because": b.because, "source": b.rule or None, "citation": citation_json(b.citation) if b.citation else None}
        for b in chosen.bounds
    ]
    return {
        "package": chosen.package,
        "version": chosen.version or None,
        "newest": chosen.newest or None,
        "given": chosen.given or None,
        "needed_by": chosen.needed_by,
        "bounds": bounds,
    }


def constraints(path: str, versions: Versions) -> str:
    """Return a constraints file for pip: one `name==version` a line, and above it what keeps it there."""
    python = next((c.version for c in versions.chosen if c.package == PYTHON), "")
    lines = [f"# Versions for {visible(path)}, from releases as of {versions.checked}; written by recipeforge."]
    lines += [f"# For Python {python} on Linux x86-64."] if python else []
    for chosen in (c for c in versions.chosen if c.version and c.package != PYTHON):
        lines += [f"# {line}" for bound in shown_bounds(chosen) for line in _cited(bound)]
        lines.append(f"{chosen.package}=={chosen.version}")
    return "\n".join(lines) + "\n"


def _cited(bound: Bound) -> Sequence[str]:
    """Return a bound with its source, one comment a line."""
    source = f" [{bound.citation.id}] {bound.citation.url}" if bound.citation and bound.citation.url != bound.rule else ""
    return [visible(f"{bound.text}: {bound_words(bound)}{source}")]
