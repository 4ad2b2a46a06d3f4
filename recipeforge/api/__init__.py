"""The same answers from Python that the command line gives. It ties the rooms; it decides nothing itself.

Rooms are imported where they are needed: `check` on a valid recipe loads no solver backend and no torch.
"""

from recipeforge.api.checking import Report, check, check_document, document_of, read_loadout, target
from recipeforge.api.errors import NotARecipeError, WrongArgumentError
from recipeforge.api.explaining import explain
from recipeforge.api.fixing import apply_fixes
from recipeforge.api.running import run
from recipeforge.api.solving import (
    budgets,
    estimate,
    keeps_within,
    loaded,
    pareto,
    pareto_document,
    solve,
    solve_document,
    speed,
    status,
    time_unjudged,
)
from recipeforge.api.versions import pick_names, versions, versions_for_document
from recipeforge.api.whatif import Difference, batch, diff, neighbours

__all__ = [
    "Difference",
    "NotARecipeError",
    "Report",
    "WrongArgumentError",
    "apply_fixes",
    "batch",
    "budgets",
    "check",
    "check_document",
    "diff",
    "document_of",
    "estimate",
    "explain",
    "keeps_within",
    "loaded",
    "neighbours",
    "pareto",
    "pareto_document",
    "pick_names",
    "read_loadout",
    "run",
    "solve",
    "solve_document",
    "speed",
    "status",
    "target",
    "time_unjudged",
    "versions",
    "versions_for_document",
]
