"""The releases of packages that version solving knows: `facts/releases.yaml` of the packs, read when they are asked for.

They stay out of the compiled catalog, since nothing but version solving reads them and `check` has to start at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from recipeforge.catalog.entries import Entry, read_entries
from recipeforge.catalog.load import SHIPPED_PACKS
from recipeforge.catalog.validate import build
from recipeforge.schemas.errors import CatalogError
from recipeforge.schemas.record import record
from recipeforge.schemas.release import Release, Releases

FILE = "facts/releases.yaml"
_read: dict[tuple[Path, ...], Releases] = {}


@record
class _Item:
    """Releases that say the same, as written."""

    versions: Mapping[str, str]
    python: str = ""
    built_for: tuple[str, ...] = ()
    requires: tuple[str, ...] | None = None


@record
class _Sheet:
    """A package's releases, as written."""

    id: str
    source: str
    checked: str
    releases: tuple[_Item, ...]


def load_releases(pack_dirs: Sequence[Path] | None = None) -> Releases:
    """Return the releases in these packs, of the shipped ones when none are named; oldest first.

    Raises:
        CatalogError: with every problem found, one a line.
    """
    packs = tuple(SHIPPED_PACKS if pack_dirs is None else pack_dirs)
    if packs not in _read:
        found: dict[str, tuple[Release, ...]] = {}
        problems: list[str] = []
        for entry in (entry for pack in packs if (pack / FILE).is_file() for entry in read_entries(pack / FILE)):
            try:
                name, releases = _package(entry)
                if name in found:
                    raise CatalogError(f"{entry.place}: {name}: the releases of this package are listed already")
                found[name] = releases
            except CatalogError as error:
                problems.append(str(error))
        problems += _unlisted(found)
        if problems:
            raise CatalogError("\n".join(problems))
        _read[packs] = found
    return _read[packs]


def _package(entry: Entry) -> tuple[str, tuple[Release, ...]]:
    name = str(entry.data.get("id", "releases without id"))
    sheet = build(_Sheet, entry, name)
    where = f"{entry.place}: {name}"
    problems = list(_problems(sheet, where))
    if problems:
        raise CatalogError("\n".join(problems))
    listed = [
        Release(name, version, date, sheet.checked, item.python, item.built_for, item.requires)
        for item in sheet.releases
        for version, date in item.versions.items()
    ]
    ordered = tuple(sorted(listed, key=lambda r: Version(r.version)))
    twice = [r.version for r, after in pairwise(ordered) if Version(r.version) == Version(after.version)]
    if twice:
        raise CatalogError(f"{where}: {twice[0]} is listed twice")
    return name, ordered


def _problems(sheet: _Sheet, where: str) -> Iterator[str]:
    for item in sheet.releases:
        for version in (*item.versions, *item.built_for):
            try:
                Version(version)
            except InvalidVersion:
                yield f"{where}: '{version}' is no version; quote it, such as \"2.10\""
        try:
            SpecifierSet(item.python)
        except InvalidSpecifier:
            yield f"{where}: python: '{item.python}' is no version specifier"
        for line in item.requires or ():
            try:
                Requirement(line)
            except InvalidRequirement:
                yield f"{where}: requires: '{line}' is no requirement"


def _unlisted(found: Releases) -> Iterator[str]:
    """Yield the requirements of packages that have no releases here: they would silently not be judged."""
    for name, releases in found.items():
        lines = dict.fromkeys(line for release in releases for line in release.requires or ())
        for line in lines:
            if _canonical(Requirement(line).name) not in found:
                yield f"{FILE}: {name}: requires '{line}', of which no releases are listed"


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
