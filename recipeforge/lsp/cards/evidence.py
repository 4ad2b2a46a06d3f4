"""Cards of rules and claims, and the lines about them on other cards: who says so, in their own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from recipeforge.catalog.pages import title_of
from recipeforge.catalog.tiers import tier_of
from recipeforge.catalog.words import clauses
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.markdown import cut, escaped, link, prose, quoted, source
from recipeforge.lsp.pages import page_uri
from recipeforge.lsp.rules_about import Spoken, rules_about
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.claim import Claim, SourceKind, Tier
from recipeforge.schemas.condition import All, AnyOf, Condition, Holds, Not
from recipeforge.schemas.rule import Rule

LONGEST_WHY = 360
LONGEST_QUOTE = 220
LONGEST_CLAUSE = 70
MOST_CLAUSES = 2
MOST_RULES = 3
MOST_QUOTES = 3

_TRUST: dict[Tier, str] = {"T1": "the owner's own", "T2": "official", "T3": "unconfirmed"}
_KINDS: dict[SourceKind, str] = {
    "source-code": "source code",
    "docs": "documentation",
    "paper": "paper",
    "issue": "issue",
    "blog": "blog",
    "owner-note": "note",
    "run": "recorded run",
    "report": "report",
}
_PLACEHOLDER = re.compile(r"‹([^›]*)›")
_VERSION = re.compile(r"(?:, not)? ‹packages\.[^›]*›")
"""A version that is not the recipe's: what the version has to be is said behind."""
_THE = {"gpu.title": "the GPU", "model.title": "the model", "model.id": "the model"}


def rule_link(rule: Rule) -> str:
    """Return a rule's code, which leads to its page."""
    return link(rule.code, page_uri(rule.code))


def rule_card(catalog: Catalog, rule: Rule) -> str:
    """Return what a rule says, why, and who says so."""
    head = f"**{rule.effective_severity}** {rule_link(rule)} `{rule.slug}`: {prose(title_of(rule))}"
    return "\n\n".join([head, prose(cut(rule.why, LONGEST_WHY)), *evidence(catalog, rule)])


def claim_card(catalog: Catalog, claim: Claim) -> str:
    """Return a claim's words, their source, and the rules that rest on it."""
    parts = [quote_block(claim), f"`{claim.id}`, read {claim.retrieved}."]
    rules = [rule for rule in catalog.rules.values() if claim.id in rule.evidence]
    if rules:
        parts.append("\n".join(["Backs", "", *(f"- {rule_link(rule)} {prose(title_of(rule))}" for rule in rules[:5])]))
    return "\n\n".join(parts)


def evidence(catalog: Catalog, rule: Rule, most: int = MOST_QUOTES) -> list[str]:
    """Return the claims behind a rule, strongest first; those that were withdrawn beside them, with the reason."""
    cited = [catalog.claims[id_] for id_ in rule.evidence if id_ in catalog.claims]
    standing = [claim for claim in cited if not claim.withdrawn]
    blocks = [quote_block(claim) for claim in standing[:most]]
    if len(standing) > most:
        blocks.append(f"{len(standing) - most} more on {link('its page', page_uri(rule.code))}.")
    blocks += [f"{quote_block(claim)}\n\nWithdrawn: {escaped(claim.withdrawn)}" for claim in cited if claim.withdrawn]
    return blocks


def quote_block(claim: Claim) -> str:
    """Return a claim as a quotation with its source underneath."""
    about = [badge(claim), source(claim)]
    about += [f"speaks for {escaped(claim.speaks_for)}"] if claim.speaks_for else []
    return f"> {quoted(claim, LONGEST_QUOTE)}  \n> {' · '.join(about)}"


def badge(claim: Claim) -> str:
    """Return how far a source is trusted, and of what kind it is."""
    tier = tier_of([claim])
    return f"**{tier}** {_TRUST[tier]} {_KINDS[claim.kind]}"


# -- rules on the cards of other things ----------------------------------------------------------------------


def rules_section(
    known: Analysis, subject: str, *, heading: str, untold: Collection[str] = (), more: str = "", quotes: int = 1
) -> Iterator[str]:
    """Yield the rules that a component or a knob can break: those that fire, then the nearest, `quotes` of them with a quote.

    `untold`: codes that are told elsewhere in the popup. `more`: what to read for the rest.
    """
    spoken = [one for one in rules_about(known.catalog, subject, known.view) if one.rule.code not in untold]
    if not spoken:
        return
    rows = [_row(known, one, subject, with_quote=index < quotes) for index, one in enumerate(spoken[:MOST_RULES])]
    if len(spoken) > MOST_RULES:
        rows.append(f"- and {len(spoken) - MOST_RULES} more{f' on {more}' if more else ''}")
    yield f"**{heading}**\n\n" + "\n".join(rows)


def _row(known: Analysis, spoken: Spoken, subject: str, *, with_quote: bool) -> str:
    rule, catalog = spoken.rule, known.catalog
    fired = next((finding.message for finding in known.report.diagnostics if finding.code == rule.code), None)
    told = f"{fired} (here)" if fired is not None else _sentence(catalog, spoken, subject)
    head = f"- {rule.effective_severity} {rule_link(rule)} {prose(told)}"
    claim = next((catalog.claims[id_] for id_ in rule.evidence if id_ in catalog.claims and not catalog.claims[id_].withdrawn), None)
    if claim is None or not with_quote:
        return head
    return f"{head}  \n  {quoted(claim, 130)} **{tier_of([claim])}** {source(claim)}"


def _sentence(catalog: Catalog, spoken: Spoken, subject: str) -> str:
    """Return what a rule says, without values that are not those of the recipe, and what is lacking before it fires."""
    named = {holds.slot: holds.components for holds in _asked(spoken.rule.violated_when) if len(holds.components) <= 4}

    def words(name: str) -> str:
        component = catalog.components.get(subject)
        if component is not None and component.slot == name:
            return component.title
        if name in named:
            return " or ".join(catalog.components[id_].title for id_ in named[name])
        return f"such {catalog.slots[name].title}" if name in catalog.slots else _THE.get(name, name)

    title = _PLACEHOLDER.sub(lambda found: words(found[1]), _VERSION.sub("", title_of(spoken.rule)))
    title = f"{title[:1].upper()}{title[1:]}" if title.startswith("the ") else title
    if not spoken.lacking:
        return title
    lacking = [cut(clause.replace("`", ""), LONGEST_CLAUSE) for part in spoken.lacking for clause in clauses(catalog, part)]
    return f"{title}, if {' and '.join(lacking[:MOST_CLAUSES])}{' and more' if len(lacking) > MOST_CLAUSES else ''}"


def _asked(condition: Condition | None) -> Iterator[Holds]:
    """Yield what a pattern wants to stand in slots."""
    match condition:
        case Holds():
            yield condition
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _asked(part)
        case Not() | _:
            return
