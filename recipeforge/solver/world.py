"""Ground a catalog for one context: Boolean variables, clauses that bear their rule's code, and budgets.

One variable a component, one a value of each knob that the solver may move (one-hot). Facts and all other
knobs are constants and folded away; an atom over an unknown fact can make no rule fire. Assignments are
integers: bit `v` is variable `v`. A world is immutable and knows nothing of any particular recipe's picks.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import product
from operator import itemgetter

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subjects import CONFIG_PREFIX
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.solver.budgets import Budget
from recipeforge.solver.clauses import Clause, Group, bits
from recipeforge.solver.evaluate import compare, subjects_of
from recipeforge.solver.scope import in_scope
from recipeforge.solver.variables import Variables

TOO_MANY = "RF0020"
"""Code of the rule that a slot holds at most one component."""
MISSING = "RF0021"
"""Code of the rule that a slot holds at least one component."""

Cube = tuple[int, int]
"""A conjunction: (variables that are true, variables that are false), as masks."""
TRUE: list[Cube] = [(0, 0)]
FALSE: list[Cube] = []


Rows = tuple[tuple[int, int, str, Clause], ...]
"""Clauses unpacked for tight loops: positive, negative, rule, and the clause itself."""


@record
class World(Variables):
    """The rules of a catalog, ground for one context."""

    clauses: tuple[Clause, ...] = ()
    groups: tuple[Group, ...] = ()
    budgets: tuple[Budget, ...] = ()

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
        broken = {rule for positive, negative, rule in self._unpacked if not (positive & true or negative & absent)}
        broken |= {g.rule for g in self.groups if (held := g.members & true) & (held - 1)}
        broken |= {b.rule for b in self.budgets if not b.holds(true)}
        return broken

    @cached_property
    def _unpacked(self) -> tuple[tuple[int, int, str], ...]:
        return tuple((c.positive, c.negative, c.rule) for c in self.clauses)

    @cached_property
    def asking(self) -> tuple[tuple[Condition, tuple[str, ...], int], ...]:
        """Patterns of rules that speak for this context and ask for facts which nobody gave, with those facts.

        The mask names components without any of which the pattern is false; 0 if there are no such.
        """
        found: list[tuple[Condition, tuple[str, ...], int]] = []
        for reader in readers(self.catalog):
            lacking = tuple([fact for fact in reader.facts if fact not in self.facts]) if reader.facts else ()
            if any(fact.startswith(CONFIG_PREFIX) for fact in lacking):
                continue  # a recipe has no keys of another tool, and nobody could say them
            if lacking and in_scope(reader.rule, self.facts):
                found.append((reader.pattern, lacking, self._needed(reader.pattern)))
        return tuple(found)

    def _needed(self, pattern: Condition) -> int:
        for part in pattern.parts if isinstance(pattern, All) else (pattern,):
            if isinstance(part, Holds):
                return sum({1 << self.component_var[c] for c in part.components if c in self.component_var})
        return 0

    @cached_property
    def hard_rules(self) -> frozenset[str]:
        """Codes whose breaking makes a recipe fail."""
        return frozenset(x.rule for x in (*self.clauses, *self.budgets) if x.hard) | {g.rule for g in self.groups}


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


@record
class Grounding:
    """Turns conditions into cubes over the variables of one world."""

    over: Variables

    def cubes(self, condition: Condition, wanted: bool) -> list[Cube]:
        """Return the conjunctions under any of which `condition` is certainly `wanted`."""
        match condition:
            case Holds(_, components):
                members = [1 << self.over.component_var[c] for c in components if c in self.over.component_var]
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
        domain = self.over.domains.get(subject)
        if domain is None:
            known = self.over.constants.get(subject) if subject in self.over.catalog.knobs else self.over.facts.get(subject)
            if known is None:
                return TRUE if subject in self.over.catalog.knobs and not wanted else FALSE
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
        if subject in self.over.catalog.slots:
            members = {c.id: 1 << self.over.component_var[c.id] for c in self.over.catalog.members(subject)}
            held: list[tuple[Fact | None, Cube]] = [(c, (m, 0)) for c, m in members.items()]
            return [*held, (None, (0, sum(members.values())))]
        if subject in self.over.domains:
            return [(value, (1 << v, 0)) for value, v in self.over.domains[subject]]
        if subject in self.over.catalog.knobs:
            return [(self.over.constants.get(subject), (0, 0))]
        return [(self.over.facts.get(subject), (0, 0))]


def _conjunction(options: Sequence[list[Cube]]) -> list[Cube]:
    """Return the cubes of "one of each", without the contradictory ones."""
    cubes = TRUE
    for option in options:
        joined = ((p | q, n | m) for p, n in cubes for q, m in option)
        cubes = list(dict.fromkeys((p, n) for p, n in joined if not p & n))
    return cubes


Said = tuple[object, ...]
"""What a context says to one rule: the values of the knobs and facts that the rule reads."""


class Heard(dict[tuple[str, str], object]):
    """What a context says of each knob and fact; nothing of the others."""

    def __missing__(self, key: tuple[str, str]) -> None:
        """Return what is said of a subject that nobody mentions."""


def _said(over: Variables) -> Heard:
    """Return all that a context says. 1 is not true."""
    subjects = {("knob", k): v for k, v in over.constants.items()} | {("fact", f): v for f, v in over.facts.items()}
    return Heard({s: v if isinstance(v, str) else (v.__class__, v) for s, v in subjects.items()})


def rule_clauses(over: Variables, seen: dict[tuple[str, Said], tuple[Clause, ...]] | None = None) -> list[Clause]:
    """Return the clauses of every rule that speaks for this context.

    `seen` remembers them by what a rule reads, for contexts with the same domains: a keystroke changes one fact or two.
    """
    found: list[Clause] = []
    remembered = {} if seen is None else seen
    said = _said(over)
    for reader in readers(over.catalog):
        if reader.rule.stage == "removed":
            continue
        key = reader.rule.code, reader.hears(said)
        clauses = remembered.get(key)
        if clauses is None:
            clauses = remembered[key] = _clauses_of(reader, over)
        found += clauses
    return found


def _clauses_of(reader: "Reader", over: Variables) -> tuple[Clause, ...]:
    rule = reader.rule
    if not in_scope(rule, over.facts):
        return ()
    hard = rule.effective_severity == "error"
    cubes = Grounding(over).cubes(reader.pattern, True)
    return tuple(Clause(negative, positive, rule.code, hard) for positive, negative in cubes)


@record
class Reader:
    """A rule with a pattern, and what it has to be told."""

    rule: Rule
    pattern: Condition
    knobs: tuple[str, ...]
    facts: tuple[str, ...]
    scope: tuple[str, ...]
    """Facts that decide whether the rule speaks at all."""

    @cached_property
    def hears(self) -> Callable[[Heard], Said]:
        """What finds, in what a context says, that which is for this rule."""
        subjects = [("knob", knob) for knob in self.knobs] + [("fact", fact) for fact in (*self.facts, *self.scope)]
        if len(subjects) == 1:
            (only,) = subjects
            return lambda said: (said[only],)
        return itemgetter(*subjects) if subjects else lambda _: ()


_readers: dict[str, tuple[Reader, ...]] = {}


def readers(catalog: Catalog) -> tuple[Reader, ...]:
    """Return the rules with a pattern, in catalog order."""
    if catalog.hash not in _readers:
        patterns = ((rule, rule.violated_when) for rule in catalog.rules.values())
        _readers[catalog.hash] = tuple(_reader(catalog, rule, pattern) for rule, pattern in patterns if pattern is not None)
    return _readers[catalog.hash]


def _reader(catalog: Catalog, rule: Rule, pattern: Condition) -> Reader:
    subjects = [s for s in subjects_of(pattern) if s not in catalog.slots]
    knobs, facts = ([s for s in subjects if (s in catalog.knobs) is known] for known in (True, False))
    scope = ("framework", *(f"packages.{name}" for name in rule.scope)) if rule.scope else ()
    return Reader(rule, pattern, tuple(knobs), tuple(facts), scope)


def structure(over: Variables, given: Mapping[str, Scalar]) -> tuple[list[Clause], list[Group]]:
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
    return clauses, groups


def same(left: Scalar | None, right: Scalar | None) -> bool:
    """Return whether two values are one (1 and 1.0 are, 1 and true are not)."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)
