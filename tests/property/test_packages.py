"""Version solving against brute force: every choice of versions judged by plain evaluation, on small random catalogs and releases."""

from collections.abc import Iterator, Mapping
from itertools import combinations, product

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.condition import All, AnyOf, Compare, Condition, Holds, Not
from recipeforge.schemas.loadout import Context, Equipped, Loadout
from recipeforge.schemas.place import START_OF_FILE
from recipeforge.schemas.recipe import Slot
from recipeforge.schemas.release import Release, Releases
from recipeforge.schemas.rule import Rule
from recipeforge.solver.packages import choose, clashes, versions_for
from recipeforge.solver.packages_check import broken
from recipeforge.solver.packages_demands import puzzle_of
from recipeforge.solver.packages_proof import Narrowing, Refutation, refute
from recipeforge.solver.packages_world import PREFIX, PYTHON, Puzzle

NAMES = ("torch", "transformers", "left", "right")
VERSIONS = ("1.0", "1.5", "2.0")
DATES = ("2025-01-01", "2025-06-01", "2026-01-01")
OPS = ("lt", "le", "gt", "ge", "eq", "ne")
SIGNS = ("<", "<=", ">", ">=", "==", "!=")

Case = tuple[Catalog, Releases, Loadout]


@st.composite
def release_lists(draw: st.DrawFn) -> dict[str, tuple[Release, ...]]:
    """Up to three releases of most packages, which require each other's versions and Pythons at random."""
    listed = [name for name in NAMES if draw(st.integers(0, 9))]
    found: dict[str, tuple[Release, ...]] = {}
    for name in listed:
        count = draw(st.integers(1, 3))
        found[name] = tuple(draw(releases(name, version, date, listed)) for version, date in zip(VERSIONS[:count], DATES, strict=False))
    return found


@st.composite
def releases(draw: st.DrawFn, name: str, version: str, date: str, listed: list[str]) -> Release:
    python = draw(st.sampled_from(["", "", "", "", ">=3.11", "<3.11"]))
    built = draw(st.sampled_from([(), (), ("3.10", "3.11"), ("3.10", "3.11"), ("3.11",)]))
    lines = draw(st.lists(requirements([n for n in listed if n != name]), max_size=draw(st.integers(0, 2)))) if len(listed) > 1 else []
    unknown = draw(st.integers(0, 9)) == 0
    return Release(name, version, date, "2026-02-02", python, built, None if unknown else tuple(lines))


@st.composite
def requirements(draw: st.DrawFn, names: list[str]) -> str:
    marker = draw(st.sampled_from(["", "", "", '; python_version < "3.11"', '; sys_platform == "win32"']))
    bound = draw(st.sampled_from(["", *(f"{sign}{v}" for sign in SIGNS for v in VERSIONS)]))
    return f"{draw(st.sampled_from(names))}{bound}{marker}"


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Condition:
    kind = draw(st.integers(0, 6 if depth else 2))
    if kind == 6:
        return draw(st.sampled_from([Holds("kernels", ("one",)), Holds("kernels", ("two",)), Holds("memory", ("three",))]))
    if kind < 3:
        return Compare(PREFIX + draw(st.sampled_from(NAMES)), draw(st.sampled_from(OPS)), draw(st.sampled_from(VERSIONS)))
    if kind == 3:
        return Not(draw(conditions(depth - 1)))
    parts = tuple(draw(st.lists(conditions(depth - 1), min_size=1, max_size=2)))
    return All(parts) if kind == 4 else AnyOf(parts)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    components = {c: Component(c, slot, c.upper(), "", "", packages=needs) for c, slot, needs in PARTS}
    rules: dict[str, Rule] = {}
    for index in range(draw(st.integers(0, 3))):
        held = draw(st.sampled_from([None, "one", "two", "three"]))
        pattern = draw(conditions(draw(st.sampled_from([0, 0, 2]))))
        if held:
            holds = Holds(components[held].slot, (held,))
            pattern = All((draw(st.sampled_from([holds, holds, Not(holds)])), pattern))
        severity = draw(st.sampled_from(["error", "error", "warning"]))
        scope = draw(st.sampled_from([{}, {}, {"left": ">=1.5"}, {"transformers": "<2"}]))
        code = f"RF7{index:03d}"
        rules[code] = Rule(code, code.lower(), severity, f"{code} message", "", pattern, (), "T2", scope=scope)
    slots = {s: Slot(s, s, "", "at-most-one", None) for s in ("kernels", "memory")}
    catalog = Catalog(repr(rules), slots, {}, components, rules, {})
    equipped = [Equipped(c, components[c].slot, START_OF_FILE) for c in draw(st.lists(st.sampled_from(["one", "three"]), unique=True))]
    facts = {}
    for name in (*NAMES, "unheard"):
        if draw(st.integers(0, 5)) == 0:
            facts[PREFIX + name] = draw(st.sampled_from([*VERSIONS, "1.7"]))
    if draw(st.integers(0, 3)) == 0:
        facts[PREFIX + PYTHON] = draw(st.sampled_from(["3.10", "3.11.4"]))
    return catalog, draw(release_lists()), Loadout("random", "recipeforge", tuple(equipped), (), Context(facts))


