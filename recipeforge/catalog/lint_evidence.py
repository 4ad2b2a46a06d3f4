"""The linter's checks of claims: every quote stands in its stored excerpt, and every excerpt has its claim."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from recipeforge.catalog.quotes import MAX_QUOTE_CHARS, found_in, sha256_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.claim import Claim

_CLAIM_ID = re.compile(r"EV-\d{4,}")


def _claims(catalog: Catalog, pack_dirs: Sequence[Path]) -> Iterator[str]:
    for claim in catalog.claims.values():
        if not _CLAIM_ID.fullmatch(claim.id):
            yield f"{claim.id}: a claim's id is EV- and four digits"
        if len(claim.quote) > MAX_QUOTE_CHARS:
            yield f"{claim.id}: the quote has {len(claim.quote)} characters, at most {MAX_QUOTE_CHARS}"
        if not claim.url.startswith("https://") and claim.kind not in ("owner-note", "run"):
            yield f"{claim.id}: url '{claim.url}' does not start with https://"
        if not is_date(claim.retrieved):
            yield f"{claim.id}: retrieved '{claim.retrieved}' is no date such as 2026-01-31"
        yield from _excerpt(claim, pack_dirs)


def _excerpt(claim: Claim, pack_dirs: Sequence[Path]) -> Iterator[str]:
    """Yield what is wrong between a claim and its stored text."""
    text = excerpt_of(claim, pack_dirs)
    if text is None:
        missing = not any((pack / "excerpts" / f"{claim.id}.txt").is_file() for pack in pack_dirs)
        yield f"{claim.id}: excerpts/{claim.id}.txt is {'missing; make it with dev/cite.py' if missing else 'not UTF-8'}"
        return
    if sha256_of(text) != claim.excerpt_sha256:
        yield f"{claim.id}: excerpts/{claim.id}.txt is not the text that was cited (its hash differs)"
    if not found_in(claim.quote, text):
        yield f"{claim.id}: excerpts/{claim.id}.txt does not contain the quote"


def excerpt_of(claim: Claim, pack_dirs: Sequence[Path]) -> str | None:
    """Return a claim's stored text; nothing where there is none that can be read."""
    paths = [path for pack in pack_dirs if (path := pack / "excerpts" / f"{claim.id}.txt").is_file()]
    try:
        return paths[-1].read_bytes().decode("utf-8") if paths else None
    except UnicodeDecodeError:
        return None


def _unused_claims(catalog: Catalog, pack_dirs: Sequence[Path]) -> Iterator[str]:
    used = {id_ for rule in catalog.rules.values() for id_ in rule.evidence}
    yield from (
        f"{claim.id}: no rule uses it"
        for claim in catalog.claims.values()
        if claim.id not in used and not claim.about and not claim.withdrawn
    )


def _orphan_excerpts(catalog: Catalog, pack_dirs: Sequence[Path]) -> Iterator[str]:
    for pack in pack_dirs:
        for path in sorted((pack / "excerpts").glob("*")):
            if path.suffix != ".txt" or path.stem not in catalog.claims:
                yield f"excerpts/{path.name}: no claim cites it"


def is_date(text: str) -> bool:
    """Return whether `text` is an ISO date."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


EVIDENCE_CHECKS: tuple[Callable[[Catalog, Sequence[Path]], Iterator[str]], ...] = (_claims, _unused_claims, _orphan_excerpts)
