"""Brute force: every recipe of a small catalog, judged rule by rule without clauses, propagation or CP-SAT."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations, product

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Equipped, Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.solver.budget_rules import BUDGET_SLACK
from recipeforge.solver.evaluate import evaluate
from recipeforge.solver.memory_budget import estimate
from recipeforge.solver.view import view_of


@dataclass(frozen=True)
class Full:
    """A recipe with nothing left open: the components that stand (defaults included) and every movable knob's value."""

    components: frozenset[str]
    values: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Oracle:
    """One catalog and one loadout."""

    catalog: Catalog
    loadout: Loadout

    @cached_property
    def movable(self) -> dict[str, list]:
        """Knob → the values the solver may choose from, "unset" (None) where there is no default."""
        given = {s.knob: s.value for s in self.loadout.settings}
        found = {}
        for path, knob in self.catalog.knobs.items():
            if knob.choices:
                values = [] if knob.default is not None else [None]
                for value in (*knob.choices, knob.default, given.get(path)):
                    if value is not None and value not in values:
                        values.append(value)
                found[path] = values
        if {"batch.micro", "batch.accumulate"} <= set(found):
            batch = self.effective_batch(given)
            whole = [batch // m for m in found["batch.micro"] if batch % m == 0]
            found["batch.accumulate"] += [a for a in dict.fromkeys(whole) if a not in found["batch.accumulate"] and a <= 64]
        return found

    def effective_batch(self, values: dict) -> int:
        """Return micro-batch × accumulation."""
        micro, accumulate = (values.get(k, self.catalog.knobs[k].default) for k in ("batch.micro", "batch.accumulate"))
        return micro * accumulate

    def trading(self, values: dict) -> str | None:
        """Return which of the two follows the other so that the effective batch stays; `None` if they do not move so."""
        if not {"batch.micro", "batch.accumulate"} <= set(self.movable):
            return None
        before, after = ({**{k: self.catalog.knobs[k].default for k in self.movable}, **v}["batch.micro"] for v in (self.given, values))
        if before == after or self.effective_batch(self.given) != self.effective_batch(values):
            return None
        return "batch.accumulate" if after < before else "batch.micro"

    @cached_property
    def recipes(self) -> list[Full]:
        """Every recipe that respects the slots."""
        options = []
        for slot in self.catalog.slots.values():
            members = [c.id for c in self.catalog.members(slot.id)]
            if slot.cardinality == "many":
                options.append(list(chain.from_iterable(combinations(members, k) for k in range(len(members) + 1))))
            else:
                empty = [] if members and (slot.cardinality == "one" or slot.default) else [()]
                options.append([*empty, *((m,) for m in members)])
        values = [[(path, v) for v in choices] for path, choices in self.movable.items()]
        return [Full(frozenset(chain.from_iterable(held)), knobs) for held in product(*options) for knobs in product(*values)]

    def as_loadout(self, full: Full) -> Loadout:
        """Return a loadout that says everything."""
        fixed = tuple(s for s in self.loadout.settings if s.knob not in self.movable)
        settings = fixed + tuple(Setting(k, v, START_OF_FILE) for k, v in full.values if v is not None)
        equipped = tuple(Equipped(c, self.catalog.components[c].slot, START_OF_FILE) for c in sorted(full.components))
        return replace(self.loadout, equipped=equipped, settings=settings)

    def broken(self, loadout: Loadout) -> set[str]:
        """Return the rules that a loadout breaks as written."""
        view = view_of(self.catalog, loadout)
        found = {r.code for r in self.catalog.rules.values() if r.violated_when is not None and evaluate(r.violated_when, view) is True}
        for slot in self.catalog.slots.values():
            held = loadout.components_in(slot.id)
            if slot.cardinality != "many" and len(set(held)) > 1:
                found.add(f"RF0020:{slot.id}")
            if slot.cardinality == "one" and not held and not slot.default and self.catalog.members(slot.id):
                found.add(f"RF0021:{slot.id}")
        for rule in self.catalog.rules.values():
            if rule.budget:
                predicted = estimate(self.catalog, loadout)
                limit = loadout.context.facts["gpu.memory_gib"] * (1 << 30) * BUDGET_SLACK[rule.budget]
                if predicted and predicted.total > int(limit):
                    found.add(rule.code)
        return found

    def hard(self, codes: set[str]) -> set[str]:
        """Return those that make a recipe fail."""
        return {c for c in codes if ":" in c or self.catalog.rules[c].effective_severity == "error"}

    @cached_property
    def judged(self) -> list[tuple[Full, set[str]]]:
        """Every recipe with the rules it breaks."""
        return [(full, self.broken(self.as_loadout(full))) for full in self.recipes]

    @cached_property
    def picks(self) -> frozenset[str]:
        return frozenset(e.component for e in self.loadout.equipped)

    @cached_property
    def given(self) -> dict[str, object]:
        return {s.knob: s.value for s in self.loadout.settings if s.knob in self.movable}

    def completions(self, components: frozenset[str], ignored: set[str] = frozenset(), given: dict | None = None) -> list[Full]:
        """Return the recipes that keep all of these and break no hard rule except ignored ones."""
        wanted = self.given if given is None else given
        if any(":" in code for code in ignored):
            return self._loosened(components, ignored, wanted)
        return [
            full
            for full, broken in self.judged
            if components <= full.components and wanted.items() <= dict(full.values).items() and not self.hard(broken) - ignored
        ]

    def _loosened(self, components: frozenset[str], ignored: set[str], wanted: dict) -> list[Full]:
        """Completions where some slots may hold several components, or none."""
        crowded = {c.split(":")[1] for c in ignored if c.startswith("RF0020:")}
        empty = {c.split(":")[1] for c in ignored if c.startswith("RF0021:")}
        slots = {
            s: replace(slot, cardinality="many")
            if s in crowded
            else replace(slot, cardinality="at-most-one", default=None)
            if s in empty
            else slot
            for s, slot in self.catalog.slots.items()
        }
        found = []
        for full in Oracle(replace(self.catalog, slots=slots), self.loadout).recipes:
            held = {self.catalog.components[c].slot for c in full.components}
            left_empty = {
                s.id
                for s in self.catalog.slots.values()
                if (s.default or s.cardinality == "one") and self.catalog.members(s.id) and s.id not in held
            }
            kept = components <= full.components and wanted.items() <= dict(full.values).items() and left_empty <= empty
            if kept and not self.hard(self.broken(self.as_loadout(full))) - ignored:
                found.append(full)
        return found
