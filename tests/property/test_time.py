"""Budgets of time on random recipes: the orders that cuts rely on, cuts against brute force, and the solver against the truth."""

from dataclasses import replace
from itertools import product

from catalogs import DIMS, KNOBS, cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_memory import DIMS as MODELS
from test_memory import FLAGS, VALUES

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Context, Loadout, Setting
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.recipe import Knob, Slot
from recipeforge.schemas.rule import Rule
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.case import case_of
from recipeforge.solver.costs import WARNING, changes_between, cost_of, prices
from recipeforge.solver.repair import rank
from recipeforge.solver.resolve import resolve
from recipeforge.solver.speed import PACES, Device
from recipeforge.solver.speed_budget import FEATURES, SPEEDS, TERMS, Reader, setting_from
from recipeforge.solver.speed_budget import Setting as Given
from recipeforge.solver.speed_budget import _orders as orders_of
from recipeforge.solver.view import view_of

SEEN = {"cuts": 0, "kept": 0, "bounds": 0, "reached": 0, "repairs": 0, "none": 0, "valid": 0}
SPEED_VALUES = VALUES | {
    "format": [(False, 1.0), (True, 1.0), (True, 1.28)],
    "kernels": [1.0, *SPEEDS],
    "train.steps": [0, 1, 1000],
}
FEATURE_VALUES = st.fixed_dictionaries({f.name: st.sampled_from(SPEED_VALUES.get(f.name, FLAGS)) for f in FEATURES})
DEVICES = st.builds(Device, st.floats(10, 3000), st.none() | st.floats(1, 200), st.none() | st.floats(100, 8000))
GIVEN = st.builds(Given, MODELS, st.integers(0, 10**12), DEVICES, st.sampled_from(PACES), st.none() | st.floats(1, 1e6))
GIVEN = GIVEN | st.builds(replace, GIVEN, fixed=st.integers(1, 10**9))


def term(name: str, given_: Given, features: dict) -> int:
    """One term, given only the features that it declares."""
    return Reader(given_, {f: features[f] for f in TERMS[name]}).milliseconds(name)


@settings(max_examples=800, deadline=None)
@given(GIVEN, FEATURE_VALUES, st.sampled_from(sorted(TERMS)), st.data())
def test_a_term_never_falls_while_its_declared_cost_rises(given_, features, name, data):
    orders = {f: order for f, order in orders_of(given_).items() if f in TERMS[name]}
    feature = data.draw(st.sampled_from(sorted(orders)))
    values = sorted(SPEED_VALUES.get(feature, FLAGS), key=orders[feature])
    amounts = [term(name, given_, features | {feature: value}) for value in values]
    assert amounts == sorted(amounts), (feature, values)


@settings(max_examples=400, deadline=None)
@given(GIVEN, FEATURE_VALUES, st.sampled_from(sorted(TERMS)), st.data())
def test_a_term_never_falls_while_an_ascending_knob_rises(given_, features, name, data):
    ascending = [f.name for f in FEATURES if getattr(f, "ascending", False) and f.name in TERMS[name]]
    feature = data.draw(st.sampled_from(ascending))
    amounts = [term(name, given_, features | {feature: value}) for value in sorted(SPEED_VALUES[feature])]
    assert amounts == sorted(amounts), feature


@settings(max_examples=400, deadline=None)
@given(GIVEN, FEATURE_VALUES)
def test_a_faster_pace_never_takes_longer(given_, features):
    by_pace = [sum(term(name, replace(given_, pace=pace), features) for name in TERMS) for pace in PACES]
    assert by_pace == sorted(by_pace, reverse=True)


@st.composite
def timed(draw: st.DrawFn) -> tuple[Catalog, Loadout]:
    """A random case on a GPU of known peak, with formats, kernels, packing and a limit that some of its recipes keep."""
    catalog, loadout = draw(cases(4))
    more = [Component("half", "precision", "half", "", "", effects={"compute_bytes": 2})]
    more += [Component("quick", "kernels", "quick", "", "", effects={"speed": 1.2})]
    slots = {**catalog.slots, "precision": Slot("precision", "", "", "at-most-one"), "kernels": Slot("kernels", "", "", "many")}
    knobs = {**catalog.knobs, "data.packing": Knob("data.packing", "bool", "", default=False, choices=(False, True))}
    knobs |= {k: Knob(k, "float", "") for k in ("budget.wall_clock", "budget.cost_usd", "hardware.price_usd_hour")}
    knobs["train.steps"] = KNOBS["train.steps"]
    likely, hard = draw(st.booleans()), draw(st.sampled_from(["budget.wall_clock", "budget.cost_usd"]))
    kind = ("time" if hard == "budget.wall_clock" else "cost") + ("-likely" if likely else "")
    rule = Rule(
        "RF8005", "time", draw(st.sampled_from(["error", "error", "warning"])), "", "", None, (), "T2", budget=kind, budget_limits=(hard,)
    )
    rules = {c: r for c, r in catalog.rules.items() if not r.budget} | {"RF8005": rule}
    components = catalog.components | {c.id: c for c in more}
    catalog = replace(catalog, hash=f"{catalog.hash}{kind}{rule.severity}", slots=slots, knobs=knobs, components=components, rules=rules)
    facts = {f"model.{k}": v for k, v in DIMS.items()} | {"gpu.bf16_tflops": 1e-9, "gpu.fp32_tflops": 1e-10, "gpu.bandwidth_gb_s": 1e-8}
    given_ = {"train.steps": draw(st.integers(1, 4)), "hardware.price_usd_hour": 3600.0}
    kept = tuple(s for s in loadout.settings if s.knob not in given_ and s.knob != hard)
    context = Context({k: v for k, v in loadout.context.facts.items() if not k.startswith("model.")} | facts)
    loadout = replace(loadout, settings=(*kept, *(Setting(k, v, START_OF_FILE) for k, v in given_.items())), context=context)
    share = draw(st.sampled_from([0.02, 0.2, 0.4, 0.6, 0.8, 1.05]))
    limit = seconds(catalog, loadout, "typical" if likely else "fast") * share  # a dollar is a second
    return catalog, replace(loadout, settings=(*loadout.settings, Setting(hard, limit, START_OF_FILE)))


