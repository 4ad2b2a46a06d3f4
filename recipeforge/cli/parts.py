"""`recipeforge parts`: what `recipeforge run` can do, component by component."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import click

from recipeforge.cli.output import format_option, write

if TYPE_CHECKING:
    from recipeforge.runner.parts.table import Entry


@click.command("parts")
@click.option("--slot", metavar="SLOT", help="Only this slot: technique, optimizer, scheduler …")
@click.option("--all", "everything", is_flag=True, help="Components that are not implemented, too.")
@format_option("text", "json")
def command(slot: str | None, everything: bool, style: str) -> int:
    """List the components that `run` implements, and whether a test trains them.

    A recipe with any other component can be checked, solved and converted; `run` refuses it by name and never puts something similar
    in its place.
    """
    from recipeforge.catalog.load import load
    from recipeforge.runner.parts.table import table

    catalog = load()
    if slot is not None and slot not in catalog.slots:
        raise click.UsageError(f"no slot `{slot}`; there are {', '.join(catalog.slots)}")
    entries = tuple(table(catalog, slot))
    if style == "json":
        told = [dataclasses.asdict(entry) for entry in entries]
        write(json.dumps({"format": "recipeforge/parts/1", "parts": told}, ensure_ascii=False) + "\n")
        return 0
    write(_text(entries, everything))
    return 0


def _text(entries: tuple[Entry, ...], everything: bool) -> str:
    out: list[str] = []
    width = max(len(entry.component) for entry in entries)
    for slot in dict.fromkeys(entry.slot for entry in entries):
        members = [entry for entry in entries if entry.slot == slot]
        done = [entry for entry in members if entry.implemented]
        out.append(f"{slot}: {len(done)} of {len(members)} implemented")
        out += [f"  {entry.component:<{width}}  {_words(entry)}" for entry in members if everything or entry.implemented]
    done = [entry for entry in entries if entry.implemented]
    tested = sum(entry.tested for entry in done)
    out.append(f"{len(done)} of {len(entries)} components are implemented; tests train {tested} of them")
    return "\n".join([*out, ""])


def _words(entry: Entry) -> str:
    if not entry.implemented:
        return "not implemented"
    state = "tested" if entry.tested else f"not tested: {entry.untested}"
    return "; ".join([state, *(f"needs `{command}`" for command in entry.missing)])
