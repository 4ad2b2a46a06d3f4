"""What rules say, with the recipe's own values in it, and who says so."""

import re
from collections.abc import Callable, Sequence

from recipeforge.catalog.tiers import tier_of
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.diagnostic import Citation
from recipeforge.schemas.rule import Rule
from recipeforge.solver.titles import spelled
from recipeforge.solver.view import View

_UNNAMED = {"model.title": "this model", "gpu.title": "this GPU"}
"""What a message calls a thing that has no title, such as a model in a folder."""
_PLACEHOLDER = re.compile(r"\{([a-z0-9_.-]+)\}")


def filled(message: str, value_of: Callable[[str], str]) -> str:
    """Return a message with its placeholders filled."""
    return _PLACEHOLDER.sub(lambda m: value_of(m[1]), " ".join(message.split()))


def listed(names: Sequence[str]) -> str:
    """Return all names as a list in a sentence: "A, B and C"."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def name_of(catalog: Catalog, subject: str) -> str:
    """Return a component's title; any other subject as it is."""
    component = catalog.components.get(subject)
    return component.title if component else subject


def value_words(catalog: Catalog, view: View, subject: str) -> str:
    """Return the value of a slot, knob or fact in words."""
    known = view.known(subject)
    if isinstance(known, tuple):
        return ", ".join(name_of(catalog, k) for k in known) or "none"
    if isinstance(known, str):
        return name_of(catalog, known)
    if known is not None and subject in catalog.knobs and catalog.knobs[subject].type == "duration":
        return f"{spelled(known)} s"
    return spelled(known) if known is not None else _UNNAMED.get(subject, "not set")


def citations_of(catalog: Catalog, rule: Rule) -> tuple[Citation, ...]:
    """Return a rule's sources that still count, strongest first."""
    claims = (catalog.claims[e] for e in rule.evidence if e in catalog.claims)
    return tuple(Citation(c.id, tier_of([c]), c.quote, c.url, c.title, c.speaks_for) for c in claims if not c.withdrawn)
