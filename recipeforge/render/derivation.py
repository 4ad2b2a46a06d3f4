"""The steps of an explanation, for people: numbered lines, and beneath a step the rule that it rests on and who says so."""

from __future__ import annotations

from collections.abc import Sequence

from recipeforge.render.cells import visible, width, wrap
from recipeforge.render.look import PLAIN, Look
from recipeforge.schemas.explanation import Step
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.verdict import Conflict, Verdict


def render_conflicts(verdict: Verdict, look: Look = PLAIN) -> list[str]:
    """Return an explanation of each conflict that takes several rules, with an empty line behind it."""
    return [_block(c, look) for c in verdict.conflicts if c.steps]


def _block(conflict: Conflict, look: Look) -> str:
    head = wrap(visible(headline(conflict)), look.width)
    return "\n".join([*(look.paint("message", line) for line in head), *render_steps(conflict.steps, look)]) + "\n"


def headline(conflict: Conflict) -> str:
    """Return what the steps explain, in one line."""
    given = [s.place.text for s in conflict.steps if s.place]
    proof = "" if conflict.minimal else " (not proved minimal)"
    if len(given) < 2:
        return f"why {''.join(given) or 'this'} is not possible here, whatever is added{proof}:"
    return f"why {', '.join(given[:-1])} and {given[-1]} cannot stand together, whatever is added{proof}:"


def render_steps(steps: Sequence[Step], look: Look = PLAIN) -> list[str]:
    """Return the steps as lines; what rests on a supposition is indented."""
    digits = len(str(len(steps)))
    return [line for step in steps for line in _step(step, digits, look)]


def _step(step: Step, digits: int, look: Look) -> list[str]:
    number = f"{'  ' * (step.depth + 1)}{step.number:>{digits}}. "
    indent = " " * len(number)
    body = wrap(visible(step.text), look.width - len(number))
    style = "message" if step.kind == "contradiction" else "plain"
    lines = [number + look.paint(style, body[0]), *(indent + look.paint(style, more) for more in body[1:])]
    if step.why:
        lines += [indent + line for line in _rule(step, look, len(indent))]
    return lines


def _rule(step: Step, look: Look, taken: int) -> list[str]:
    """Return the rule in its own words, with its strongest source on one line."""
    url = step.citation.url if step.citation and step.citation.url.startswith("https:") else ""  # a package URL opens nothing
    first, *more = wrap(visible(f"{step.rule} {step.why}{told(step)}"), look.width - taken)
    code = look.link(step.rule, url) if url else step.rule
    lines = [look.paint("note", code) + first.removeprefix(step.rule), *(f"{' ' * (len(step.rule) + 1)}{line}" for line in more)]
    if step.citation:
        quote = one_line(step.citation.quote, look.width - taken - len("[T2] “”"))
        lines.append(f"[{step.citation.tier}] {look.paint('quote', visible(f'“{quote}”'))}")
    return lines


def told(step: Step) -> str:
    """Return what the rule was told about the run's surroundings and does not say itself, with the lines where the file says so."""
    facts = [f for f in step.facts if f.text.rsplit(" is ", 1)[-1] not in step.why]
    words = [f"{f.text}{f', line {f.span.start.line + 1}' if f.span != START_OF_FILE else ''}" for f in facts]
    return f" ({'; '.join(words)})" if words else ""


def one_line(quote: str, columns: int) -> str:
    """Return a quote cut to one line; the catalog keeps it verbatim."""
    flat = " ".join(quote.split())
    if width(flat) <= columns:
        return flat
    cut = ""
    for word in flat.split(" "):
        if width(f"{cut} {word} …") > columns:
            break
        cut = f"{cut} {word}".strip()
    return f"{cut} …"
