"""`recipeforge catalog`: the knowledge itself, counted, shown and checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, color_option, format_option, look, write
from recipeforge.render.look import ColorChoice

KINDS = ("rules", "components", "slots", "knobs", "gpus", "models", "packages", "prices")


@click.group("catalog", cls=Listing)
def command() -> None:
    """Count, show and check the catalog."""


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
    """Count what the catalog holds."""
    from recipeforge.catalog.load import load

    catalog = load()
    rules = [rule for rule in catalog.rules.values() if rule.evidence]
    told: dict[str, object] = {
        "hash": catalog.hash,
        **{kind: len(getattr(catalog, kind)) for kind in KINDS},
        "claims": len(catalog.claims),
        "tiers": dict(sorted(Counter(rule.tier for rule in rules).items())),
        "severities": dict(Counter(rule.effective_severity for rule in catalog.rules.values())),
        "families": {f"{family}xxx": n for family, n in sorted(Counter(code[:3] for code in catalog.rules).items())},
        "origins": len({claim.origin for claim in catalog.claims.values()}),
    }
    if style == "json":
        from recipeforge.render.json import dumped

        write(dumped({"format": "recipeforge/catalog-stats/1", **told}))
        return CLEAN
    screen = look(color)
    for name, value in told.items():
        shown = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
        write(f"{screen.paint('message', f'{name:<11}')} {shown}\n")
    return CLEAN


@command.command("show")
@click.argument("kind", type=click.Choice(KINDS))
@color_option()
def show_command(kind: str, color: ColorChoice) -> int:
    """List rules, components, slots, knobs, GPUs, models, packages or prices with their titles."""
    from recipeforge.catalog.load import load
    from recipeforge.catalog.pages import title_of

    catalog, screen = load(), look(color)
    rows: dict[str, tuple[str, str]] = {
        **({c: (r.effective_severity, f"{r.slug}: {title_of(r)}") for c, r in catalog.rules.items()} if kind == "rules" else {}),
        **({i: ("", f"{c.slot}: {c.title}") for i, c in catalog.components.items()} if kind == "components" else {}),
        **({i: ("", s.description) for i, s in catalog.slots.items()} if kind == "slots" else {}),
        **({i: ("", k.description) for i, k in catalog.knobs.items()} if kind == "knobs" else {}),
    }
    if kind in ("gpus", "models", "packages"):
        rows = {i: ("", f"{sheet.title} ({sheet.source}, {sheet.checked})") for i, sheet in getattr(catalog, kind).items()}
    if kind == "prices":
        rows = {i: ("", f"{o.usd_hour:>7.2f} USD an hour ({o.source}, {o.checked})") for i, o in catalog.prices.items()}
    wide = max(map(len, rows), default=0)
    for name, (severity, text) in rows.items():
        told = f"{screen.paint(severity, f'{severity:<8}')}" if severity else ""
        write(f"{screen.paint('message', f'{name:<{wide}}')}  {told}{' '.join(text.split())}\n")
    return CLEAN
