"""A release of a package, and what it says of itself."""

from collections.abc import Mapping

from recipeforge.schemas.record import record


@record
class Release:
    """What the metadata of one release states."""

    package: str
    """As PyPI spells it."""
    version: str
    date: str
    """Day of its first upload, ISO."""
    checked: str
    """Day on which that was read, ISO."""
    python: str = ""
    """`Requires-Python`, as written; empty where it states nothing."""
    built_for: tuple[str, ...] = ()
    """Pythons that it has files for on Linux x86-64, such as `3.12`; empty where that does not bind."""
    requires: tuple[str, ...] | None = None
    """`Requires-Dist`, as written, of packages whose releases are known; `None` where nobody can say before it is built."""

    @property
    def purl(self) -> str:
        """The release as a package URL."""
        return f"pkg:pypi/{self.package}@{self.version}"


Releases = Mapping[str, tuple[Release, ...]]
"""Package → its releases, oldest first."""
