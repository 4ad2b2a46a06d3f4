"""A claim: one sourced statement, with the exact words of its source."""

from typing import Literal

from recipeforge.schemas.record import record

Tier = Literal["T1", "T2", "T3"]
SourceKind = Literal["source-code", "docs", "paper", "issue", "blog", "owner-note", "run", "report"]

TIER_WEIGHT: dict[Tier, float] = {"T1": 1.0, "T2": 0.8, "T3": 0.5}


@record
class Claim:
    """Evidence for a rule or a fact."""

    id: str
    """`EV-0001`; never reused."""
    quote: str
    """At most 300 characters, found verbatim (after whitespace and Unicode normalisation) in the stored excerpt."""
    url: str
    """Pinned to a commit or version where the source has one."""
    kind: SourceKind
    origin: str
    """Who speaks, after mirrors and copies are folded, such as `peft` or `axolotl`."""
    retrieved: str
    """ISO date on which the text was fetched."""
    excerpt_sha256: str
    """Hash of the stored excerpt `excerpts/<id>.txt`."""
    language: str = "en"
    title: str = ""
    """The document's own name."""
    speaks_for: str = ""
    """Framework and versions the claim is about, where it is not general."""
    about: tuple[str, ...] = ()
    """Components that were measured: the claim stands on their pages, with or without a rule that rests on it."""
    withdrawn: str = ""
    """Why it no longer counts; empty while it does."""
