"""Ground a catalog for one context: Boolean variables, clauses that bear their rule's code, and budgets.

One variable a component, one a value of each knob that the solver may move (one-hot). Facts and all other
knobs are constants and folded away; an atom over an unknown fact can make no rule fire. Assignments are
integers: bit `v` is variable `v`. A world is immutable and knows nothing of any particular recipe's picks.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property, lru_cache
from threading import Lock

from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.as_written import MISSING, TOO_MANY
from recipeforge.solver.budget_rules import budgets_of
from recipeforge.solver.budgets import Budget
from recipeforge.solver.clauses import Clause, Group, bits
from recipeforge.solver.grounding import clauses_of, readers, rule_clauses
from recipeforge.solver.variables import Variables

Rows = tuple[tuple[int, int, str, Clause], ...]
"""Clauses unpacked for tight loops: positive, negative, rule, and the clause itself."""


@record
class World(Variables):
    """The rules of a catalog, ground for one context. Each part is worked out when it is first asked for."""

    given: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    """The file's own values of knobs that only some components read."""

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """What slots, knobs and rules demand."""
        return (*self._structure[0], *rule_clauses(self))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Variables of which at most one is true."""
        return self._structure[1]

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        """Limits on memory, time and money."""
        return tuple(budgets_of(self))

    @property
    def is_ground(self) -> bool:
        """Whether the clauses are at hand already."""
        return "clauses" in vars(self)

    @cached_property
    def _structure(self) -> "Structure":
        return _structured(self)

    def clauses_of(self, code: str) -> tuple[Clause, ...]:
        """Return what one rule demands here, without asking the others."""
        if self.is_ground or code not in self.catalog.rules:
            return tuple(c for c in self.clauses if c.rule == code)
        return next((clauses_of(reader, self) for reader in readers(self.catalog) if reader.rule.code == code), ())

    @cached_property
    def hard(self) -> tuple[Clause, ...]:
        """The clauses that a recipe has to satisfy; all others only warn."""
        return tuple(c for c in self.clauses if c.hard)

    @cached_property
    def at_risk_when_true(self) -> tuple[tuple[int, ...], ...]:
        """Variable → positions in `hard` of the clauses that lose a literal when it becomes true."""
        return self._occurrences([c.falsified_by for c in self.hard])

    @cached_property
    def rows_when_true(self) -> tuple[Rows, ...]:
        """Variable → the hard clauses that lose a literal when it becomes true."""
        return tuple(self._rows(at_risk) for at_risk in self.at_risk_when_true)

    @cached_property
    def rows_when_false(self) -> tuple[Rows, ...]:
        """Variable → the hard clauses that lose a literal when it becomes false."""
        return tuple(self._rows(at_risk) for at_risk in self.at_risk_when_false)

    def _rows(self, positions: Sequence[int]) -> Rows:
        return tuple((c.positive, c.negative, c.rule, c) for c in (self.hard[i] for i in positions))

    @cached_property
    def at_risk_when_false(self) -> tuple[tuple[int, ...], ...]:
        """Variable → positions in `hard` of the clauses that lose a literal when it becomes false."""
        return self._occurrences([c.satisfied_by for c in self.hard])

    @cached_property
    def rivals(self) -> tuple[tuple[tuple[int, str], ...], ...]:
        """Variable → (mask of the variables it excludes, rule of the group), for each group it is in."""
        return _rivals(self.size, self.groups)

    @cached_property
    def excludes(self) -> tuple[int, ...]:
        """Variable → all variables that it excludes."""
        return _excludes(self.size, self.groups)

    def _occurrences(self, mentioned: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
        found: list[list[int]] = [[] for _ in range(self.size)]
        for index, variables in enumerate(mentioned):
            for v in variables:
                found[v].append(index)
        return tuple(tuple(f) for f in found)

    def violated(self, true: int) -> set[str]:
        """Return the codes of all rules, hard and soft, that a full assignment breaks."""
        absent = ~true
        watched = self._watched
        asked = (row for v in bits(true) for row in watched[v])
        broken = {rule for positive, negative, rule in (*watched[-1], *asked) if not (positive & true or negative & absent)}
        broken |= {g.rule for g in self.groups if (held := g.members & true) & (held - 1)}
        broken |= {b.rule for b in self.budgets if not b.holds(true)}
        return broken

    @cached_property
    def _watched(self) -> list[list[tuple[int, int, str]]]:
        """Variable → the clauses that only its being true can break; at the end those that may be broken anyway."""
        rows: list[list[tuple[int, int, str]]] = [[] for _ in range(self.size + 1)]
        for c in self.clauses:
            first = (c.negative & -c.negative).bit_length() - 1
            rows[first].append((c.positive, c.negative, c.rule))
        return rows

    @cached_property
    def hard_rules(self) -> frozenset[str]:
        """Codes whose breaking makes a recipe fail."""
        return frozenset(x.rule for x in (*self.clauses, *self.budgets) if x.hard) | {g.rule for g in self.groups}


@record
class StatedWorld(World):
    """A world whose demands are given, not ground from the catalog's rules."""

    stated: tuple[Clause, ...] = ()
    exclusive: tuple[Group, ...] = ()
    limited: tuple[Budget, ...] = ()

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """What is demanded."""
        return self.stated

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Variables of which at most one is true."""
        return self.exclusive

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        """Limits on memory, time and money."""
        return self.limited


@lru_cache(maxsize=8)
def _rivals(size: int, groups: tuple[Group, ...]) -> tuple[tuple[tuple[int, str], ...], ...]:
    """Return what `World.rivals` does; worlds with the same slots and domains share it."""
    found: list[list[tuple[int, str]]] = [[] for _ in range(size)]
    for group in groups:
        for v in bits(group.members):
            found[v].append((group.members & ~(1 << v), group.rule))
    return tuple(tuple(f) for f in found)


@lru_cache(maxsize=8)
def _excludes(size: int, groups: tuple[Group, ...]) -> tuple[int, ...]:
    """Return what `World.excludes` does."""
    found = [0] * size
    for group in groups:
        for v in bits(group.members):
            found[v] |= group.members & ~(1 << v)
    return tuple(found)


Structure = tuple[tuple[Clause, ...], tuple[Group, ...]]
STRUCTURES_KEPT = 16
_structures: OrderedDict[object, Structure] = OrderedDict()
_keeping = Lock()


def _structured(world: World) -> Structure:
    """Return what slots and knobs demand by themselves, remembered."""
    given = tuple(sorted((knob, value.__class__, value) for knob, value in world.given.items()))
    key = world.catalog.hash, tuple(world.domains.items()), given
    with _keeping:
        found = _structures.get(key)
    if found is None:
        found = structure(world, world.given)
    with _keeping:
        _structures[key] = found
        _structures.move_to_end(key)
        if len(_structures) > STRUCTURES_KEPT:
            _structures.popitem(last=False)
    return found


def structure(over: Variables, given: Mapping[str, Scalar]) -> Structure:
    """Return what slots and knobs demand by themselves: cardinalities, one value a knob, and a reader for values put in.

    `given` holds the file's own values of knobs that only some components read; those may stay when their reader leaves.
    """
    clauses: list[Clause] = []
    groups: list[Group] = []
    for slot in over.catalog.slots.values():
        members = over.slot_members[slot.id]
        if slot.cardinality != "many" and members & (members - 1):
            groups.append(Group(members, f"{TOO_MANY}:{slot.id}"))
        if members and (slot.cardinality == "one" or slot.default):
            # An empty slot with a default is filled by it, so only a slot without one can be found empty.
            clauses.append(Clause(members, 0, f"{MISSING}:{slot.id}", True))
    for path, domain in over.domains.items():
        values = sum(1 << v for _, v in domain)
        groups.append(Group(values, ""))
        clauses.append(Clause(values, 0, "", True))
        knob = over.catalog.knobs[path]
        if knob.components:
            idle = sum(1 << v for value, v in domain if same(value, knob.default) or same(value, given.get(path)))
            readers = sum(1 << over.component_var[c] for c in knob.components)
            clauses.append(Clause(idle | readers, 0, "", True))
    return tuple(clauses), tuple(groups)


def same(left: Scalar | None, right: Scalar | None) -> bool:
    """Return whether two values are one (1 and 1.0 are, 1 and true are not)."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)
