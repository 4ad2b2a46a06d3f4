"""The solver against brute force, on random catalogs of up to 12 components with every kind of rule."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from catalogs import cases, catalogs, condition_rules, loadouts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import Full, Oracle

from recipeforge.schemas.rule import Rule
from recipeforge.solver import case as case_module
from recipeforge.solver.apply import apply_changes
from recipeforge.solver.as_written import as_written
from recipeforge.solver.case import case_of
from recipeforge.solver.engine import find_model
from recipeforge.solver.exact import Exact
from recipeforge.solver.repair import repairs
from recipeforge.solver.resolve import resolve
from recipeforge.solver.statuses import set_aside, statuses

MANY = settings(
    max_examples=int(os.environ.get("RECIPEFORGE_EXAMPLES", "1000")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def told(saw):
    """Tell what the random catalogs covered, and insist that both verdicts were met often."""
    yield
    saw(f"solver against brute force: {dict(sorted(SEEN.items()))}")


def seen(*words: str) -> None:
    SEEN.update(words)


@MANY
@given(cases())
def test_verdict_equals_brute_force(case):
    catalog, loadout = case
    oracle = Oracle(catalog, loadout)
    verdict = resolve(catalog, loadout)
    broken = oracle.broken(loadout)
    assert {v.code for v in verdict.violations} == broken
    written = case_of(catalog, loadout)
    assert written.world.violated(written.written) == broken, "the world says otherwise than plain evaluation"
    hard = oracle.hard(broken)
    completable = bool(oracle.completions(oracle.picks))
    assert verdict.kind == ("valid" if not hard else "incomplete" if completable else "conflicting")
    seen("verdicts", verdict.kind)
    if verdict.kind == "conflicting":
        assert verdict.conflicts
        for conflict in verdict.conflicts:
            assert conflict.minimal
            assert not completions_of(oracle, conflict.picks)
            for left_out in conflict.picks:
                assert completions_of(oracle, [p for p in conflict.picks if p != left_out])
            only = replace(catalog, rules={c: r for c, r in catalog.rules.items() if c in conflict.rules}, hash=catalog.hash + "only")
            assert not completions_of(Oracle(only, loadout), conflict.picks), "its rules do not forbid its picks"
            assert_rules_minimal(catalog, loadout, conflict)
            seen("conflicts", f"conflict of {len(conflict.picks)} picks", f"conflict of {len(conflict.rules)} rules")


def assert_rules_minimal(catalog, loadout, conflict):
    """Without any one of its rules CP-SAT finds the picks possible."""
    solved = case_of(catalog, loadout)
    world = solved.world
    picked = set(conflict.picks)
    picks = sum(
        1 << v for v, name in enumerate(world.named) if solved.picks >> v & 1 and (name if isinstance(name, str) else name[0]) in picked
    )
    for left_out in conflict.rules:
        ignored = world.hard_rules - {"", *conflict.rules} | {left_out}
        assert Exact(world, ignored).solve(picks).status == "sat", (conflict, left_out)


def completions_of(oracle: Oracle, picks) -> list[Full]:
    components = frozenset(p for p in picks if p in oracle.catalog.components)
    return oracle.completions(components, given={k: v for k, v in oracle.given.items() if k in picks})


@MANY
@given(cases(7))
def test_statuses_equal_brute_force(case):
    catalog, loadout = case
    oracle = Oracle(catalog, loadout)
    before, ignored = aside(oracle, loadout, oracle.picks)
    assert set_aside(case_of(catalog, loadout)) == ignored
    for status in statuses(catalog, loadout):
        wanted, broken_before, left_aside = expected_status(oracle, status.component, before, ignored)
        assert status.kind == wanted, status
        seen("statuses", f"status {status.kind}")
        if status.kind == "blocked":
            assert status.rules
        if status.kind in ("conditional", "swap"):
            changed = apply_changes(catalog, without(loadout, status.blockers), [*adding(catalog, status.component), *status.needs])
            assert not oracle.hard(oracle.broken(changed)) - broken_before
            if status.needs:
                bare = apply_changes(catalog, without(loadout, status.blockers), adding(catalog, status.component))
                assert oracle.hard(oracle.broken(bare)) - broken_before
            assert oracle.completions(frozenset(e.component for e in changed.equipped), left_aside, given_after(oracle, changed))


def aside(oracle: Oracle, loadout, picks) -> tuple[set, set]:
    """Return the hard rules that a loadout breaks, and those of them that stay broken whatever is added to the picks."""
    before = oracle.hard(oracle.broken(loadout))
    return before, aside_of(oracle, before, picks)


def aside_of(oracle: Oracle, before: set, picks) -> set:
    if not before or oracle.completions(picks):
        return set()
    ignored = set(before)
    for code in sorted(before):
        if oracle.completions(picks, ignored - {code}):
            ignored -= {code}
    return ignored


def given_after(oracle: Oracle, loadout) -> dict:
    return {s.knob: s.value for s in loadout.settings if s.knob in oracle.movable}


def adding(catalog, component):
    from recipeforge.schemas.change import Change

    return [Change("add", slot=catalog.components[component].slot, component=component)]


def without(loadout, components):
    return replace(loadout, equipped=tuple(e for e in loadout.equipped if e.component not in components))


def expected_status(oracle: Oracle, component: str, before: set, ignored: set) -> tuple[str, set, set]:
    """Return the status, and the rules broken before and set aside: without the holder, where a slot is taken."""
    catalog, loadout = oracle.catalog, oracle.loadout
    slot = catalog.slots[catalog.components[component].slot]
    if component in oracle.picks:
        return "equipped", before, ignored
    held = set(loadout.components_in(slot.id))
    if not held and slot.default == component:
        return "available", before, ignored
    holders = held if slot.cardinality != "many" else set()
    picks = oracle.picks - holders
    if slot.cardinality != "many" and (held or slot.default):
        seatless = replace(catalog, slots={**catalog.slots, slot.id: replace(slot, default=None, cardinality="one")})
        empty = without(loadout, holders)
        before = oracle.hard(Oracle(seatless, empty).broken(empty))
        ignored = aside_of(oracle, before, picks)
    swapped = apply_changes(catalog, without(loadout, holders), adding(catalog, component))
    free = oracle.hard(oracle.broken(swapped)) <= before
    if not oracle.completions(picks | {component}, ignored):
        return "blocked", before, ignored
    return ("swap" if holders else "available" if free else "conditional"), before, ignored


@MANY
@given(cases(12))
def test_propagation_and_cp_sat_agree(case):
    catalog, loadout = case
    seen("engines compared")
    solved = case_of(catalog, loadout)
    world = solved.world
    answer = Exact(world).solve(solved.picks)
    model = find_model(world, solved.written, solved.picks)
    assert (model is not None) == (answer.status == "sat")
    seen("satisfiable" if model is not None else "unsatisfiable")
    for true in (model, answer.true if answer.status == "sat" else None):
        if true is not None:
            assert not world.violated(true) & world.hard_rules
            assert true & solved.picks == solved.picks
    if answer.status == "unsat":
        core = sum(1 << literal for literal in answer.core if literal >= 0)
        assert find_model(world, solved.written, core & solved.picks) is None


@settings(MANY, max_examples=300)
@given(st.data())
def test_adding_a_rule_never_cures_a_conflict(data):
    catalog = data.draw(catalogs())
    loadout = data.draw(loadouts(catalog))
    extra: Rule = data.draw(condition_rules("RF1999", catalog.components, catalog.slots, catalog.knobs))
    more = replace(catalog, rules={**catalog.rules, extra.code: extra}, hash=catalog.hash + "+")
    order = ["valid", "incomplete", "conflicting"]
    before, after = resolve(catalog, loadout), resolve(more, loadout)
    assert order.index(after.kind) >= order.index(before.kind)
    assert {v.code for v in before.violations} <= {v.code for v in after.violations}


@settings(MANY, max_examples=300)
@given(cases())
def test_same_input_same_bytes(case):
    catalog, loadout = case
    answers = []
    for _ in range(2):
        case_module._worlds.clear()
        case_of.forget()
        as_written.forget()
        case_module._knobs_of.clear()
        answers.append(repr((resolve(catalog, loadout), statuses(catalog, loadout), repairs(catalog, loadout))).encode())
    assert answers[0] == answers[1]


def test_enough_was_seen():
    """The suites above prove something only if both outcomes occurred often."""
    assert SEEN["verdicts"] >= 1000
    assert min(SEEN["valid"], SEEN["incomplete"], SEEN["conflicting"]) >= 50, SEEN
    assert min(SEEN[f"status {k}"] for k in ("available", "conditional", "swap", "blocked")) >= 50, SEEN
    assert min(SEEN["satisfiable"], SEEN["unsatisfiable"]) >= 50, SEEN