def seconds(catalog: Catalog, loadout: Loadout, pace: str) -> float:
    """The time of a recipe, read off its view: no classes, no terms of a budget."""
    view = view_of(catalog, loadout)
    features = {f.name: f.read(view) for f in FEATURES}
    setting = setting_from(loadout.context.facts, view.knobs, pace)
    told = [name for name, uses in TERMS.items() if features["trains"] is not None or "trains" not in uses]
    return sum(Reader(setting, features).milliseconds(name) for name in told) / 1000


def broken(catalog: Catalog, loadout: Loadout) -> bool:
    """Whether a recipe exceeds the limit of the one budget rule."""
    rule = catalog.rules["RF8005"]
    pace = "typical" if rule.budget.endswith("-likely") else "fast"
    return seconds(catalog, loadout, pace) > next(s.value for s in loadout.settings if s.knob == rule.budget_limits[0])


def assignments(world) -> list[int]:
    """Every full assignment that respects the slots and gives each knob one value."""
    whole = [sum(1 << v for v, bit in enumerate(held) if bit) for held in product((0, 1), repeat=len(world.component_var))]
    whole = [a for a in whole if all((held := g.members & a) & (held - 1) == 0 for g in world.groups)]
    values = [[1 << v for _, v in domain] for domain in world.domains.values()]
    return [a | sum(chosen) for a in whole for chosen in product(*values)]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed())
def test_cuts_and_bounds_say_nothing_wrong(case):
    world = case_of(*case).world
    every = assignments(world)
    for budget in world.budgets:
        within = [a for a in every if budget.holds(a)]
        for exceeding in [a for a in every if not budget.holds(a)][:10]:
            cut = budget.cut(exceeding)
            assert not cut.holds(exceeding)
            assert all(cut.holds(a) for a in within)
            SEEN["cuts"] += 1
            SEEN["kept"] += len(within)
        for some, other in zip(every[::7], every[3::5], strict=False):
            true, false = some & other, ~(some | other)
            least, amounts = budget.least(true, false), [budget.amount(a) for a in every if not true & ~a and not false & a]
            assert least <= min(amounts)
            SEEN["bounds"] += 1
            SEEN["reached"] += least == min(amounts) and len(set(amounts)) > 1


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(timed())
def test_the_solver_keeps_time_as_brute_force_does(case):
    catalog, loadout = case
    solved = case_of(catalog, loadout)
    if any(solved.world.violated(solved.written) - {"RF8005"}):
        return  # other rules have tests of their own
    assert ("RF8005" in solved.broken) == broken(catalog, loadout)
    if "RF8005" not in solved.broken_hard:
        SEEN["valid"] += resolve(catalog, loadout).kind == "valid"
        return
    price, hard = prices(solved), solved.world.hard_rules
    fitting = [a for a in assignments(solved.world) if not solved.world.violated(a) & hard]
    ranking = rank(catalog, loadout, 1, 20)
    assert bool(ranking.repairs) == bool(fitting)
    SEEN["none"] += not fitting
    if ranking.repairs:
        SEEN["repairs"] += 1
        best = ranking.repairs[0]
        assert not broken(catalog, apply_changes(catalog, loadout, best.changes))
        assert not any(c.knob == "train.steps" for c in best.changes)
        paid = {a: cost_of(a, price) + WARNING * len(solved.world.violated(a)) for a in fitting}
        assert any(changes_between(solved, a) == best.changes for a in fitting if paid[a] == min(paid.values()))


def test_enough_was_seen():
    assert SEEN["cuts"] >= 300, SEEN
    assert SEEN["kept"] >= 3000, SEEN
    assert SEEN["bounds"] >= 300, SEEN
    assert SEEN["reached"] >= 30, SEEN
    assert SEEN["repairs"] >= 20, SEEN
    assert SEEN["none"] >= 1, SEEN
    assert SEEN["valid"] >= 20, SEEN
