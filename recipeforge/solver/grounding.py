"""Rules → clauses over the variables of one context.

Facts and all knobs that the solver does not move are constants and folded away; an atom over an unknown fact can make no rule fire.
What a rule says in a context is remembered by what it reads of that context: the next world mostly repeats the last.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import product
from operator import itemgetter
from threading import Lock

from recipeforge.catalog.predicates import PREDICATES
from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.catalog.subjects import CONFIG_PREFIX, FRAMEWORK, UNSETTLED
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, IsSet, Not, Predicate
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.solver.candidates import is_stated
from recipeforge.solver.clauses import Clause
from recipeforge.solver.evaluate import compare
from recipeforge.solver.scope import binds, dated, in_scope
from recipeforge.solver.variables import Variables
from recipeforge.solver.view import unsettled_of

Cube = tuple[int, int]
"""A conjunction: (variables that are true, variables that are false), as masks."""
TRUE: list[Cube] = [(0, 0)]
FALSE: list[Cube] = []

DATED = "packages"
"""What a context says of versions in general: whether it gives any."""
LAYOUTS_KEPT, CLAUSES_KEPT = 4, 20_000
_grounded: OrderedDict[object, "Remembered"] = OrderedDict()
"""Catalog and domains → clauses of single rules, by what they read."""
_keeping = Lock()


@record
class Grounding:
    """Turns conditions into cubes over the variables of one world."""

    over: Variables

    def cubes(self, condition: Condition, wanted: bool) -> list[Cube]:
        """Return the conjunctions under any of which `condition` is certainly `wanted`."""
        match condition:
            case Holds(slot, components):
                if slot in unsettled_of(self.over.facts):
                    return FALSE
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
        if subject in unsettled_of(self.over.facts):
            return FALSE
        domain = self.over.domains.get(subject)
        if domain is None:
            known = self.over.constants.get(subject) if subject in self.over.catalog.knobs else self.over.facts.get(subject)
            if known is None:
                settled = subject in self.over.catalog.knobs or subject == FRAMEWORK
                return TRUE if settled and not wanted else FALSE
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
        if subject in unsettled_of(self.over.facts):
            return [(None, (0, 0))]
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
Remembered = dict[tuple[str, Said], tuple[Clause, ...]]


class Heard(dict[tuple[str, str], object]):
    """What a context says of each knob and fact; nothing of the others."""

    def __missing__(self, key: tuple[str, str]) -> None:
        """Return what is said of a subject that nobody mentions."""


def _said(over: Variables) -> Heard:
    """Return all that a context says. 1 is not true."""
    subjects = {("knob", k): v for k, v in over.constants.items()} | {("fact", f): v for f, v in over.facts.items()}
    subjects["fact", DATED] = dated(over.facts)
    return Heard({s: v if isinstance(v, str) else (v.__class__, v) for s, v in subjects.items()})


def rule_clauses(over: Variables) -> list[Clause]:
    """Return the clauses of every rule that speaks for this context."""
    found: list[Clause] = []
    seen, said = _seen(over), _said(over)
    stated = {fact for fact, value in over.facts.items() if is_stated(fact, value)}
    for reader in _binding(over.catalog, over.facts.get("framework")):
        if reader.keys and stated.isdisjoint(reader.keys):
            continue
        key = reader.rule.code, reader.hears(said)
        clauses = seen.get(key)
        if clauses is None:
            clauses = seen[key] = clauses_of(reader, over)
        found += clauses
    return found


def _seen(over: Variables) -> "Remembered":
    """Return what is remembered of contexts with the same domains: a keystroke changes one fact or two."""
    layout = over.catalog.hash, tuple((knob, tuple([value for value, _ in domain])) for knob, domain in over.domains.items())
    with _keeping:
        seen = _grounded.setdefault(layout, {})
        _grounded.move_to_end(layout)
        if len(_grounded) > LAYOUTS_KEPT:
            _grounded.popitem(last=False)
    if len(seen) > CLAUSES_KEPT:
        seen.clear()
    return seen


def clauses_of(reader: "Reader", over: Variables) -> tuple[Clause, ...]:
    """Return what one rule demands in this context; nothing where it does not speak."""
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
    catalog: Catalog
    keys: frozenset[str]
    """Keys of another tool's configuration of which one has to be there for the rule to speak; empty: it may speak anyway."""

    @cached_property
    def hears(self) -> Callable[[Heard], Said]:
        """What finds, in what a context says, that which is for this rule: what it reads, and what decides whether it speaks."""
        read = [s for s in subjects_in(self.rule) if s not in self.catalog.slots]
        scope = [f"packages.{name}" for name in self.rule.scope]
        knobs = [("knob", s) for s in read if s in self.catalog.knobs]
        versions = [DATED] if self.rule.past else []
        facts = [("fact", s) for s in ("framework", *read, *scope, UNSETTLED, *versions) if s not in self.catalog.knobs]
        return itemgetter(*knobs, *facts)


_readers: dict[str, tuple[Reader, ...]] = {}
_bindings: dict[tuple[str, Fact | None], tuple[Reader, ...]] = {}


def readers(catalog: Catalog) -> tuple[Reader, ...]:
    """Return the rules with a pattern, in catalog order."""
    if catalog.hash not in _readers:
        patterns = ((rule, rule.violated_when) for rule in catalog.rules.values() if rule.stage != "removed")
        _readers[catalog.hash] = tuple(_reader(catalog, rule, pattern) for rule, pattern in patterns if pattern is not None)
    return _readers[catalog.hash]


def _binding(catalog: Catalog, framework: Fact | None) -> tuple[Reader, ...]:
    """Return those that are claimed for this framework."""
    key = catalog.hash, framework
    if key not in _bindings:
        _bindings[key] = tuple(reader for reader in readers(catalog) if binds(reader.rule, framework))
    return _bindings[key]


def _reader(catalog: Catalog, rule: Rule, pattern: Condition) -> Reader:
    cues = rule.cues or frozenset()
    of_keys = all(cue.startswith(CONFIG_PREFIX) for cue in cues)
    return Reader(rule, pattern, catalog, cues if of_keys else frozenset())
