"""How far evidence is trusted: tiers are derived from claims, never typed."""

from collections.abc import Iterable

from recipeforge.catalog.origins import origins_of
from recipeforge.schemas.claim import Claim, Tier

OWN_KINDS = frozenset({"owner-note", "run"})
OFFICIAL_KINDS = frozenset({"source-code", "docs", "paper"})


def tier_of(claims: Iterable[Claim]) -> Tier:
    """Return the tier that these claims support together; T3 when none counts.

    T1: the owner's own (a signed note or a recorded run). T2: official docs, source or paper,
    or two independent origins that agree, copies and mirrors folded. T3: one unconfirmed origin.
    Withdrawn claims do not count.
    """
    standing = [claim for claim in claims if not claim.withdrawn]
    if any(claim.kind in OWN_KINDS for claim in standing):
        return "T1"
    if any(claim.kind in OFFICIAL_KINDS for claim in standing) or origins_of(standing).count >= 2:
        return "T2"
    return "T3"
