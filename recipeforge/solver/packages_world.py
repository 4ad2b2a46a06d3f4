"""Packages as one-hot variables: the values that each can take, what is demanded of them, and the world that solvers read.

A value of a package is one of its releases, or "not installed"; Python is a package that is always there. A demand is a set of
clauses "this package has one of these versions, or that one has one of those", all from one source.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from packaging.version import InvalidVersion, Version

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.schemas.release import Release
from recipeforge.schemas.rule import Rule
from recipeforge.solver.clauses import Clause, Group
from recipeforge.solver.variables import Variables
from recipeforge.solver.world import StatedWorld, World

PREFIX = "packages."
PYTHON = "python"
ON_LINUX = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix", "extra": ""}
"""The machine that markers of requirements are judged for, no extras asked."""
NEED, GIVEN = "need:", "given:"
"""How the keys of demands begin that say that a package has to be there, and that it has the version which is given."""

Allowed = Mapping[str, int]
"""Package → mask of the values by which it satisfies a clause; one package is enough."""


@record
class Values:
    """What one package can be: bit 0 is "not installed", the others are its releases, oldest first."""

    package: str
    versions: tuple[str, ...]
    releases: tuple[Release | None, ...]
    """What each version's release says; `None` where nobody knows."""

    @property
    def all(self) -> int:
        """Every value."""
        return (1 << len(self.versions) + 1) - 1

    @property
    def installed(self) -> int:
        """Every version."""
        return self.all & ~1

    @property
    def absent(self) -> int:
        """Not installed. (Nothing trains without Python.)"""
        return 0 if self.package == PYTHON else 1

    def mask(self, versions: Sequence[str]) -> int:
        """Return the values that are these versions."""
        return sum(1 << i for i, version in enumerate(self.versions, 1) if version in versions)

    def of(self, mask: int) -> list[str]:
        """Return the versions in a mask, oldest first."""
        return [version for i, version in enumerate(self.versions, 1) if mask >> i & 1]

    def same_version(self, given: str) -> str | None:
        """Return the listed version that is the given one, whatever build of it; `None` where it is not listed."""
        wanted = public(given)
        return next((v for v in self.versions if public(v) == wanted), None)


def public(version: str) -> object:
    """Return what releases compare by: 2.6 is 2.6.0, and a build for one CUDA is the release."""
    try:
        return Version(Version(version).public)
    except InvalidVersion:
        return version


@record
class Demand:
    """What one source asks of the versions. It binds while everything in `picks` is part of the recipe."""

    key: str
    """Unique in its world."""
    clauses: tuple[Allowed, ...]
    picks: frozenset[str] = frozenset()
    """Components, `packages.<name>` and `framework`."""
    rule: Rule | None = None
    """The rule that asks; else a release does, or the recipe itself."""
    of: str = ""
    """The package whose releases ask."""
    lines: tuple[tuple[int, str, Release], ...] = ()
    """For each clause what releases of it say: the versions that say so, the words of their metadata, and the newest of them."""
    hard: bool = True

    @property
    def plain(self) -> bool:
        """Whether it only says that any training needs a package, which is not worth a word."""
        return self.key.startswith(NEED) and not self.picks

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """The packages that it is about."""
        return tuple(dict.fromkeys(package for clause in self.clauses for package in clause))

    def holds(self, chosen: Mapping[str, int]) -> bool:
        """Return whether values, one bit each, satisfy it."""
        return all(any(chosen[package] & allowed for package, allowed in clause.items()) for clause in self.clauses)


@record
class Puzzle:
    """The packages of one recipe and all that is demanded of them."""

    catalog: Catalog
    facts: Mapping[str, Fact]
    values: Mapping[str, Values]
    demands: tuple[Demand, ...]
    picks: tuple[str, ...]
    """What the recipe could give up, in file order."""
    unjudged: tuple[str, ...] = ()

    @cached_property
    def offsets(self) -> Mapping[str, int]:
        """Package → the variable of its first value."""
        found: dict[str, int] = {}
        free = 0
        for package, values in self.values.items():
            found[package] = free
            free += len(values.versions) + 1
        return found

    @cached_property
    def world(self) -> World:
        """The puzzle as solvers read it. The key of a demand is the rule of its clauses."""
        domains: dict[str, tuple[tuple[Scalar | None, int], ...]] = {}
        groups: list[Group] = []
        clauses: list[Clause] = []
        for package, values in self.values.items():
            first = self.offsets[package]
            domains[PREFIX + package] = tuple((v, first + i) for i, v in enumerate((None, *values.versions)))
            groups.append(Group(values.all << first, ""))
            clauses.append(Clause((values.installed | values.absent) << first, 0, "", True))
        for demand in self.demands:
            for clause in demand.clauses:
                literals = sum(mask << self.offsets[package] for package, mask in clause.items())
                clauses.append(Clause(literals, 0, demand.key, demand.hard))
        return StatedWorld(self.catalog, self.facts, {}, {}, domains, stated=tuple(clauses), exclusive=tuple(groups))

    @cached_property
    def newest(self) -> int:
        """The assignment of the newest version of everything, near which answers are looked for."""
        return sum(1 << self.offsets[package] + len(values.versions) for package, values in self.values.items())

    def ignoring(self, picks: Sequence[str], keys: Sequence[str] | None = None) -> frozenset[str]:
        """Return the demands that do not bind when only these picks are part of the recipe, and only these demands count."""
        kept = set(picks)
        return frozenset(d.key for d in self.demands if not d.picks <= kept or (keys is not None and d.key not in keys and not d.plain))

    def kept(self, package: str, at: Mapping[str, int]) -> bool:
        """Return whether a package has the version that is given."""
        return any(d.key == GIVEN + package and d.holds(at) for d in self.demands)

    def chosen(self, true: int) -> dict[str, int]:
        """Return the value of each package under a full assignment, as one bit of its values."""
        return {package: true >> self.offsets[package] & values.all for package, values in self.values.items()}


def grounding_variables(
    catalog: Catalog, facts: Mapping[str, Fact], knobs: Mapping[str, Scalar], values: Mapping[str, Values]
) -> Variables:
    """Return variables over which a rule's condition can be ground: the components, then the versions of packages."""
    component_var = {c: v for v, c in enumerate(catalog.components)}
    domains: dict[str, tuple[tuple[Scalar | None, int], ...]] = {}
    free = len(component_var)
    for package, one in values.items():
        domains[PREFIX + package] = tuple((v, free + i) for i, v in enumerate((None, *one.versions)))
        free += len(one.versions) + 1
    known = {subject: value for subject, value in facts.items() if subject not in domains}
    return Variables(catalog, known, knobs, component_var, domains)
