"""Whole-recipe repairs and completions, ranked."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.documents.lines import LineIndex
from recipeforge.documents.pieces import apply_edits
from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.render.suggestion import suggestion
from recipeforge.schemas.report import Solution

MOST_LINES = 16
"""Changed lines shown of one repair; the rest is for `-o` and `--diff`."""


def render_repairs(text: str, solutions: Sequence[Solution], look: Look = PLAIN) -> str:
    """Return the repairs as a numbered list, each with the lines that it changes."""
    lines = LineIndex(text)
    return "\n".join(_solution(rank, solution, lines, look) for rank, solution in enumerate(solutions, 1))


def solved_text(text: str, solution: Solution) -> str:
    """Return the text with a repair made."""
    return apply_edits(text, solution.edits)


def _solution(rank: int, solution: Solution, lines: LineIndex, look: Look) -> str:
    repair = solution.repair
    facts = [repair.safety, f"cost {repair.cost}", *(f"{name} {value}" for name, value in repair.context.items())]
    if not repair.proved:
        facts.append("not proved cheapest: the time ran out")
    head = look.paint("help", f"repair {rank}:")
    indent = len(f"repair {rank}: ")
    title = wrap(visible(repair.title), look.width - indent)
    out = [f"{head} {look.paint('message', title[0])}", *(" " * indent + look.paint("message", line) for line in title[1:])]
    out.append(" " * indent + look.paint("quiet", visible(", ".join(facts))))
    if repair.changes and not solution.edits:
        out.append(" " * indent + "This text cannot be edited without risk; make these changes by hand.")
    shown = suggestion(lines, solution.edits, max(2, len(str(len(lines)))), look, most=MOST_LINES)
    return "\n".join([*out, *shown]) + "\n"
