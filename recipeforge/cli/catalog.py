"""`recipeforge catalog`: the knowledge itself, counted, shown and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recipeforge.cli import catalog_new
from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, color_option, format_option, look, write
from recipeforge.render.cells import wrap
from recipeforge.render.look import ColorChoice, Look

if TYPE_CHECKING:
    from recipeforge.schemas.catalog import Catalog, FactSheet, Offer

KINDS = ("rules", "components", "slots", "knobs", "claims", "gpus", "models", "packages", "prices")


@click.group("catalog", cls=Listing)
def command() -> None:
    """Count, show, check and extend the catalog."""


command.add_command(catalog_new.command)


@command.command("lint")
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A pack's folder; the shipped ones by default.",
)
def lint_command(packs: tuple[Path, ...]) -> int:
    """Check that references resolve, rules have their evidence and examples, quotes stand in their excerpts, and every part can be used."""
    from recipeforge.catalog.lint import lint
    from recipeforge.catalog.load import SHIPPED_PACKS, load
    from recipeforge.solver.impossible import impossible

    for pack in packs:
        if not (pack / "components").is_dir() and not (pack / "rules").is_dir():
            raise click.BadParameter(f"{pack} is no pack: it holds neither components/ nor rules/", param_hint="--pack")
    dirs = packs or SHIPPED_PACKS
    catalog = load(dirs)
    problems = lint(catalog, dirs)
    if not problems:  # a catalog whose references do not resolve cannot be solved
        problems += [f"component {c}: no recipe can hold it, on no GPU; {', '.join(rules)} forbid it" for c, rules in impossible(catalog)]
    write("".join(f"{problem}\n" for problem in problems) or "the catalog has no finding\n")
    return FINDINGS if problems else CLEAN


@command.command("stats")
@format_option("text", "json")
@color_option()
def stats_command(style: str, color: ColorChoice) -> int:
    """Count what the catalog holds, and how many rules rest on two independent origins or more."""
    from recipeforge.catalog.load import load
    from recipeforge.catalog.statistics import statistics

    told = statistics(load())
    if style == "json":
        from recipeforge.render.json import dumped

        write(dumped({"format": "recipeforge/catalog-stats/1", **told}))
        return CLEAN
    screen = look(color)
    share = f"{told['rules_with_two_origins']} of {told['rules_with_evidence']} rules ({told['share_with_two_origins']:.0%})"
    shown = {name: value for name, value in told.items() if not name.startswith(("by_tier", "by_family", "share_", "rules_with_"))}
    for name, value in {**shown, "two origins": share}.items():
        # What belongs together stays on one line: the joint is no space while lines are broken.
        text = ", ".join(f"{key}\0{count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
        rows = [row.replace("\0", " ") for row in wrap(text, screen.width - 15)]
        label = f"{name.replace('_', ' '):<14}"
        write("".join(f"{screen.paint('message', label if not i else ' ' * 14)} {row}\n" for i, row in enumerate(rows)))
    return CLEAN


@command.command("show")
@click.argument("name", metavar=f"{{{'|'.join(KINDS)}}} | ID")
@color_option()
def show_command(name: str, color: ColorChoice) -> int:
    """List a kind of thing with its titles, or show one thing in full.

    ID is a rule's code or slug, a component, a claim, a slot, a knob, a GPU, a model, a package or a price: its page, where there is
    one, and the entry as the pack's authors wrote it.
    """
    from recipeforge.catalog.load import load

    catalog, screen = load(), look(color)
    if name in KINDS:
        rows = _rows(catalog, name)
        wide = max(map(len, rows), default=0)
        for id_, (severity, text) in rows.items():
            told = f"{screen.paint(severity, f'{severity:<8}')}" if severity else ""
            write(f"{screen.paint('message', f'{id_:<{wide}}')}  {told}{' '.join(text.split())}\n")
        return CLEAN
    write(_in_full(catalog, name, screen))
    return CLEAN


def _rows(catalog: Catalog, kind: str) -> dict[str, tuple[str, str]]:
    """Return id → severity and title."""
    from recipeforge.catalog.pages import title_of

    match kind:
        case "rules":
            return {c: (r.effective_severity, f"{r.slug}: {title_of(r)}") for c, r in catalog.rules.items()}
        case "components":
            return {i: ("", f"{c.slot}: {c.title}") for i, c in catalog.components.items()}
        case "slots":
            return {i: ("", s.description) for i, s in catalog.slots.items()}
        case "knobs":
            return {i: ("", k.description) for i, k in catalog.knobs.items()}
        case "claims":
            return {i: ("", f"{c.origin}: {c.quote}") for i, c in catalog.claims.items()}
        case "prices":
            offers: dict[str, Offer] = dict(catalog.prices)
            return {i: ("", f"{o.usd_hour:>7.2f} USD an hour ({o.source}, {o.checked})") for i, o in offers.items()}
        case _:
            sheets: dict[str, FactSheet] = getattr(catalog, kind)
            return {i: ("", f"{sheet.title} ({sheet.source}, {sheet.checked})") for i, sheet in sheets.items()}


def _in_full(catalog: Catalog, name: str, screen: Look) -> str:
    """Return the page of one thing, and its entry as written."""
    from recipeforge.api import explain
    from recipeforge.catalog.load import SHIPPED_PACKS
    from recipeforge.catalog.writing import written
    from recipeforge.render.rule_page import render_page

    id_ = _id_of(catalog, name)
    found = written(SHIPPED_PACKS, id_) if id_ else None
    if id_ is None or found is None:
        raise click.UsageError(f"the catalog has nothing called `{name}`{_meant(catalog, name)}")
    place, text = found
    page = explain(id_)
    parts = [render_page(page, screen)] if page else []
    if id_ in catalog.claims:
        users = ", ".join(rule.code for rule in catalog.rules.values() if id_ in rule.evidence)
        parts.append(f"Cited by {users or 'no rule'}.\n")
    parts.append(f"{screen.paint('help', 'Written')}\n\n{place}\n\n{_indented(text)}")
    excerpt = next((file for pack in SHIPPED_PACKS if (file := pack / "excerpts" / f"{id_}.txt").is_file()), None)
    if excerpt:
        stored = excerpt.read_text(encoding="utf-8")
        parts.append(f"{screen.paint('help', 'Excerpt')}\n\n{excerpt}\n\n{_indented(stored)}")
    return "\n".join(parts)


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.splitlines())


def _id_of(catalog: Catalog, name: str) -> str | None:
    """Return the id of what is called so."""
    wanted = name.strip().casefold()
    if rule := catalog.rule_by_slug(wanted):
        return rule.code
    for known in (catalog.rules, catalog.components, catalog.claims, catalog.slots, catalog.knobs, catalog.prices):
        if found := next((id_ for id_ in known if id_.casefold() == wanted), None):
            return found
    named = [*catalog.components.values(), *catalog.gpus.values(), *catalog.models.values(), *catalog.packages.values()]
    return next((one.id for one in named if wanted in (one.id.casefold(), *(alias.casefold() for alias in one.aliases))), None)


def _meant(catalog: Catalog, name: str) -> str:
    from difflib import get_close_matches

    slugs = [rule.slug for rule in catalog.rules.values()]
    names = [*KINDS, *catalog.rules, *slugs, *catalog.components, *catalog.slots, *catalog.knobs, *catalog.gpus, *catalog.models]
    near = get_close_matches(name.upper(), catalog.rules, 1, 0.8) or get_close_matches(name, names, 2)
    return f"; did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else ""
