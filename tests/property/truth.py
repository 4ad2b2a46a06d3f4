"""A truth table of a small catalog, slots crowded and empty ones too, and a checker of explanations that knows nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations, product

from oracle import Full, Oracle

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.explanation import Said, Step
from recipeforge.schemas.loadout import Loadout
from recipeforge.solver.as_written import TOO_MANY


@dataclass(frozen=True)
class Truth:
    """One catalog and one loadout."""

    catalog: Catalog
    loadout: Loadout

    @cached_property
    def oracle(self) -> Oracle:
        """The catalog with no slot filled by default: an empty one is simply empty, and missing where it has to be filled."""
        slots = {
            s.id: replace(s, default=None, cardinality="one") if s.default and s.cardinality != "many" else s
            for s in self.catalog.slots.values()
        }
        return Oracle(replace(self.catalog, slots=slots, hash=self.catalog.hash + "seatless"), self.loadout)

    @cached_property
    def table(self) -> list[tuple[Full, frozenset[str]]]:
        """Every assignment, with the hard rules that it breaks."""
        ids = sorted(self.catalog.components)
        chosen = list(chain.from_iterable(combinations(ids, k) for k in range(len(ids) + 1)))
        values = product(*([(path, v) for v in choices] for path, choices in self.oracle.movable.items()))
        every = [Full(frozenset(held), knobs) for knobs in values for held in chosen]
        return [(full, frozenset(self.oracle.hard(self.oracle.broken(self.oracle.as_loadout(full))))) for full in every]

    @cached_property
    def picks(self) -> frozenset[Said]:
        """What the recipe says."""
        given = {Said(k, v) for k, v in self.oracle.given.items()}
        return frozenset(given | {Said(e.component) for e in self.loadout.equipped})

    def named(self, names: Iterable[str]) -> frozenset[Said]:
        """Return the picks with these names."""
        return frozenset(p for p in self.picks if p.subject in set(names))

    def minimal_conflicts(self) -> set[frozenset[str]]:
        """Return the smallest sets of picks that no assignment without a broken rule has."""
        kept = [frozenset(p for p in self.picks if true_of(p, full)) for full, broken in self.table if not broken]
        return smallest(self.picks, lambda part: not any(part <= k for k in kept))

    def minimal_corrections(self) -> set[frozenset[str]]:
        """Return the smallest sets of picks that some assignment without a broken rule lacks."""
        lacking = [frozenset(p.subject for p in self.picks if not true_of(p, full)) for full, broken in self.table if not broken]
        return {s for s in lacking if not any(other < s for other in lacking)}

    def minimal_rules(self, picks: Iterable[str]) -> set[frozenset[str]]:
        """Return the smallest sets of rules of which every assignment with these picks breaks one."""
        needed = self.named(picks)
        broken = {b for full, b in self.table if all(true_of(p, full) for p in needed)}
        hitting: set[frozenset[str]] = {frozenset()}
        for one in sorted(broken, key=lambda b: (len(b), sorted(b))):
            grown = {h if h & one else h | {code} for h in hitting for code in (one or {""})}
            hitting = {h for h in grown if not any(other < h for other in grown)}
        return hitting


def smallest(items: Iterable[Said], clash) -> set[frozenset[str]]:
    """Return the smallest sets that clash."""
    found: list[frozenset[Said]] = []
    ordered = sorted(items, key=repr)
    for size in range(len(ordered) + 1):
        for part in map(frozenset, combinations(ordered, size)):
            if not any(f <= part for f in found) and clash(part):
                found.append(part)
    return {frozenset(p.subject for p in f) for f in found}


def true_of(said: Said, full: Full) -> bool:
    """Return whether an assignment is as said."""
    values = dict(full.values)
    holds = same(values[said.subject], said.value) if said.subject in values else said.subject in full.components
    return holds is said.holds


def same(left, right) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def assert_explained(truth: Truth, steps: tuple[Step, ...], rules: Iterable[str], supposed: str = "") -> None:
    """Check that every step follows from its premises by its rule, that all are needed, and that they end in a contradiction.

    That a slot takes one component needs no step of its own where it is among the rules; all other rules do.
    """
    rules = set(rules)
    seats = {code for code in rules if code.startswith(TOO_MANY)}
    assert steps[-1].kind == "contradiction" and steps[-1].depth == 0
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
    assert {s.rule for s in steps if s.rule} <= rules
    cited = {n for s in steps for n in s.because}
    assert cited | {s.number for s in steps if s.kind == "supposed"} >= {s.number for s in steps[:-1]}, "a step that nothing uses"
    visible: dict[int, Step] = {}
    ended: dict[int, tuple[Step, Step]] = {}
    branch: dict[int, Step] = {}
    for step in steps:
        assert step.text
        if step.kind == "supposed" and step.depth:
            visible = {n: s for n, s in visible.items() if s.depth < step.depth}
            branch[step.depth] = step
        if step.kind == "contradiction" and not step.rule and any(n in ended for n in step.because):
            assert_no_case_left(step, visible, ended)
            visible = {n: s for n, s in visible.items() if s.depth <= step.depth}
        else:
            assert_follows(truth, step, visible, supposed, seats)
        if step.kind == "contradiction" and step.depth:
            ended[step.number] = (branch[step.depth], step)
        elif step.kind != "contradiction":
            visible[step.number] = step


def assert_no_case_left(step: Step, visible: dict[int, Step], ended: dict[int, tuple[Step, Step]]) -> None:
    either, *ends = step.because
    assert visible[either].kind == "either" and visible[either].depth == step.depth
    cases = [ended[n] for n in ends]
    assert all(supposition.because == (either,) and end.depth == step.depth + 1 for supposition, end in cases)
    assert {s for supposition, _ in cases for s in supposition.says} == set(visible[either].says), "a case was left out"
    assert all(len(supposition.says) == 1 for supposition, _ in cases)


def assert_follows(truth: Truth, step: Step, visible: dict[int, Step], supposed: str, seats: set[str]) -> None:
    """Check one step against the truth table."""
    if step.kind == "given":
        assert set(step.says) <= truth.picks and not step.because
    elif step.kind == "supposed" and step.depth == 0:
        assert step.says == (Said(supposed),) and not step.because
    elif step.kind == "supposed":
        (either,) = step.because
        assert set(step.says) <= set(visible[either].says)
    else:
        premises = [s for n in step.because for s in visible[n].says]
        assert all(visible[n].kind != "either" for n in step.because)
        for full, broken in truth.table:
            if not broken & {step.rule, *seats} and all(true_of(p, full) for p in premises):
                held = [true_of(s, full) for s in step.says]
                assert step.kind != "contradiction" and (any(held) if step.kind == "either" else all(held)), (step, full)
