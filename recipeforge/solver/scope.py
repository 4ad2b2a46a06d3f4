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
    """Return whether `rule` is claimed for this framework and these versions.

    A version that nobody gave counts as inside: the claim was true of some current release.
    """
    if not rule.scope:
        return True
    framework = facts.get("framework")
    for name, specifier in rule.scope.items():
        if specifier == EXCLUDED:
            if framework == name:
                return False
            continue
        if name in WHOLE_FRAMEWORKS and framework != name:
            return False
        if name not in WHOLE_FRAMEWORKS and name != "torch" and framework in WITHOUT_HUGGING_FACE_TRAINERS:
            return False
        version = facts.get(f"packages.{name}")
        if specifier and version is not None and not _admits(specifier, str(version)):
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
