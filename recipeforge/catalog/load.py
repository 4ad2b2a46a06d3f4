"""The way into the catalog: `load()`."""

from collections.abc import Sequence
from pathlib import Path

from recipeforge.catalog import cache
from recipeforge.schemas.catalog import Catalog

SHIPPED_PACKS = (Path(__file__).parent / "packs" / "core",)

_loaded: dict[tuple[str, ...], Catalog] = {}


def load(pack_dirs: Sequence[Path] | None = None) -> Catalog:
    """Return the catalog of these packs; of the shipped ones when none are named.

    Compiled once and kept, in the process and in the user's cache folder.

    Raises:
        CatalogError: a pack is broken; the message has every problem with file, line and next step.
    """
    dirs = SHIPPED_PACKS if pack_dirs is None else tuple(pack_dirs)
    key = tuple(str(path) for path in dirs)
    if key not in _loaded:
        _loaded[key] = cache.read(dirs) or _compiled(dirs)
    return _loaded[key]


def forget() -> None:
    """Drop what this process keeps, so that the next `load` sees packs edited since."""
    _loaded.clear()


def _compiled(dirs: tuple[Path, ...]) -> Catalog:
    # Imported here: a process that finds the cache warm pays for neither pydantic nor yaml.
    from recipeforge.catalog.compile import compile_packs

    catalog = compile_packs(dirs)
    cache.write(dirs, catalog)
    return catalog
