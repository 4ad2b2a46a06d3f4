"""Claims about a component's own measurements: on its page and card, and never about nobody."""

import dataclasses

import pytest

from recipeforge.catalog.compile import compile_packs
from recipeforge.catalog.lint import lint
from recipeforge.render.component_page import component_page
from recipeforge.schemas.claim import Claim


def measured(number: int, *about: str, withdrawn: str = "") -> Claim:
    quote = f"lora: val_loss 0.4{number} ± 0.01 over 3 seeds"
    return Claim(f"EV-20{number:02}", quote, "results.jsonl", "run", "recipeforge", "2026-11-21", "0", about=about, withdrawn=withdrawn)


@pytest.fixture
def catalog(cited_pack):
    sound = compile_packs([cited_pack])

    def with_claims(*claims: Claim):
        return dataclasses.replace(sound, claims={**sound.claims, **{claim.id: claim for claim in claims}})

    return with_claims


def test_a_measurement_stands_on_the_components_page(catalog) -> None:
    told = component_page(found := catalog(measured(1, "lora", "dora"), measured(2, "lora")), found.components["lora"])
    section = told.split("## Measured\n\n")[1].split("\n\n")[0].splitlines()
    assert [line.split("(")[1] for line in section] == ["EV-2002, T1, run, 2026-11-21)", "EV-2001, T1, run, 2026-11-21)"]
    assert "± 0.01 over 3 seeds" in section[0]


def test_a_withdrawn_one_does_not_and_nobody_else_bears_it(catalog) -> None:
    found = catalog(measured(1, "lora", withdrawn="the data were wrong"))
    assert "## Measured" not in component_page(found, found.components["lora"])
    found = catalog(measured(1, "lora"))
    assert "## Measured" not in component_page(found, found.components["dora"])


def test_it_needs_no_rule_but_a_component(catalog, cited_pack) -> None:
    assert not [finding for finding in lint(catalog(measured(1, "lora")), [cited_pack]) if "no rule uses it" in finding]
    assert "EV-2001: no rule uses it" in lint(catalog(measured(1)), [cited_pack])
    assert "EV-2001: about 'lorra', which is no component" in lint(catalog(measured(1, "lorra")), [cited_pack])