PARTS = (("one", "kernels", ("left",)), ("two", "kernels", ("right",)), ("three", "memory", ("left", "right")))


def assignments(puzzle: Puzzle) -> Iterator[dict[str, int]]:
    """Every value of every package; Python is always there."""
    options = [[1 << i for i in range(p == PYTHON, len(v.versions) + 1)] for p, v in puzzle.values.items()]
    for bits in product(*options):
        yield dict(zip(puzzle.values, bits, strict=True))


def installed(puzzle: Puzzle, chosen: Mapping[str, int]) -> dict[str, str]:
    return {p: v.of(chosen[p])[0] for p, v in puzzle.values.items() if v.of(chosen[p])}


def allowed(puzzle: Puzzle, chosen: Mapping[str, int], picks: frozenset[str]) -> bool:
    return all(d.holds(chosen) for d in puzzle.demands if d.hard and d.picks <= picks)


def cost(puzzle: Puzzle, chosen: Mapping[str, int], case: Case) -> tuple[int, int]:
    """Broken warnings and unknown releases, then age: what the docstring of `choose` promises."""
    named = {package for d in puzzle.demands if d.key.startswith(("need:", "given:")) for package in d.packages}
    milder, age = sum(not d.holds(chosen) for d in puzzle.demands if not d.hard), 0
    for package, version in installed(puzzle, chosen).items():
        listed = case[1].get(package, ())
        release = next((r for r in listed if r.version == version), None)
        known = [v for v in puzzle.values[package].releases if v is not None and v.requires is not None]
        milder += bool(known) and (release is None or release.requires is None)
        if package == PYTHON or release is None:
            behind = len(puzzle.values[package].versions) - 1 - puzzle.values[package].versions.index(version)
        else:
            from datetime import date

            behind = (date.fromisoformat(listed[-1].date) - date.fromisoformat(release.date)).days
        age += (10 if package in named and package != PYTHON else 1) * behind + 1
    return milder, age


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(cases())
def test_demands_mean_what_plain_evaluation_says(case: Case) -> None:
    catalog, known, loadout = case
    puzzle = puzzle_of(catalog, known, loadout)
    picks = frozenset(puzzle.picks)
    for chosen in assignments(puzzle):
        there = installed(puzzle, chosen)
        hard, milder = broken(catalog, loadout, puzzle.values, there)
        wanted = all(d.holds(chosen) for d in puzzle.demands if d.key.startswith(("need:", "given:")))
        assert allowed(puzzle, chosen, picks) == (wanted and not hard), (there, hard)
        assert any(not d.holds(chosen) for d in puzzle.demands if not d.hard) == bool(milder)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(cases())
