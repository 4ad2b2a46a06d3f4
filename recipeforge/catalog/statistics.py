"""What the catalog holds, counted."""

from collections import Counter
from collections.abc import Iterable

from recipeforge.catalog.origins import origins_of
from recipeforge.catalog.rules import FILE_FAMILY
from recipeforge.catalog.verification import claims_of
from recipeforge.schemas.catalog import Catalog

KINDS = ("rules", "components", "slots", "knobs", "gpus", "models", "packages", "prices")


def statistics(catalog: Catalog) -> dict[str, object]:
    """Return counts by name; those `by_…` are mappings, most often in the order of the catalog."""
    cited = [rule for rule in catalog.rules.values() if not rule.code.startswith(FILE_FAMILY)]
    origins = [origins_of(claims_of(catalog, rule)) for rule in cited]
    two = sum(found.count >= 2 for found in origins)
    claims = catalog.claims.values()
    return {
        "hash": catalog.hash,
        **{kind: len(getattr(catalog, kind)) for kind in KINDS},
        "claims": len(claims),
        "tiers": dict(sorted(Counter(rule.tier for rule in cited if rule.evidence).items())),
        "severities": dict(Counter(rule.effective_severity for rule in catalog.rules.values())),
        "families": {f"{family}xxx": n for family, n in sorted(Counter(code[:3] for code in catalog.rules).items())},
        "origins": len({claim.origin.casefold() for claim in claims}),
        "by_slot": {slot: len(catalog.members(slot)) for slot in catalog.slots},
        "by_family": dict(sorted(Counter(code[:3] for code in catalog.rules).items())),
        "by_tier": dict(sorted(Counter(rule.tier for rule in catalog.rules.values()).items())),
        "by_language": _ranked(claim.language for claim in claims),
        "by_origin": _ranked(claim.origin for claim in claims),
        "by_kind": _ranked(claim.kind for claim in claims),
        "rules_with_evidence": len(cited),
        "rules_with_two_origins": two,
        "share_with_two_origins": round(two / len(cited), 3) if cited else 0.0,
        "folded_origins": sum(found.folded for found in origins),
    }


def _ranked(words: Iterable[str]) -> dict[str, int]:
    """Return how often each word occurs, the most frequent first."""
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))
