"""Whole-recipe repairs and completions, ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recipeforge.documents.lines import LineIndex
from recipeforge.documents.pieces import apply_edits
from recipeforge.render.cells import visible, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.render.suggestion import suggestion
from recipeforge.schemas.report import Solution

GIB = 1 << 30
MOST_LINES = 16
"""Changed lines shown of one repair; the rest is for `-o` and `--diff`."""


def render_repairs(text: str, solutions: Sequence[Solution], look: Look = PLAIN) -> str:
    """Return the repairs as a numbered list, each with the lines that it changes."""
    lines = LineIndex(text)
    told = [_solution(rank, solution, lines, look) for rank, solution in enumerate(solutions, 1)]
    return "\n".join([*_in_short(solutions, look), *told])


def render_front(points: Sequence[Solution], look: Look = PLAIN) -> str:
    """Return the choices between memory, speed and changes as a table; without speed where nobody knows it."""
    rows = [("memory", "tokens/s", "changes", "")]
    for point in points:
        repair, estimate = point.repair, point.repair.estimate
        told = "" if repair.proved else " (not proved cheapest)"
        memory = f"{estimate.total / GIB:.1f} GiB" if estimate else "?"
        speed = f"{repair.tokens_per_s:,.0f}" if repair.tokens_per_s is not None else "?"
        rows.append((memory, speed, str(len(repair.changes)), f"{repair.title}, {repair.safety}{told}"))
    if all(point.repair.tokens_per_s is None for point in points):
        rows = [(memory, "", changes, title) for memory, _, changes, title in rows]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    out: list[str] = []
    for number, (*cells, title) in enumerate(rows):
        told = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, wide, strict=True) if width)
        indent = len(told) + 2
        first, *rest = wrap(visible(title), look.width - indent) or [""]
        line = f"{told}  {first}".rstrip()
        out += [look.paint("quiet", line) if not number else line, *(" " * indent + more for more in rest)]
    return "\n".join(out) + "\n"


def _inside(title: str) -> str:
    """Return a title as a part of a sentence."""
    return f"{title[:1].lower()}{title[1:]}".replace("; ", " and ")


def _in_short(solutions: Sequence[Solution], look: Look) -> list[str]:
    """Say several ways to fit the memory in one sentence, each with what it saves."""
    limits = {s.repair.context.get("fits") for s in solutions}
    saved = [s.repair.context.get("saves") for s in solutions]
    if len(solutions) < 2 or limits == {None} or len(limits) > 1 or not all(saved):  # memory is not what was wrong, or not alone
        return []
    ways = [f"{_inside(s.repair.title)} (−{saves})" for s, saves in zip(solutions, saved, strict=True)]
    told = f"fits {limits.pop()}: {', '.join(ways[:-1])}{',' * (len(ways) > 2)} or {ways[-1]}"
    return ["\n".join(look.paint("message", line) for line in wrap(visible(told), look.width)) + "\n"]


def solved_text(text: str, solution: Solution) -> str:
    """Return the text with a repair made."""
    return apply_edits(text, solution.edits)


def _solution(rank: int, solution: Solution, lines: LineIndex, look: Look) -> str:
    repair = solution.repair
    facts = [repair.safety, f"cost {repair.cost}", *_numbers(repair.context)]
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


def _numbers(context: Mapping[str, str]) -> list[str]:
    """Return the numbers beside a repair, the saving with the memory."""
    told = dict(context)
    if "memory" in told and "saves" in told:
        told["memory"] += f" (−{told.pop('saves')})"
    return [f"{name} {value}" for name, value in told.items()]
