"""`recipeforge evidence`: is every quote really there, and who says so?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, format_option, write

if TYPE_CHECKING:
    from recipeforge.catalog.verification import Evidence, Refetched
    from recipeforge.schemas.catalog import Catalog


@click.group("evidence", cls=Listing)
def command() -> None:
    """Check the sources that rules cite."""


@command.command("verify")
@click.option("--catalog", "whole", is_flag=True, help="Also tell about rules: ids, tiers, and how many origins are independent.")
@click.option("--rules", "by_rule", is_flag=True, help="List each rule with its tier and its independent origins.")
@click.option(
    "--refetch",
    "clones",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Look into the sources themselves: bare clones in DIR, as DIR/OWNER+NAME or DIR/OWNER+NAME/repo.",
)
@click.option(
    "--pack",
    "packs",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A pack's folder; the shipped ones by default.",
)
@format_option("text", "json")
def verify_command(whole: bool, by_rule: bool, clones: Path | None, packs: tuple[Path, ...], style: str) -> int:
    """Look up every quote of the shipped claims in the stored text of its source, and check that text against its hash.

    Search results and content farms repeat each other: what names one document by two addresses, or says the same words at several
    hosts, counts as one origin.
    """
    from recipeforge.catalog.load import SHIPPED_PACKS, load
    from recipeforge.catalog.verification import refetch, verify

    dirs = packs or SHIPPED_PACKS
    catalog = load(dirs)
    found = verify(catalog, dirs)
    again = refetch(catalog, dirs, clones) if clones else None
    problems = [*found.problems, *(again.problems if again else ())]
    if style == "json":
        from recipeforge.render.json import dumped

        write(dumped(_json(catalog, found, again)))
    else:
        write("".join(f"{line}\n" for line in [*problems, *_lines(catalog, found, again, whole or by_rule, len(problems))]))
        if by_rule:
            write("".join(f"{line}\n" for line in _by_rule(catalog, found)))
    return FINDINGS if problems else CLEAN


def _lines(catalog: Catalog, found: Evidence, again: Refetched | None, whole: bool, problems: int) -> list[str]:
    from recipeforge.catalog.verification import tiers

    if problems:
        lines = [f"{problems} problems in {found.claims} claims"]
    else:
        lines = [f"{found.claims} claims: every quote stands verbatim in the stored text of its source, and every text has its hash"]
    if whole:
        number = len(found.rules)
        told = ", ".join(f"{tier} {count}" for tier, count in tiers(catalog).items())
        lines += [
            f"quotes   {found.quotes_found} of {found.claims} found in their excerpts, {found.hashes_right} excerpts as they were cited",
            f"ids      {found.dangling} that rules name and nobody wrote",
            f"tiers    derived for {number} rules: {told}",
            f"origins  {found.origins} by name, {found.folded} pairs of claims folded as mirrors or copies",
            f"         {found.two_origins} of {number} rules ({_percent(found.two_origins, number)}) have two independent origins or more",
        ]
    if again:
        lines.append(
            f"sources  {again.same} say quote and excerpt at the commit cited, {len(again.problems)} do not; "
            f"not looked up: {again.no_clone} without a clone or commit here, {again.elsewhere} not files of a repository"
        )
    return lines


def _by_rule(catalog: Catalog, found: Evidence) -> list[str]:
    return [
        f"{code}  {catalog.rules[code].tier}  {origins.count} {'origin ' if origins.count == 1 else 'origins'}"
        f"  {', '.join(origins.names)}{f' ({origins.folded} folded)' if origins.folded else ''}".rstrip()
        for code, origins in found.rules.items()
    ]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "none"


def _json(catalog: Catalog, found: Evidence, again: Refetched | None) -> dict[str, object]:
    from recipeforge.catalog.verification import tiers

    told: dict[str, object] = {
        "format": "recipeforge/evidence-verify/1",
        "claims": found.claims,
        "quotes_found": found.quotes_found,
        "hashes_right": found.hashes_right,
        "dangling": found.dangling,
        "tiers": tiers(catalog),
        "origins": found.origins,
        "folded": found.folded,
        "rules_with_two_origins": found.two_origins,
        "rules": {
            code: {"tier": catalog.rules[code].tier, "origins": list(origins.names), "folded": origins.folded}
            for code, origins in found.rules.items()
        },
        "problems": list(found.problems),
    }
    if again:
        told["refetched"] = {"same": again.same, "no_clone": again.no_clone, "elsewhere": again.elsewhere, "problems": again.problems}
    return told
