"""A synthetic catalog as the real thing: slots, components, knobs and rules, so that every command can be asked about it."""

from dev.models.synthetic import Synthetic
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, Compare, Condition, Holds, Not
from recipeforge.schemas.loadout import Context, Equipped, Loadout
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.rule import Rule

REST = "rest"
"""The slot of all components that exclude none of their kind."""


def as_catalog(synthetic: Synthetic) -> Catalog:
    """Return the catalog without its budgets, which no pack of YAML could state."""
    formula, count = synthetic.model.formula, synthetic.components
    slot_of = {v: f"slot{i}" for i, group in enumerate(formula.groups) for v in group if v < count}
    demanded = {slot_of[clause[0]] for clause in formula.clauses if len(clause) > 2 and clause in set(formula.groups) and clause[0] < count}
    names = [*dict.fromkeys(slot_of.values()), REST]
    slots = {s: Slot(s, s, "", "many" if s == REST else "one" if s in demanded else "at-most-one") for s in names}
    components = {f"c{v}": Component(f"c{v}", slot_of.get(v, REST), f"C{v}", "", "") for v in range(count)}
    said, knobs = _environment(synthetic)
    said |= {v: Holds(components[f"c{v}"].slot, (f"c{v}",)) for v in range(count)}
    own = {frozenset(group) for group in formula.groups}
    clauses = [c for c in formula.clauses if frozenset(c) not in own and not _orders_versions(synthetic, c)]
    rules = {f"RF{i:05d}": _rule(f"RF{i:05d}", [Not(said[x]) if x >= 0 else said[~x] for x in clause]) for i, clause in enumerate(clauses)}
    return Catalog(synthetic.model.name, slots, knobs, components, rules, {})


def as_loadout(catalog: Catalog, picks: list[int]) -> Loadout:
    """Return a recipe with these components in it."""
    held = tuple(Equipped(f"c{v}", catalog.components[f"c{v}"].slot, START_OF_FILE) for v in picks)
    return Loadout("synthetic", "recipeforge", held, (), Context({}, {}))


def _environment(synthetic: Synthetic) -> tuple[dict[int, Condition], dict[str, Knob]]:
    """Return what each variable above the components says, and the knobs that it says it of."""
    formula, count = synthetic.model.formula, synthetic.components
    said: dict[int, Condition] = {}
    knobs: dict[str, Knob] = {}
    architectures = next(group for group in formula.groups if group[0] >= count)
    knobs["environment.architecture"] = Knob("environment.architecture", "int", "", default=0, choices=tuple(range(len(architectures))))
    said |= {v: Compare("environment.architecture", "eq", i) for i, v in enumerate(architectures)}
    chain: list[int] = []
    for v in range(architectures[-1] + 1, formula.size):
        chain = [*chain, v] if (~v, v - 1) in set(formula.clauses) else [v]
        path = f"environment.version{chain[0]}"
        knobs[path] = Knob(path, "int", "", default=0, choices=tuple(range(len(chain) + 1)))
        said[v] = Compare(path, "ge", len(chain))
    return said, knobs


def _orders_versions(synthetic: Synthetic, clause: tuple[int, ...]) -> bool:
    """Return whether a clause only says that a version implies the one below."""
    return len(clause) == 2 and ~clause[0] == clause[1] + 1 and clause[1] >= synthetic.components


def _rule(code: str, pattern: list[Condition]) -> Rule:
    return Rule(code, code.lower(), "error", "{subject}", "", All(tuple(pattern)), ("EV-0000",), "T2")