def test_the_best_versions_are_found_or_their_absence_is_explained(case: Case) -> None:
    catalog, known, loadout = case
    puzzle = puzzle_of(catalog, known, loadout)
    picks = frozenset(puzzle.picks)
    fits = [chosen for chosen in assignments(puzzle) if allowed(puzzle, chosen, picks)]
    answer = versions_for(catalog, known, loadout)
    event(f"{answer.kind}, {sum(bool(c.steps) for c in answer.conflicts)} conflicts told")
    assert answer.kind == ("found" if fits else "none")
    if fits:
        choice = choose(puzzle, 5)
        assert choice and choice.proved
        assert cost(puzzle, choice.values, case) == min(cost(puzzle, chosen, case) for chosen in fits)
        assert {c.package: c.version for c in answer.chosen if not c.given} == {
            p: v for p, v in installed(puzzle, choice.values).items() if PREFIX + p not in loadout.context.facts
        }
        return
    every = list(assignments(puzzle))
    found = clashes(puzzle)
    for conflict in found.conflicts:
        assert not any(allowed(puzzle, chosen, conflict) for chosen in every)
        for part in combinations(conflict, len(conflict) - 1) if conflict else ():
            assert any(allowed(puzzle, chosen, frozenset(part)) for chosen in every)
    for correction in found.corrections:
        assert any(allowed(puzzle, chosen, picks - correction) for chosen in every)
    assert len(answer.conflicts) == len(found.conflicts)
    assert all(c.steps and c.steps[-1].kind == "contradiction" for c in answer.conflicts)
    moved = [
        sum(not d.holds(chosen) for d in puzzle.demands if d.key.startswith("given:")) for chosen in every if without_given(puzzle, chosen)
    ]
    assert sum(c.moved for c in answer.chosen) == min(moved, default=0)


def without_given(puzzle: Puzzle, chosen: Mapping[str, int]) -> bool:
    return all(d.holds(chosen) for d in puzzle.demands if d.hard and not d.key.startswith("given:"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(cases())
def test_a_refutation_is_sound_and_found_just_where_there_is_one(case: Case) -> None:
    catalog, known, loadout = case
    puzzle = puzzle_of(catalog, known, loadout)
    demands = [d for d in puzzle.demands if d.hard]
    refutation = refute(puzzle, demands)
    assert (refutation is None) == any(allowed(puzzle, chosen, frozenset(puzzle.picks)) for chosen in assignments(puzzle))
    for step in steps_of(refutation) if refutation else ():
        assert follows(puzzle, step), step
    if refutation:
        assert_complete(refutation)


def steps_of(refutation: Refutation) -> Iterator[Narrowing]:
    yield from (step for step in refutation.needs() if step.demand is not None)
    if refutation.end is not None:
        yield refutation.end
    for _, inner in refutation.cases:
        yield from steps_of(inner)


def follows(puzzle: Puzzle, step: Narrowing) -> bool:
    """Whether the demand and the premises alone leave nothing but what the step says."""
    assert step.demand is not None
    assert step.left == step.before & step.allowed
    there = {p for d in puzzle.demands if d.plain for p in d.packages}
    full = {p: v.installed | (0 if p in there else v.absent) for p, v in puzzle.values.items()}
    left = {p: full[p] for p in step.demand.packages} | {s.package: s.left for s in step.because}
    options = [[1 << i for i in range(left[p].bit_length()) if left[p] >> i & 1] for p in step.demand.packages]
    for bits in product(*options):
        chosen = dict(zip(step.demand.packages, bits, strict=True))
        if step.demand.holds(chosen) and not chosen[step.package] & step.left:
            return False
    return True


def assert_complete(refutation: Refutation) -> None:
    """A contradiction leaves nothing; cases cover all that was left."""
    if refutation.end is not None:
        assert not refutation.end.left
        return
    supposed = [s for s, _ in refutation.cases]
    assert sum(s.left for s in supposed) == supposed[0].before
    for supposed, inner in refutation.cases:
        assert inner.rests_on(supposed), "a case that needs no supposition is the whole refutation"
        assert_complete(inner)
