"""What a rule's violation looks like where nothing fails: seen in what the forced run told."""

from collections.abc import Callable, Mapping
from typing import Any

Heard = Mapping[str, Any]


def _nothing_measured(heard: Heard) -> bool:
    return "heldout_loss_before" not in heard


def _rate_stands_still(heard: Heard) -> bool:
    return len({value for name, value in heard.items() if name.startswith("rate ")}) == 1


def _one_rate_for_all(heard: Heard) -> bool:
    return len(heard.get("rates", ())) == 1


def _no_4bit_layers(heard: Heard) -> bool:
    return heard.get("layers in 4 bits") == 0


TRUTHS: dict[str, tuple[str, Callable[[Heard], bool]]] = {
    "RF1001": ("no layer of the base was stored in 4 bits: what trained was LoRA", _no_4bit_layers),
    "RF5221": ("evaluation was asked for and nothing was measured", _nothing_measured),
    "RF3051": ("the schedule that watches the held-out loss never moved", _rate_stands_still),
    "RF3052": ("the schedule that follows the held-out loss never moved", _rate_stands_still),
    "RF1027": ("no weight had a rate of its own", _one_rate_for_all),
}
"""Code → what is seen, and whether it was."""


REFUSED = {
    "RF1115": "packed rows would see one another",
    "RF1188": "packed rows would see one another",
}
"""Codes of warnings about what the engine does not do at all: it refuses, and says why."""


def does_what_it_says(codes: tuple[str, ...], heard: Heard) -> bool:
    """Return whether at least one of the rules was seen to come true."""
    return any(code in TRUTHS and TRUTHS[code][1](heard) for code in codes)
