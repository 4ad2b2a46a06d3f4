"""Where demands on versions come from: what the recipe needs and gives, what releases require of each other, and rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.catalog.subjects import EXCLUDED
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Comparison, Condition, Not
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.release import Release, Releases
from recipeforge.schemas.rule import Rule
from recipeforge.solver.clauses import bits
from recipeforge.solver.grounding import Grounding
from recipeforge.solver.packages_world import GIVEN, NEED, ON_LINUX, PREFIX, PYTHON, Allowed, Demand, Puzzle, Values, grounding_variables
from recipeforge.solver.scope import binds, versions_fit
from recipeforge.solver.view import View, view_of

STACK = ("torch", "transformers", "accelerate")
"""What the trainers of Hugging Face import, whoever calls them."""
OF_FRAMEWORK = {
    "trl": (*STACK, "trl"),
    "axolotl": (*STACK, "axolotl"),
    "llama-factory": (*STACK, "llamafactory"),
    "torchtune": ("torch", "torchtune"),
}
"""Framework → the packages that it is and stands on. One that nobody names is the stack itself."""
OWN_TRAINERS = frozenset({"torchtune"})
"""Frameworks that bring adapters and objectives of their own instead of PEFT's and TRL's."""
HUGGING_FACE = frozenset({"transformers", "peft", "trl", "accelerate"})
ADAPTER_TAG, ADAPTER_PACKAGE = "adapter", "peft"
_INVERSE: dict[Comparison, Comparison] = {
    "lt": "ge",
    "ge": "lt",
    "le": "gt",
    "gt": "le",
    "eq": "ne",
    "ne": "eq",
    "has": "lacks",
    "lacks": "has",
}


def puzzle_of(catalog: Catalog, releases: Releases, loadout: Loadout) -> Puzzle:
    """Return the packages of a recipe, and what is demanded of their versions."""
    view = view_of(catalog, loadout)
    needs = list(needed(view))
    given = {s.removeprefix(PREFIX): str(v) for s, v in view.facts.items() if s.startswith(PREFIX)}
    values = _values(releases, [*(package for package, _ in needs), *given], given)
    demands = [_need(values[package], pick) for package, pick in needs if package in values]
    demands += [_given(values[package], version) for package, version in given.items() if package in values]
    demands += [d for rule in catalog.rules.values() for d in rule_demands(rule, view, values)]
    demands += [d for one in values.values() if one.package != PYTHON for d in _stated(one, values)]
    named = {e.component for e in loadout.equipped} | {"framework"} | {f"{PREFIX}{package}" for package in given}
    demands = [replace(d, picks=d.picks & named) for d in demands]  # a slot's default is no choice that could be given up
    unlisted = [f"pkg:pypi/{p}@{values[p].same_version(v)}" for p, v in given.items() if p in values and _unknown(values[p], v)]
    unjudged = dict.fromkeys([*(p for p in (*(package for package, _ in needs), *given) if p not in values), *unlisted])
    return Puzzle(catalog, view.facts, values, tuple(demands), _in_order(loadout, demands), tuple(unjudged))


def needed(view: View) -> Iterator[tuple[str, str]]:
    """Yield each package that the recipe needs by itself, and what needs it: a component, `framework`; nothing where any training does."""
    framework = str(view.facts.get("framework"))
    for package in OF_FRAMEWORK.get(framework, STACK):
        yield package, "" if package in STACK else "framework"
    for component in (view.catalog.components[c] for held in view.slots.values() for c in held):
        of_adapter = (ADAPTER_PACKAGE,) if ADAPTER_TAG in component.tags else ()
        for package in (*of_adapter, *component.packages):
            if package not in (HUGGING_FACE if framework in OWN_TRAINERS else OF_FRAMEWORK.get(framework, STACK)):
                yield package, component.id


def _values(releases: Releases, names: Iterable[str], given: Mapping[str, str]) -> dict[str, Values]:
    """Return the values of these packages and of all that their releases require, and of Python."""
    found: dict[str, Values] = {PYTHON: _pythons(releases, given.get(PYTHON))}
    pending = [name for name in names if name in releases]
    while pending:
        name = pending.pop(0)
        if name in found:
            continue
        listed = releases[name]
        values = Values(name, tuple(r.version for r in listed), listed)
        if name in given and values.same_version(given[name]) is None:
            values = Values(name, (*values.versions, given[name]), (*values.releases, None))
        found[name] = values
        pending += [canonicalize_name(Requirement(line).name) for r in listed for line in r.requires or ()]
    return found


def _pythons(releases: Releases, given: str | None) -> Values:
    """Return the Pythons that some release was built for, and the given one; where nothing tells any apart, just "3"."""
    built = {python for listed in releases.values() for r in listed for python in r.built_for}
    minor = ".".join(given.split(".")[:2]) if given else None
    known = sorted((built | ({minor} if minor else set())) or {"3"}, key=lambda p: [int(x) for x in p.split(".")])
    return Values(PYTHON, tuple(known), (None,) * len(known))


def _unknown(values: Values, given: str) -> bool:
    version = values.same_version(given)
    return values.package != PYTHON and version is not None and values.releases[values.versions.index(version)] is None


def _need(values: Values, pick: str) -> Demand:
    return Demand(f"{NEED}{values.package}:{pick}", ({values.package: values.installed},), frozenset({pick} - {""}))


def _given(values: Values, version: str) -> Demand:
    same = ".".join(version.split(".")[:2]) if values.package == PYTHON else values.same_version(version)
    return Demand(f"{GIVEN}{values.package}", ({values.package: values.mask([str(same)])},), frozenset({PREFIX + values.package}))


def _stated(values: Values, all_values: Mapping[str, Values]) -> Iterator[Demand]:
    """Yield what the releases of a package state: the Pythons they run on, and what they require of each other package."""
    pythons = all_values[PYTHON]
    runs: dict[int, list[tuple[int, Release]]] = {}
    asks: dict[str, dict[tuple[int, int], list[tuple[int, str, Release]]]] = {}
    for bit, release in ((1 << i, r) for i, r in enumerate(values.releases, 1) if r is not None):
        runs.setdefault(_runs_on(release, pythons), []).append((bit, release))
        for line in release.requires or ():
            wanted = Requirement(line)
            other = all_values[canonicalize_name(wanted.name)]
            binding = pythons.mask([p for p in pythons.versions if _binds(wanted, p)])
            fitting = other.mask([v for v in other.versions if wanted.specifier.contains(v, prereleases=True)])
            if binding:
                asks.setdefault(other.package, {}).setdefault((binding, fitting), []).append((bit, line, release))
    if rows := {mask: found for mask, found in runs.items() if mask != pythons.all & ~1}:
        clauses = tuple({values.package: values.all & ~_union(b for b, _ in found), PYTHON: mask} for mask, found in rows.items())
        lines = tuple((_union(b for b, _ in found), _python_words(found[-1][1]), found[-1][1]) for found in rows.values())
        yield Demand(f"runs:{values.package}", clauses, of=values.package, lines=lines)
    for package, told in asks.items():
        clauses = tuple(
            _clause(values, _union(b for b, _, _ in found), pythons, binding, package, fitting)
            for (binding, fitting), found in told.items()
        )
        lines = tuple((_union(b for b, _, _ in found), f"Requires-Dist: {found[-1][1]}", found[-1][2]) for found in told.values())
        yield Demand(f"requires:{values.package}:{package}", clauses, of=values.package, lines=lines)


def _union(masks: Iterable[int]) -> int:
    """Return all values in these masks; a release may say the same twice."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def _clause(values: Values, bound: int, pythons: Values, binding: int, package: str, fitting: int) -> Allowed:
    """Return "not one of these versions, or another Python, or that package fits"."""
    elsewhere = pythons.mask(pythons.versions) & ~binding
    return {values.package: values.all & ~bound} | ({PYTHON: elsewhere} if elsewhere else {}) | {package: fitting}


