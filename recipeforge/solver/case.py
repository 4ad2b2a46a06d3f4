"""A loadout in its world: what is picked, and the assignment that the recipe as written amounts to."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from threading import Lock

from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Context, Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.as_written import as_written, makes_fail
from recipeforge.solver.batch import ACCUMULATE, MICRO, PAIR, with_partners
from recipeforge.solver.budget_rules import TIME_KINDS, TIME_LIMITS
from recipeforge.solver.latest import Latest
from recipeforge.solver.memory_budget import relevant_knobs
from recipeforge.solver.speed_budget import READ_ALONE, STEPS, speed_knobs
from recipeforge.solver.thresholds import kind_of
from recipeforge.solver.world import World, same

WORLDS_KEPT = 16
_worlds: OrderedDict[object, World] = OrderedDict()
"""Worlds are kept, since most edits of a recipe do not change its world."""
_keeping = Lock()


@record
class Case:
    """A recipe as the solver sees it."""

    world: World
    loadout: Loadout
    picks: int
    """Variables that the file itself fixes: named components and given values."""
    written: int
    """The full assignment: picks, defaults of empty slots and unset knobs."""
    own: bool = False
    """Whether the assignment is the loadout's own, which rules can judge without grounding the world."""

    @cached_property
    def broken(self) -> frozenset[str]:
        """Codes of all rules that the recipe as written breaks."""
        if self.own and not self.world.is_ground:
            return as_written(self.world.catalog, self.loadout).broken
        return frozenset(self.world.violated(self.written))

    @cached_property
    def broken_hard(self) -> frozenset[str]:
        """Those of them that make it fail."""
        return frozenset(code for code in self.broken if makes_fail(self.world.catalog, code))


@Latest
def case_of(catalog: Catalog, loadout: Loadout) -> Case:
    """Return the case of a loadout."""
    domains, constants = _knobs(catalog, loadout)
    given = {s.knob: s.value for s in loadout.settings}
    world = _world(catalog, loadout.context, domains, constants, {k: v for k, v in given.items() if k in domains})
    picks = written = 0
    filled: set[str] = set()
    for item in loadout.equipped:
        picks |= 1 << world.component_var[item.component]
        filled.add(item.slot)
    written = picks
    for slot in catalog.slots.values():
        if slot.default and slot.id not in filled:
            written |= 1 << world.component_var[slot.default]
    for knob, domain in world.domains.items():
        wanted = given.get(knob, catalog.knobs[knob].default)
        var = next(v for value, v in domain if same(value, wanted))
        written |= 1 << var
        picks |= 1 << var if knob in given else 0
    return Case(world, loadout, picks, written, own=True)


def _knobs(catalog: Catalog, loadout: Loadout) -> tuple[dict[str, tuple[Scalar | None, ...]], dict[str, Scalar]]:
    """Return the values of each knob the solver may move, and the constants of all others that matter."""
    domains, constants, relevant = _knobs_unset(catalog)
    domains, constants = dict(domains), dict(constants)
    for setting in loadout.settings:
        if setting.knob not in relevant:
            continue
        values = domains.get(setting.knob)
        if values is None:
            constants[setting.knob] = setting.value
        elif not any(same(setting.value, v) for v in values):
            domains[setting.knob] = (*values, setting.value)
    if MICRO in domains and ACCUMULATE in domains:
        now = {knob: catalog.knobs[knob].default for knob in PAIR} | {s.knob: s.value for s in loadout.settings if s.knob in PAIR}
        domains[ACCUMULATE] = with_partners(domains, now, catalog.knobs[ACCUMULATE].maximum)
    if STEPS in domains and any(limit in constants for limit in TIME_LIMITS):
        # A shorter run would keep any limit, and be another run: its length stays as it is written.
        domains[STEPS] = tuple(s.value for s in loadout.settings if s.knob == STEPS) or domains[STEPS]
    return domains, dict(sorted(constants.items()))


_Knobs = tuple[dict[str, tuple[Scalar | None, ...]], dict[str, Scalar], frozenset[str]]
_knobs_of: dict[str, _Knobs] = {}


def _knobs_unset(catalog: Catalog) -> _Knobs:
    """Return the domains and constants of a recipe that sets nothing, and the knobs that some rule or budget reads."""
    if catalog.hash not in _knobs_of:
        read: set[str] = set()
        for rule in catalog.rules.values():
            if rule.violated_when is not None:
                read.update(subjects_in(rule))
            if rule.budget:
                read |= (speed_knobs() if rule.budget in TIME_KINDS else relevant_knobs()) | set(rule.budget_limits)
        read |= set(PAIR) if read & set(PAIR) else set()  # one may move to make up for the other
        relevant = [catalog.knobs[k] for k in catalog.knobs if k in read]
        domains: dict[str, tuple[Scalar | None, ...]] = {}
        for knob in relevant:
            values: list[Scalar | None] = [] if knob.default is not None else [None]
            for value in (*knob.choices, knob.default) if knob.choices else ():
                if value is not None and not any(same(value, v) for v in values):
                    values.append(value)
            if knob.choices:
                domains[knob.path] = tuple(values)
        constants = {k.path: k.default for k in relevant if not k.choices and k.default is not None}
        _knobs_of[catalog.hash] = domains, constants, frozenset(k.path for k in relevant)
    return _knobs_of[catalog.hash]


def _world(
    catalog: Catalog,
    context: Context,
    domains: Mapping[str, tuple[Scalar | None, ...]],
    constants: Mapping[str, Scalar],
    given: Mapping[str, Scalar],
) -> World:
    """Return the world for these facts and values, building it if it is new."""
    owned = {knob: value for knob, value in given.items() if catalog.knobs[knob].components}
    key = (
        catalog.hash,
        tuple(sorted(context.facts.items())),
        tuple(domains.items()),
        tuple([(knob, kind_of(catalog, knob, value)) for knob, value in constants.items()]),
        tuple([constants.get(knob) for knob in READ_ALONE]) if any(limit in constants for limit in TIME_LIMITS) else (),
        tuple(sorted(owned.items())),
    )
    with _keeping:
        world = _worlds.get(key)
        if world is not None:
            _worlds.move_to_end(key)
            return world
    world = _build(catalog, context, domains, constants, owned)
    with _keeping:
        _worlds[key] = world
        if len(_worlds) > WORLDS_KEPT:
            _worlds.popitem(last=False)
    return world


def _build(
    catalog: Catalog,
    context: Context,
    values: Mapping[str, tuple[Scalar | None, ...]],
    constants: Mapping[str, Scalar],
    given: Mapping[str, Scalar],
) -> World:
    """Name the variables; what rules demand of them is ground when somebody asks."""
    component_var = {c: v for v, c in enumerate(catalog.components)}
    domains: dict[str, tuple[tuple[Scalar | None, int], ...]] = {}
    free = len(component_var)
    for knob, options in values.items():
        domains[knob] = tuple((value, free + i) for i, value in enumerate(options))
        free += len(options)
    return World(catalog, context.facts, constants, component_var, domains, given)
