"""A compiler for ML training recipes: says whether one will run, why not, who says so, and what to change.

>>> import recipeforge
>>> report = recipeforge.check("recipe.yaml", gpu="rtx-4090")
>>> report.verdict.kind
'valid'
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipeforge.api import apply_fixes, check, estimate, explain, run, solve, speed, status, versions

__version__ = "0.1.0"

__all__ = ["__version__", "apply_fixes", "check", "estimate", "explain", "run", "solve", "speed", "status", "versions"]


def __getattr__(name: str) -> object:
    # Names are imported on first use, so that `import recipeforge` costs nothing.
    if name in __all__:
        from recipeforge import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
