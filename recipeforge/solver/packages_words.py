"""Versions in words: ranges of releases, who asks for them, and the sources to cite."""

from collections.abc import Mapping
from functools import cached_property

from recipeforge.schemas.diagnostic import Citation
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.record import record
from recipeforge.schemas.release import Release
from recipeforge.schemas.rule import Rule
from recipeforge.solver.messages import citations_of, filled, name_of, value_words
from recipeforge.solver.packages_world import GIVEN, NEED, PREFIX, PYTHON, Demand, Puzzle, Values
from recipeforge.solver.view import View

MOST_RANGES = 3
"""Ranges listed in one phrase; of more the first and the last are named."""
METADATA = "Requires-Dist: "


def joined(names: list[str], word: str) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def range_words(values: Values, mask: int) -> str:
    """Return a set of versions as ranges of the releases that are known: "2.6.0 or newer"."""
    parts = _ranges(values, mask)
    if values.package != PYTHON and mask & values.absent:
        parts = [*parts, "not installed"]
    if len(parts) > MOST_RANGES:
        parts = [parts[0], f"{len(parts) - 2} more ranges", parts[-1]]
    return joined(parts, "or") if parts else "none"


def _ranges(values: Values, mask: int) -> list[str]:
    last = len(values.versions)
    if mask & values.installed == values.installed:
        return ["any version"]
    found: list[str] = []
    start = 0
    for i in range(1, last + 2):
        inside = i <= last and bool(mask >> i & 1)
        if inside and not start:
            start = i
        if start and not inside:
            found.append(_range(values, start, i - 1))
            start = 0
    return found


def _range(values: Values, first: int, last: int) -> str:
    oldest, newest = values.versions[first - 1], values.versions[last - 1]
    if first == last:
        return oldest
    if first == 1:
        return f"{newest} or older"
    return f"{oldest} or newer" if last == len(values.versions) else f"{oldest} to {newest}"


@record
class Words:
    """Words about one puzzle."""

    puzzle: Puzzle
    loadout: Loadout
    view: View

    def versions(self, package: str, mask: int) -> str:
        """Return a set of versions in words."""
        values = self.puzzle.values[package]
        there = mask & values.installed if package in self.needed else mask
        return range_words(values, there or mask)

    @cached_property
    def needed(self) -> frozenset[str]:
        """Packages that the recipe needs or gives by itself: of these nobody wonders whether they are installed."""
        return frozenset(d.packages[0] for d in self.puzzle.demands if d.key.startswith((NEED, GIVEN)))

    def title(self, package: str) -> str:
        """Return how a package is called in a sentence."""
        return "Python" if package == PYTHON else package

    def with_versions(self, package: str, mask: int) -> str:
        """Return a package with the versions that it may have: "torch 2.6.0 or newer"; by itself where it may have any."""
        if mask == self.puzzle.values[package].installed:
            return self.title(package)
        said = self.versions(package, mask)
        return f"no {package}" if said == "not installed" else f"{self.title(package)} {said}"

    def pick(self, pick: str) -> str:
        """Return a thing of the recipe: "QLoRA", "torch 2.4.1", "LLaMA-Factory"."""
        if pick.startswith(PREFIX):
            package = pick.removeprefix(PREFIX)
            return f"{self.title(package)} {self.view.facts[pick]}"
        return str(self.view.facts["framework"]) if pick == "framework" else name_of(self.puzzle.catalog, pick)

    def rule(self, rule: Rule, versions: Mapping[str, int]) -> str:
        """Return a rule in words, about the versions that it does not take."""

        def value_of(subject: str) -> str:
            package = subject.removeprefix(PREFIX)
            if subject.startswith(PREFIX) and package in self.puzzle.values:
                return self.versions(package, versions.get(package, 0) & self.puzzle.values[package].installed)
            return value_words(self.puzzle.catalog, self.view, subject)

        return filled(rule.message, value_of)

    def line(self, demand: Demand, versions: int, gone: Mapping[str, int] | None = None) -> tuple[str, Release] | None:
        """Return what these versions of the asking package say, and the newest that says so.

        Of several lines it is the one that takes away the most of what is `gone` of a package.
        """
        best: tuple[int, str, Release] | None = None
        for clause, (mask, words, release) in zip(demand.clauses, demand.lines, strict=True):
            if mask & versions:
                taken = sum((lost & ~clause.get(package, 0)).bit_count() for package, lost in (gone or {}).items())
                if best is None or taken >= best[0]:
                    best = taken, words, self._newest(demand, mask & versions, words) or release
        return best and best[1:]

    def _newest(self, demand: Demand, versions: int, words: str) -> Release | None:
        """Return the newest of these versions, where it says just these words."""
        values = self.puzzle.values[demand.of]
        release = values.releases[versions.bit_length() - 2]
        says = release is not None and (words.removeprefix(METADATA) in (release.requires or ()) or not words.startswith(METADATA))
        return release if says else None

    def citation(self, demand: Demand, said: tuple[str, Release] | None = None) -> Citation | None:
        """Return the strongest source of a demand: the rule's, or the metadata of the release that asks."""
        if demand.rule is not None:
            return next(iter(citations_of(self.puzzle.catalog, demand.rule)), None)
        return Citation(said[1].purl, "T2", said[0], said[1].purl, f"{said[1].package} {said[1].version}") if said else None


def asked(words: str) -> str:
    """Return a line of metadata as a part of a sentence: "requires torch>=2.4"."""
    if words.startswith(METADATA):
        return f"requires {words.removeprefix(METADATA).split(';')[0].strip()}"
    return words.replace("Requires-Python: ", "requires Python ").replace("files for Python", "has files only for Python")
