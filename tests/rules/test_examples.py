"""Every rule's own examples: the bad one reports exactly that rule and its listed companions, the good one is clean."""

import pytest

from recipeforge.api.checking import catalog_for
from recipeforge.catalog.load import load
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.diagnostic import Diagnostic
from recipeforge.schemas.rule import Rule
from recipeforge.solver.diagnose import diagnose
from recipeforge.solver.resolve import resolve

CATALOG = load()
RULES = [rule for rule in CATALOG.rules.values() if not rule.code.startswith("RF0")]
"""Rules with a condition; those of the RF0 family are about text that is no recipe, and the reader's tests cover them."""


def findings(text: str) -> tuple[Diagnostic, ...]:
    """Return everything that is reported about a recipe and that no comment in it silences."""
    document = parse(text, "example.yaml")
    result = read(document, CATALOG)
    found = (*document.diagnostics, *result.diagnostics)
    if result.loadout is None:
        return found
    catalog = catalog_for(CATALOG, result.loadout)
    found = (*found, *diagnose(catalog, result.loadout, resolve(catalog, result.loadout)))
    return apply_ignores(document, CATALOG, found)


def shown(found: tuple[Diagnostic, ...]) -> list[str]:
    """Return findings as sorted slugs, each once: a reader may report what the solver repeats."""
    return sorted({diagnostic.slug for diagnostic in found})


def of_rule(rule: Rule, found: tuple[Diagnostic, ...]) -> Diagnostic:
    """Return what this rule reported."""
    return next(diagnostic for diagnostic in found if diagnostic.slug == rule.slug)


def test_catalog_has_rules_in_every_family() -> None:
    families = {rule.code[:3] for rule in RULES}
    assert families >= {f"RF{number}" for number in range(1, 9)}
    assert len(RULES) >= 80


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.slug}")
def test_bad_example_reports_exactly_its_rule(rule: Rule) -> None:
    assert rule.example is not None, "a rule needs a bad and a good example"
    found = findings(rule.example.bad)
    assert shown(found) == sorted({rule.slug, *rule.example.companions})
    assert of_rule(rule, found).severity == rule.effective_severity


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.slug}")
def test_good_example_is_clean(rule: Rule) -> None:
    assert rule.example is not None, "a rule needs a bad and a good example"
    assert shown(findings(rule.example.good)) == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fixes], ids=lambda rule: f"{rule.code}-{rule.slug}")
def test_bad_example_is_offered_a_fix_of_its_rule(rule: Rule) -> None:
    assert rule.example is not None, "a rule needs a bad and a good example"
    offered = {fix.title for fix in of_rule(rule, findings(rule.example.bad)).fixes}
    assert offered & {fix.title for fix in rule.fixes}, f"none of its fixes cures the example; offered: {sorted(offered)}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.slug}")
def test_message_has_all_its_values(rule: Rule) -> None:
    assert rule.example is not None, "a rule needs a bad and a good example"
    message = of_rule(rule, findings(rule.example.bad)).message
    assert "{" not in message, f"a placeholder has no value: {message}"
    assert "None" not in message, f"a placeholder has no value: {message}"
