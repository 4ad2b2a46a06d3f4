"""What may be wrong with the facts about releases: they do not load, or they have fallen behind what else the packs say of packages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from recipeforge.catalog.releases import FILE, load_releases
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.errors import CatalogError


def release_findings(catalog: Catalog, pack_dirs: Sequence[Path]) -> Iterator[str]:
    """Yield what is wrong with the releases of these packs; packs without any have nothing wrong."""
    if not any((pack / FILE).is_file() for pack in pack_dirs):
        return
    try:
        releases = load_releases(pack_dirs)
    except CatalogError as error:
        yield from str(error).splitlines()
        return
    for sheet in catalog.packages.values():
        listed = [release.version for release in releases.get(sheet.id, ())]
        if listed and "current" in sheet.facts and sheet.facts["current"] != listed[-1]:
            yield f"package {sheet.id}: `current` is {sheet.facts['current']}, and the newest release in {FILE} is {listed[-1]}"
    wanted = dict.fromkeys([*catalog.packages, *(p for c in catalog.components.values() for p in c.packages)])
    yield from (f"package {name}: no releases of it are listed in {FILE}; run dev/releases.py" for name in wanted if name not in releases)
