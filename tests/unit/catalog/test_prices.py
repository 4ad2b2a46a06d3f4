"""The price table: where it comes from, and what the linter refuses."""

from dataclasses import replace

import pytest

from recipeforge.catalog.lint import lint
from recipeforge.catalog.load import load
from recipeforge.schemas.catalog import Offer


def test_every_offer_is_one_of_its_provider_for_a_known_gpu() -> None:
    offers = load().prices.values()
    assert len(offers) >= 40
    assert len({(o.gpu, o.provider) for o in offers}) == len(offers)
    assert all(o.gpu in load().gpus and o.provider.lower() in o.id and 0.05 < o.usd_hour < 20 for o in offers)


@pytest.mark.parametrize(
    ("offer", "finding"),
    [
        (Offer("x-h100", "h101", "X", 1.0, "https://x.example", "2026-11-21"), "price x-h100: there is no GPU 'h101'"),
        (Offer("x-h100", "h200", "X", 0.0, "https://x.example", "2026-11-21"), "price x-h100: 0 USD an hour is no price"),
        (Offer("x-h100", "h200", "X", 1.0, "x.example", "2026-11-21"), "price x-h100: source 'x.example' does not start with https://"),
        (Offer("x-h100", "h200", "X", 1.0, "https://x.example", "lately"), "price x-h100: checked 'lately' is no date such as 2026-01-31"),
    ],
)
def test_the_linter_refuses_what_is_no_price(offer: Offer, finding: str) -> None:
    assert finding in lint(replace(load(), prices={offer.id: offer}), ())
