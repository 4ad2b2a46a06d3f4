"""Whether a rule speaks for the recipe at hand: its scope against the recipe's framework and package versions."""

from collections.abc import Collection, Mapping

from recipeforge.catalog.subjects import EXCLUDED, PACKAGE_PREFIX
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


def dated(facts: Mapping[str, Fact]) -> bool:
    """Return whether somebody gave the version of some package."""
    return any(fact.startswith(PACKAGE_PREFIX) for fact in facts)


def versions_fit(rule: Rule, facts: Mapping[str, Fact], open_packages: Collection[str] = ()) -> bool:
    """Return whether `rule` is claimed for these versions.

    Where nobody gave any version, the current releases are meant; beside an older one of another package, or in `open_packages`, any.
    """
    for name, specifier in rule.scope.items():
        if specifier and specifier != EXCLUDED:
            version = facts.get(f"packages.{name}")
            if version is None and name in rule.past and name not in open_packages and not dated(facts):
                return False
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
