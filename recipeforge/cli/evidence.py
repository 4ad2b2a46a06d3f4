"""`recipeforge evidence`: is every quote really there?"""

from __future__ import annotations

import click

from recipeforge.cli.exits import CLEAN, FINDINGS
from recipeforge.cli.output import Listing, write


@click.group("evidence", cls=Listing)
def command() -> None:
    """Check the sources that rules cite."""


@command.command("verify")
def verify_command() -> int:
    """Look up every quote of the shipped claims in the stored text of its source, and check that text against its hash."""
    from recipeforge.catalog.lint_evidence import EVIDENCE_CHECKS
    from recipeforge.catalog.load import SHIPPED_PACKS, load

    catalog = load()
    problems = [problem for check in EVIDENCE_CHECKS for problem in check(catalog, SHIPPED_PACKS)]
    for problem in problems:
        write(f"{problem}\n")
    count = len(catalog.claims)
    if problems:
        write(f"{len(problems)} problems in {count} claims\n")
        return FINDINGS
    write(f"{count} claims: every quote stands verbatim in the stored text of its source, and every text has its hash\n")
    return CLEAN
