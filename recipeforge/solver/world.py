"""Ground a catalog for one context: Boolean variables, clauses that bear their rule's code, and budgets.

One variable a component, one a value of each knob that the solver may move (one-hot). Facts and all other
knobs are constants and folded away; an atom over an unknown fact can make no rule fire. Assignments are
integers: bit `v` is variable `v`. A world is immutable and knows nothing of any particular recipe's picks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.solver.budgets import Budget
from recipeforge.solver.clauses import Clause, Group, bits
from recipeforge.solver.evaluate import compare
from recipeforge.solver.scope import in_scope

TOO_MANY = "RF0020"
"""Code of the rule that a slot holds at most one component."""
MISSING = "RF0021"
"""Code of the rule that a slot holds at least one component."""

Cube = tuple[int, int]
"""A conjunction: (variables that are true, variables that are false), as masks."""
TRUE: list[Cube] = [(0, 0)]
FALSE: list[Cube] = []


@dataclass(frozen=True)
class World:
    """The rules of a catalog, ground for one context."""

    catalog: Catalog
    facts: Mapping[str, Fact]
    constants: Mapping[str, Scalar]
    """Knobs that the solver does not move, with the value that holds."""
    component_var: Mapping[str, int]
    domains: Mapping[str, tuple[tuple[Scalar | None, int], ...]]
    """Knob → its values with their variables; `None` is "unset"."""
    clauses: tuple[Clause, ...]
    groups: tuple[Group, ...]
    budgets: tuple[Budget, ...] = ()

    @cached_property
    def size(self) -> int:
        """Number of variables."""
        return len(self.component_var) + sum(len(d) for d in self.domains.values())

    @cached_property
    def variables(self) -> tuple[str | tuple[str, Scalar | None], ...]:
        """What each variable stands for: a component id, or (knob, value)."""
        named: dict[int, str | tuple[str, Scalar | None]] = {v: c for c, v in self.component_var.items()}
        named |= {v: (knob, value) for knob, domain in self.domains.items() for value, v in domain}
        return tuple(named[v] for v in range(self.size))

    @cached_property
    def slot_members(self) -> Mapping[str, int]:
        """Slot → mask of its components."""
        masks = dict.fromkeys(self.catalog.slots, 0)
        for component, v in self.component_var.items():
            masks[self.catalog.components[component].slot] |= 1 << v
        return masks

    @cached_property
    def at_risk_when_true(self) -> tuple[tuple[int, ...], ...]:
        """Variable → clauses that lose a literal when it becomes true."""
        return self._occurrences([c.negative for c in self.clauses])

    @cached_property
    def at_risk_when_false(self) -> tuple[tuple[int, ...], ...]:
        """Variable → clauses that lose a literal when it becomes false."""
        return self._occurrences([c.positive for c in self.clauses])

    @cached_property
    def rivals(self) -> tuple[tuple[tuple[int, str], ...], ...]:
        """Variable → (mask of the variables it excludes, rule of the group), for each group it is in."""
        found: list[list[tuple[int, str]]] = [[] for _ in range(self.size)]
        for group in self.groups:
            for v in bits(group.members):
                found[v].append((group.members & ~(1 << v), group.rule))
        return tuple(tuple(f) for f in found)

    def _occurrences(self, masks: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        found: list[list[int]] = [[] for _ in range(self.size)]
        for index, mask in enumerate(masks):
            for v in bits(mask):
                found[v].append(index)
        return tuple(tuple(f) for f in found)

    def violated(self, true: int) -> set[str]:
        """Return the codes of all rules, hard and soft, that a full assignment breaks."""
        broken = {c.rule for c in self.clauses if not (c.positive & true or c.negative & ~true)}
        broken |= {g.rule for g in self.groups if (held := g.members & true) & (held - 1)}
        broken |= {b.rule for b in self.budgets if not b.holds(true)}
        return broken

    @cached_property
    def hard_rules(self) -> frozenset[str]:
        """Codes whose breaking makes a recipe fail."""
        return frozenset(x.rule for x in (*self.clauses, *self.budgets) if x.hard) | {g.rule for g in self.groups}


class Grounding:
    """Turns conditions into cubes over the variables of one world."""

    def __init__(
        self,
        catalog: Catalog,
        facts: Mapping[str, Fact],
        constants: Mapping[str, Scalar],
        component_var: Mapping[str, int],
        domains: Mapping[str, tuple[tuple[Scalar | None, int], ...]],
    ) -> None:
        self.catalog, self.facts, self.constants = catalog, facts, constants
        self.component_var, self.domains = component_var, domains

    def cubes(self, condition: Condition, wanted: bool) -> list[Cube]:
        """Return the conjunctions under any of which `condition` is certainly `wanted`."""
        match condition:
            case Holds(_, components):
                members = [1 << self.component_var[c] for c in components if c in self.component_var]
                return [(m, 0) for m in members] if wanted else [(0, sum(set(members)))]
            case Compare(subject, op, value):
                versions = subject.startswith("packages.")
                return self._atom(subject, lambda known: compare(known, op, value, versions=versions), wanted)
            case IsSet(subject):
                return self._atom(subject, lambda _: True, wanted)
            case Predicate(name):
                return self._predicate(name, wanted)
            case Not(inner):
                return self.cubes(inner, not wanted)
            case All(parts) | AnyOf(parts):
                options = [self.cubes(p, wanted) for p in parts]
                if isinstance(condition, All) == wanted:
                    return _conjunction(options)
                return list(dict.fromkeys(c for option in options for c in option))

    def _atom(self, subject: str, test: Callable[[Fact], bool], wanted: bool) -> list[Cube]:
        """Ground a test of one knob or fact."""
        domain = self.domains.get(subject)
        if domain is None:
            known = self.constants.get(subject) if subject in self.catalog.knobs else self.facts.get(subject)
            if known is None:
                return TRUE if subject in self.catalog.knobs and not wanted else FALSE
            return TRUE if test(known) == wanted else FALSE
        excluded = sum(1 << v for value, v in domain if (value is not None and test(value)) != wanted)
        if excluded == sum(1 << v for _, v in domain):
            return FALSE
        return [(0, excluded)]

    def _predicate(self, name: str, wanted: bool) -> list[Cube]:
        """Ground named arithmetic by trying every combination of the choices that it reads."""
        predicate = PREDICATES[name]
        options = [self._options(s) for s in predicate.subjects]
        found: list[Cube] = []
        for combination in product(*options):
            values = {s: value for s, (value, _) in zip(predicate.subjects, combination, strict=True)}
            if predicate.holds(values) is wanted:
                found += _conjunction([[cube] for _, cube in combination])
        return found

    def _options(self, subject: str) -> list[tuple[Fact | None, Cube]]:
        """Return the values that a subject can take, each with the cube under which it does."""
        if subject in self.catalog.slots:
            members = {c.id: 1 << self.component_var[c.id] for c in self.catalog.members(subject)}
            return [(c, (m, 0)) for c, m in members.items()] + [(None, (0, sum(members.values())))]
        if subject in self.domains:
            return [(value, (1 << v, 0)) for value, v in self.domains[subject]]
        if subject in self.catalog.knobs:
            return [(self.constants.get(subject), (0, 0))]
        return [(self.facts.get(subject), (0, 0))]


def _conjunction(options: Sequence[list[Cube]]) -> list[Cube]:
    """Return the cubes of "one of each", without the contradictory ones."""
    cubes = TRUE
    for option in options:
        joined = ((p | q, n | m) for p, n in cubes for q, m in option)
        cubes = list(dict.fromkeys((p, n) for p, n in joined if not p & n))
    return cubes


def rule_clauses(catalog: Catalog, grounding: Grounding) -> list[Clause]:
    """Return the clauses of every rule that speaks for this context."""
    facts = dict(grounding.facts)
    found: list[Clause] = []
    for rule in catalog.rules.values():
        if rule.violated_when is None or rule.stage == "removed" or not in_scope(rule, facts):
            continue
        hard = rule.effective_severity == "error"
        found += [Clause(negative, positive, rule.code, hard) for positive, negative in grounding.cubes(rule.violated_when, True)]
    return found


def structure(catalog: Catalog, component_var: Mapping[str, int], domains: Mapping[str, tuple[tuple[Scalar | None, int], ...]]) -> tuple[list[Clause], list[Group]]:
    """Return what slots and knobs demand by themselves: cardinalities, and one value a knob."""
    clauses: list[Clause] = []
    groups: list[Group] = []
    for slot in catalog.slots.values():
        members = sum(1 << component_var[c.id] for c in catalog.members(slot.id))
        if slot.cardinality != "many" and members & (members - 1):
            groups.append(Group(members, f"{TOO_MANY}:{slot.id}"))
        if members and (slot.cardinality == "one" or slot.default):
            # An empty slot with a default is filled by it, so only a slot without one can be found empty.
            clauses.append(Clause(members, 0, f"{MISSING}:{slot.id}", True))
    for domain in domains.values():
        values = sum(1 << v for _, v in domain)
        groups.append(Group(values, ""))
        clauses.append(Clause(values, 0, "", True))
    return clauses, groups
