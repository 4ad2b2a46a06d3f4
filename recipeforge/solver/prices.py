"""What an hour of a GPU costs: the recipe's own figure, or the published offers of the catalog."""

from collections.abc import Mapping

from recipeforge.schemas.catalog import Catalog, Offer
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record

PRICE = "hardware.price_usd_hour"


@record
class Price:
    """USD for one GPU and one hour."""

    low: float
    typical: float
    high: float
    offers: tuple[Offer, ...] = ()
    """The offers that it was read from, cheapest first; none where the recipe gives its own figure."""


def price_of(catalog: Catalog, facts: Mapping[str, Fact], knobs: Mapping[str, Scalar]) -> Price | None:
    """Return the cheapest, the middle and the dearest price of the GPU; `None` where nobody states one."""
    own = knobs.get(PRICE)
    if isinstance(own, int | float):
        return Price(float(own), float(own), float(own))
    offers = sorted((o for o in catalog.prices.values() if o.gpu == facts.get("gpu.id")), key=lambda o: o.usd_hour)
    if not offers:
        return None
    middle = offers[(len(offers) - 1) // 2], offers[len(offers) // 2]
    return Price(offers[0].usd_hour, (middle[0].usd_hour + middle[1].usd_hour) / 2, offers[-1].usd_hour, tuple(offers))
