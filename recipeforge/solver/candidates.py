"""Which rules may speak of a recipe at all: those for its framework of whose cues one is there."""

from collections.abc import Iterator, Mapping

from recipeforge.catalog.subjects import ABSENT, CONFIG_PREFIX
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.solver.scope import binds, versions_fit
from recipeforge.solver.view import View


@record
class Indexed:
    """The rules for one framework, by what has to be there."""

    always: tuple[Rule, ...]
    by_cue: Mapping[str, tuple[Rule, ...]]


_indexed: dict[tuple[str, Fact | None], Indexed] = {}


def candidates(view: View) -> Iterator[Rule]:
    """Yield the rules that may be broken, each once, in no particular order; all others are not."""
    index = _index(view.catalog, view.facts.get("framework"))
    there = {c for held in view.slots.values() for c in held}
    there |= {fact for fact, value in view.facts.items() if is_stated(fact, value)}
    cued = {rule.code: rule for cue in there & index.by_cue.keys() for rule in index.by_cue[cue]}
    for rule in (*index.always, *cued.values()):
        if not rule.scope or versions_fit(rule, view.facts):
            yield rule


def is_stated(fact: str, value: Fact) -> bool:
    """Return whether a fact is a key that another tool's configuration has, with something in it."""
    return fact.startswith(CONFIG_PREFIX) and value != ABSENT and value != ()


def _index(catalog: Catalog, framework: Fact | None) -> Indexed:
    key = catalog.hash, framework
    if key not in _indexed:
        always: list[Rule] = []
        by_cue: dict[str, list[Rule]] = {}
        for rule in catalog.rules.values():
            if rule.violated_when is None or rule.stage == "removed" or not binds(rule, framework):
                continue
            if rule.cues is None:
                always.append(rule)
            for cue in rule.cues or ():
                by_cue.setdefault(cue, []).append(rule)
        _indexed[key] = Indexed(tuple(always), {cue: tuple(rules) for cue, rules in by_cue.items()})
    return _indexed[key]
