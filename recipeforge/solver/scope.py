"""Whether a rule speaks for the recipe at hand: its scope against the recipe's framework and package versions."""

from collections.abc import Mapping

from recipeforge.catalog.subjects import EXCLUDED
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.rule import Rule

WHOLE_FRAMEWORKS = frozenset({"axolotl", "llama-factory", "torchtune", "unsloth", "ms-swift", "litgpt"})
"""Programs with a validator and a trainer of their own: what one of them refuses says nothing about the others."""

WITHOUT_HUGGING_FACE_TRAINERS = frozenset({"torchtune", "litgpt"})
"""Frameworks that do not run on transformers' or TRL's trainers, so that limits of those do not bind them."""


def in_scope(rule: Rule, facts: Mapping[str, Fact]) -> bool:
    """Return whether `rule` is claimed for this framework and these versions."""
    return not rule.scope or (binds(rule, facts.get("framework")) and versions_fit(rule, facts))


def binds(rule: Rule, framework: Fact | None) -> bool:
    """Return whether `rule` is claimed for this framework, in some version of it."""
    for name, specifier in rule.scope.items():
        if specifier == EXCLUDED:
            if framework == name:
                return False
        elif name in WHOLE_FRAMEWORKS:
            if framework != name:
                return False
        elif name != "torch" and framework in WITHOUT_HUGGING_FACE_TRAINERS:
            return False
    return True


def versions_fit(rule: Rule, facts: Mapping[str, Fact]) -> bool:
    """Return whether `rule` is claimed for these versions.

    A version that nobody gave counts as inside: the claim was true of some current release.
    """
    for name, specifier in rule.scope.items():
        if specifier and specifier != EXCLUDED:
            version = facts.get(f"packages.{name}")
            if version is not None and not _admits(specifier, str(version)):
                return False
    return True


def _admits(specifier: str, version: str) -> bool:
    """Return whether the version lies in the range; an unreadable version does."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidVersion:
        return True
