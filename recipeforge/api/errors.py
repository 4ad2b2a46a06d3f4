"""What the functions of this package raise; findings about a recipe are values and never raised."""

from recipeforge.schemas.errors import RecipeForgeError
from recipeforge.schemas.report import FileReport


class NotARecipeError(RecipeForgeError):
    """The text holds no recipe, so there is nothing to solve; `report` says why."""

    def __init__(self, report: FileReport) -> None:
        first = report.diagnostics[0] if report.diagnostics else None
        if first is not None and first.code == "RF0018":  # there is no text that could be shown; the message names the path
            super().__init__(f"{first.message}; {first.help[:1].lower()}{first.help[1:].removesuffix('.')}")
        else:
            told = first.message if first is not None else "it holds no recipe"
            super().__init__(f"{report.path}: {told}; `recipeforge check` shows where")
        self.report = report


class WrongArgumentError(RecipeForgeError, ValueError):
    """A function was called with a value that it does not take; the message says which it does."""
