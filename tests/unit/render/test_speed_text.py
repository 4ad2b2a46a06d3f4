"""Speed, time and cost as text and as data."""

from collections.abc import Callable

from recipeforge.render.speed import price_words, render_speed, speed_json
from recipeforge.schemas.catalog import Offer
from recipeforge.solver.prices import Price
from recipeforge.solver.speed_estimate import Speed

OFFERS = (
    Offer("verda-h200", "h200", "Verda", 3.39, "https://verda.example", "2026-11-21"),
    Offer("nebius-h200", "h200", "Nebius", 3.5, "https://nebius.example", "2026-10-01"),
)
PRICE = Price(3.39, 3.445, 3.5, OFFERS)
FOUND = Speed(
    (500, 2000, 3700), 63.28e9, (0.105, 0.42, 0.777), 2, (253_000, 63_000, 34_000), (492, 120.6, 64.03), PRICE, ("precision bf16",)
)


def test_every_number_has_its_range_and_the_price_its_date(golden: Callable[[str, str], None]) -> None:
    unset = "set `train.steps` to see how long the run takes"
    nobody = Speed(FOUND.tokens_per_s, FOUND.operations, FOUND.attained, 1)
    told = [render_speed(FOUND, "", unset), render_speed(nobody, "", unset), render_speed(None, "no GPU is given", unset)]
    golden("speed.txt", "\n---\n".join(told))


def test_a_price_names_who_asks_it() -> None:
    assert price_words(Price(2, 2, 2)) == "2 USD an hour and GPU, as the recipe says"
    only = price_words(Price(3.39, 3.39, 3.39, OFFERS[:1]))
    assert only == "3.39 USD an hour and GPU (Verda, 2026-11-21), the only offer known; `hardware.price_usd_hour` sets another"


def test_data_have_every_range_and_every_source() -> None:
    told = speed_json(FOUND, "")
    assert told["tokens_per_s"] == {"slow": 500, "typical": 2000, "fast": 3700}
    assert told["seconds"] == {"slow": 253_000, "typical": 63_000, "fast": 34_000}
    assert told["usd"] == {"slow": 492, "typical": 120.6, "fast": 64.03}
    assert told["offers"] == [{"provider": o.provider, "usd_hour": o.usd_hour, "source": o.source, "checked": o.checked} for o in OFFERS]
    assert speed_json(None, "no GPU is given") == {"unknown": "no GPU is given"}
