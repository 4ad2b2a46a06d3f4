"""The last answer of a function of one loadout, kept: several questions follow about one loadout."""

from collections.abc import Callable
from typing import Generic, TypeVar

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout

T = TypeVar("T")


class Latest(Generic[T]):
    """A function of a catalog and a loadout that remembers its last answer, for the very same two."""

    def __init__(self, answer: Callable[[Catalog, Loadout], T]) -> None:
        self._answer = answer
        self._last: tuple[Catalog, Loadout, T] | None = None
        self.__doc__ = answer.__doc__

    def __call__(self, catalog: Catalog, loadout: Loadout) -> T:
        """Return the answer."""
        last = self._last  # read once: an editor asks from several threads
        if last is None or last[0] is not catalog or last[1] is not loadout:
            last = self._last = catalog, loadout, self._answer(catalog, loadout)
        return last[2]

    def forget(self) -> None:
        """Answer as a new process does."""
        self._last = None
