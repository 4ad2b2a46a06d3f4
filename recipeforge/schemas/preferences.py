"""What a project wants of repairs, beyond that they cure."""

from recipeforge.schemas.record import record


@record
class Preferences:
    """Names of slots, components, parameters, or groups of parameters such as `batch`."""

    keep: tuple[str, ...] = ()
    """What the recipe has there stays: no repair changes it or takes it out."""
    avoid: tuple[str, ...] = ()
    """Put in or changed only where nothing else cures."""


NO_PREFERENCES = Preferences()