def _binds(wanted: Requirement, python: str) -> bool:
    """Return whether a requirement's marker holds on Linux x86-64 under a Python."""
    return wanted.marker is None or wanted.marker.evaluate({**ON_LINUX, "python_version": python, "python_full_version": _patched(python)})


def _patched(python: str) -> str:
    """Return a Python as its newest patch: `>=3.10.2` takes 3.10."""
    return python if python.count(".") > 1 else f"{python}.99"


def _runs_on(release: Release, pythons: Values) -> int:
    states = SpecifierSet(release.python)
    fit = [p for p in pythons.versions if states.contains(_patched(p)) and (not release.built_for or p in release.built_for)]
    return pythons.mask(fit)


def _python_words(release: Release) -> str:
    """Return what a release says about Python, as its metadata and its files say it."""
    built = f"files for Python {', '.join(release.built_for)}" if release.built_for else ""
    return "; ".join(filter(None, (f"Requires-Python: {release.python}" if release.python else "", built)))


def _speaks(rule: Rule, others: Mapping[str, Fact], values: Mapping[str, Values]) -> bool:
    """Return whether a rule is claimed for some of the versions that may be chosen."""
    return binds(rule, others.get("framework")) and versions_fit(rule, others, values.keys())


def rule_demands(rule: Rule, view: View, values: Mapping[str, Values]) -> Iterator[Demand]:
    """Yield what a rule demands of versions, given the recipe's parts and settings: one demand for each set of parts that it is about."""
    about = [s.removeprefix(PREFIX) for s in subjects_in(rule) if s.startswith(PREFIX)] if rule.violated_when else []
    bounded = [name for name, specifier in rule.scope.items() if specifier and specifier != EXCLUDED and name in values]
    others = {subject: value for subject, value in view.facts.items() if subject.removeprefix(PREFIX) not in values}
    if rule.violated_when is None or rule.stage == "removed" or not (about or bounded) or not _speaks(rule, others, values):
        return
    over = grounding_variables(view.catalog, others, view.knobs, values)
    held = sum({1 << over.component_var[c] for members in view.slots.values() for c in members})
    found: dict[frozenset[str], list[Allowed]] = {}
    for true, false in Grounding(over).cubes(_pushed(rule.violated_when), True):
        if true & over.components & ~held or false & held:
            continue
        picks = frozenset(str(over.named[v]) for v in bits(true & over.components))
        forbidden = _forbidden(true, false, over.domain_members, over.domains, values)
        if not forbidden and not bounded:
            return  # broken whatever the versions: that is the recipe's own fault, and `check` says so
        for name in bounded:
            admitted = values[name].mask([v for v in values[name].versions if SpecifierSet(rule.scope[name]).contains(v, prereleases=True)])
            forbidden[name] = forbidden.get(name, values[name].all) & (admitted | values[name].absent)
        found.setdefault(picks, []).append({package: values[package].all & ~mask for package, mask in forbidden.items()})
    for number, (picks, clauses) in enumerate(found.items()):
        key = rule.code if not number else f"{rule.code}:{number}"
        yield Demand(key, tuple(clauses), picks, rule, hard=rule.effective_severity == "error")


