"""Exceptions: bugs and the outside world. Answers about recipes are values, never raised."""


class RecipeForgeError(Exception):
    """Base. Messages say what happened, where, and what to do next."""


class CatalogError(RecipeForgeError):
    """The knowledge itself is broken: a pack does not parse, or an id is claimed twice."""


class StoreError(RecipeForgeError):
    """A database cannot be read or written."""


class FetchError(RecipeForgeError):
    """A source could not be fetched."""


class RunError(RecipeForgeError):
    """A run cannot start or go on."""
