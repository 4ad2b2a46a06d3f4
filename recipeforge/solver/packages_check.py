"""Chosen versions judged anew: rules by plain evaluation, releases by their metadata, without the solver's variables."""

from collections.abc import Mapping
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.evaluate import evaluate
from recipeforge.solver.packages_world import ON_LINUX, PREFIX, PYTHON, Values
from recipeforge.solver.scope import in_scope
from recipeforge.solver.view import view_of


def broken(catalog: Catalog, loadout: Loadout, values: Mapping[str, Values], installed: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what is wrong with installed versions: hard rules and requirements of releases; and the milder rules."""
    told = [*_rules(catalog, loadout, values, installed)]
    hard = [code for code, error in told if error] + _unmet(values, installed)
    return hard, [code for code, error in told if not error]


def _rules(catalog: Catalog, loadout: Loadout, values: Mapping[str, Values], installed: Mapping[str, str]) -> list[tuple[str, bool]]:
    others = {s: v for s, v in loadout.context.facts.items() if s.removeprefix(PREFIX) not in values}
    facts = others | {PREFIX + package: version for package, version in installed.items()}
    blind, view = (view_of(catalog, replace(loadout, context=replace(loadout.context, facts=told))) for told in (others, facts))
    found: list[tuple[str, bool]] = []
    for rule in catalog.rules.values():
        if rule.violated_when is None or rule.stage == "removed":
            continue
        bounded = any(rule.scope.get(package) for package in values)
        # What is broken whatever the versions is the recipe's own fault.
        about = bounded or (any(s.startswith(PREFIX) for s in subjects_in(rule)) and not evaluate(rule.violated_when, blind))
        if about and in_scope(rule, facts) and evaluate(rule.violated_when, view):
            found.append((rule.code, rule.effective_severity == "error"))
    return found


def _unmet(values: Mapping[str, Values], installed: Mapping[str, str]) -> list[str]:
    """Return requirements of installed releases that the others do not meet."""
    python = f"{installed[PYTHON]}.99"
    here = {**ON_LINUX, "python_version": installed[PYTHON], "python_full_version": python}
    found: list[str] = []
    for package, version in installed.items():
        release = values[package].releases[values[package].versions.index(version)]
        if release is None:
            continue
        if not SpecifierSet(release.python).contains(python) or (release.built_for and installed[PYTHON] not in release.built_for):
            found.append(f"{release.purl} on Python {installed[PYTHON]}")
        for wanted in map(Requirement, release.requires or ()):
            if wanted.marker is None or wanted.marker.evaluate(here):
                other = installed.get(canonicalize_name(wanted.name))
                if other is None or not wanted.specifier.contains(other, prereleases=True):
                    found.append(f"{release.purl} requires {wanted}")
    return found