def _forbidden(
    true: int,
    false: int,
    members: Mapping[str, int],
    domains: Mapping[str, tuple[tuple[object, int], ...]],
    values: Mapping[str, Values],
) -> dict[str, int]:
    """Return the values that a cube leaves to each package that it speaks of; with all of them so, the rule is broken."""
    left: dict[str, int] = {}
    for subject, mask in members.items():
        package = subject.removeprefix(PREFIX)
        first = domains[subject][0][1]
        if true & mask:
            left[package] = (true & mask) >> first
        elif false & mask:
            left[package] = values[package].all & ~((false & mask) >> first)
    return left


def _pushed(condition: Condition, wanted: bool = True) -> Condition:
    """Return the condition with "not" pushed inwards to its atoms, so that no test holds of a package that is not installed.

    An unknown version makes no rule fire, whichever way it is asked about; a value "none" of a knob would.
    """
    match condition:
        case Not(inner):
            return _pushed(inner, not wanted)
        case All(parts) | AnyOf(parts):
            pushed = tuple(_pushed(part, wanted) for part in parts)
            return All(pushed) if isinstance(condition, All) == wanted else AnyOf(pushed)
        case Compare(subject, op, value) if subject.startswith(PREFIX):
            return condition if wanted else Compare(subject, _INVERSE[op], value)
        case _:
            return condition if wanted else Not(condition)


def _in_order(loadout: Loadout, demands: Sequence[Demand]) -> tuple[str, ...]:
    """Return the things of the recipe that demands depend on, in file order."""
    picks = {pick for demand in demands for pick in demand.picks}
    spans = {pick: loadout.span_of(pick).start for pick in picks}
    return tuple(sorted(picks, key=lambda p: (spans[p].line, spans[p].column, p)))
