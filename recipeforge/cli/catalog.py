"""`recipeforge catalog`: the knowledge itself, counted, shown and checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, color_option, format_option, look, write
from recipeforge.render.look import ColorChoice

KINDS = ("rules", "components", "slots", "knobs", "gpus", "models", "packages")


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
    """Check that every reference resolves, every rule has its evidence and examples, and every quote stands in its excerpt."""
    from recipeforge.catalog.lint import lint
    from recipeforge.catalog.load import SHIPPED_PACKS, load

    for pack in packs:
        if not (pack / "components").is_dir() and not (pack / "rules").is_dir():
            raise click.BadParameter(f"{pack} is no pack: it holds neither components/ nor rules/", param_hint="--pack")
    dirs = packs or SHIPPED_PACKS
    problems = lint(load(dirs), dirs)
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
    """List rules, components, slots, knobs, GPUs, models or packages with their titles."""
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
    wide = max(map(len, rows), default=0)
    for name, (severity, text) in rows.items():
        told = f"{screen.paint(severity, f'{severity:<8}')}" if severity else ""
        write(f"{screen.paint('message', f'{name:<{wide}}')}  {told}{' '.join(text.split())}\n")
    return CLEAN
