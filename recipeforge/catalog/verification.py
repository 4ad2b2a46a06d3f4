"""Whether the evidence holds: quotes, hashes, ids, tiers, origins; and the sources themselves where clones are at hand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipeforge.catalog.lint_evidence import EVIDENCE_CHECKS, excerpt_of
from recipeforge.catalog.origins import Origins, copies, origins_of
from recipeforge.catalog.quotes import found_in, sha256_of
from recipeforge.catalog.rules import FILE_FAMILY
from recipeforge.catalog.sources import Clones, file_of_url
from recipeforge.catalog.tiers import tier_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule


@record
class Evidence:
    """What stands behind a catalog."""

    claims: int
    quotes_found: int
    """Claims whose quote stands in the stored excerpt."""
    hashes_right: int
    """Claims whose excerpt is the text that was cited."""
    rules: dict[str, Origins]
    """Rule that needs evidence → its independent origins."""
    origins: int
    """Origins by name."""
    folded: int
    """Pairs of claims under two names that are one voice."""
    dangling: int
    """Ids of claims that rules name and nobody wrote."""
    problems: tuple[str, ...]
    """Everything that is wrong, one sentence each."""

    @property
    def two_origins(self) -> int:
        """Rules that two or more independent origins back."""
        return sum(origins.count >= 2 for origins in self.rules.values())


@dataclass
class Refetched:
    """What the sources themselves say today, as far as clones of them are at hand."""

    same: int = 0
    """Quote and excerpt stand in the source."""
    no_clone: int = 0
    """A pinned file of a repository that is not among the clones, or whose clone lacks the commit or the file."""
    elsewhere: int = 0
    """Not a pinned file of a repository."""
    problems: list[str] = field(default_factory=list[str])


def verify(catalog: Catalog, pack_dirs: Sequence[Path]) -> Evidence:
    """Return what holds of the catalog's evidence, and what does not."""
    problems = [problem for check in EVIDENCE_CHECKS for problem in check(catalog, pack_dirs)]
    dangling = [f"{rule.code}: evidence {id_} is no claim" for rule in cited(catalog) for id_ in rule.evidence if id_ not in catalog.claims]
    excerpts = {claim.id: excerpt_of(claim, pack_dirs) for claim in catalog.claims.values()}
    found = sum(found_in(claim.quote, excerpts[claim.id] or "") for claim in catalog.claims.values())
    right = sum(sha256_of(excerpts[claim.id] or "") == claim.excerpt_sha256 for claim in catalog.claims.values())
    rules = {rule.code: origins_of(claims_of(catalog, rule)) for rule in cited(catalog)}
    return Evidence(
        claims=len(catalog.claims),
        quotes_found=found,
        hashes_right=right,
        rules=rules,
        origins=len({claim.origin.casefold() for claim in catalog.claims.values()}),
        folded=len(copies(list(catalog.claims.values()))),
        dangling=len(dangling),
        problems=(*problems, *dangling, *_tiers(catalog)),
    )


def refetch(catalog: Catalog, pack_dirs: Sequence[Path], clones: Path) -> Refetched:
    """Look up every quote and every excerpt in the source itself, at the commit that the claim names."""
    told = Refetched()
    with Clones(clones) as held:
        for claim in catalog.claims.values():
            file = file_of_url(claim.url)
            text = held.text(file) if file else None
            if file is None:
                told.elsewhere += 1
            elif text is None:
                told.no_clone += 1
            elif not found_in(claim.quote, text):
                told.problems.append(f"{claim.id}: the source does not contain the quote: {claim.url}")
            elif not found_in(excerpt_of(claim, pack_dirs) or "", text):
                told.problems.append(f"{claim.id}: the source does not contain the stored excerpt: {claim.url}")
            else:
                told.same += 1
    return told


def cited(catalog: Catalog) -> Iterator[Rule]:
    """Yield the rules that others have to speak for: all but those about the file format, which is our own."""
    return (rule for rule in catalog.rules.values() if not rule.code.startswith(FILE_FAMILY))


def claims_of(catalog: Catalog, rule: Rule) -> list[Claim]:
    """Return the claims that a rule cites, in its order."""
    return [catalog.claims[id_] for id_ in rule.evidence if id_ in catalog.claims]


def tiers(catalog: Catalog) -> dict[str, int]:
    """Return how many rules with evidence have each tier."""
    return dict(sorted(Counter(rule.tier for rule in cited(catalog)).items()))


def _tiers(catalog: Catalog) -> Iterator[str]:
    for rule in cited(catalog):
        derived = tier_of(claims_of(catalog, rule))
        if derived != rule.tier:
            yield f"{rule.code}: is kept as {rule.tier}, and its claims support {derived}"
