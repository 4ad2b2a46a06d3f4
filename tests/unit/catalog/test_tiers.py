"""Tiers follow from the claims that stand."""

import pytest

from recipeforge.catalog.tiers import tier_of
from recipeforge.schemas.claim import Claim


def claim(kind, origin="a", withdrawn=""):
    return Claim("EV-0001", "q", f"https://{origin}", kind, origin, "2026-11-21", "0", withdrawn=withdrawn)


@pytest.mark.parametrize(
    ("claims", "tier"),
    [
        ([], "T3"),
        ([claim("issue")], "T3"),
        ([claim("issue"), claim("blog")], "T3"),
        ([claim("issue"), claim("blog", "b")], "T2"),
        ([claim("docs")], "T2"),
        ([claim("source-code")], "T2"),
        ([claim("paper")], "T2"),
        ([claim("report"), claim("owner-note")], "T1"),
        ([claim("run")], "T1"),
        ([claim("run", withdrawn="measured wrongly")], "T3"),
        ([claim("docs", withdrawn="page gone"), claim("issue", "b")], "T3"),
        ([claim("issue"), claim("issue", "b", withdrawn="retracted")], "T3"),
    ],
)
def test_tier(claims, tier):
    assert tier_of(claims) == tier
