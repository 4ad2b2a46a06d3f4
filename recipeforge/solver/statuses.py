"""The status of every component that is not equipped: available, conditional, swap or blocked, and why.

Rules that the recipe breaks and that additions can still cure stay in force; those that they cannot are set aside,
so that one conflict does not grey out everything (`set_aside`). "Breaks nothing new" and "can be added" are judged
against the rest. Where a slot is taken, all of this is judged for the recipe without the holder: what only the holder
breaks excuses nobody who would take its place.
"""

from collections.abc import Iterator
from functools import cached_property

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.verdict import Status
from recipeforge.solver.as_written import MISSING
from recipeforge.solver.case import Case, case_of
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.costs import changes_between
from recipeforge.solver.engine import find_model, minimal_subset
from recipeforge.solver.explain import minimal_rules, subject_of
from recipeforge.solver.search import Reference, Search, State

STEPS = 3
"""Additions that are tried one after the other before a search is asked."""


def statuses(catalog: Catalog, loadout: Loadout) -> tuple[Status, ...]:
    """Return the status of every component, in catalog order."""
    return Statuses(case_of(catalog, loadout)).all()


def set_aside(case: Case, reference: Reference | None = None, vacant: str | None = None) -> frozenset[str]:
    """Return the broken rules that stay broken whatever is added: the rest can be kept by additions, together.

    Decided in the order of their codes, so that the answer is the same every time. A slot that was emptied, `vacant`,
    and that has a default is never really empty: that it is missing cannot be what the other rules are kept by.
    """
    learned: list[Clause] = []

    def can_keep(all_but: frozenset[str]) -> bool:
        return find_model(case.world, case.written, case.picks, all_but, learned, reference) is not None

    if not case.broken_hard or can_keep(frozenset()):
        return frozenset()
    slot = case.world.catalog.slots[vacant] if vacant else None
    ignored = case.broken_hard - ({f"{MISSING}:{vacant}"} if slot and slot.default else frozenset())
    for code in sorted(ignored):
        if can_keep(ignored - {code}):
            ignored -= {code}
    return ignored


class Statuses:
    """All statuses of one case."""

    def __init__(self, case: Case, vacant: str | None = None, whole: "Statuses | None" = None) -> None:
        """Judge a case; with `vacant`, that of the `whole` recipe after this slot was emptied."""
        self.case, self.world, self.whole = case, case.world, whole
        self.reference = Reference(case.world, case.written, near=whole.reference if whole else None)
        """The recipe as written, judged."""
        self.learned: list[Clause] = whole.learned if whole else []
        """What the questions so far found out about budgets."""
        self.broken_hard = case.broken_hard if whole is None else self._broken_beside(whole)
        """Rules that the recipe as written breaks and that make it fail."""
        self.ignored = whole.ignored if whole and not whole.ignored else set_aside(case, self.reference, vacant)
        """Rules set aside. What completes the whole recipe completes it with a slot emptied, too."""
        self.closures: dict[int, State | None] = whole.closures if whole and whole.ignored == self.ignored else {}
        """Picks → what follows from them while these rules are set aside."""
        self.curable = bool(self.broken_hard - self.ignored - {f"{MISSING}:{vacant}"})
        """Whether the recipe breaks rules that additions can still cure, besides that a slot was emptied."""

    def _broken_beside(self, whole: "Statuses") -> frozenset[str]:
        """Return the hard rules broken here, from what was judged of the whole recipe."""
        true, broken = self.case.written, frozenset(whole.reference.hard_broken(self.case.written))
        if not whole.reference.crowded:
            return broken
        return broken.union(g.rule for g in self.world.groups if (held := g.members & true) & (held - 1))

    @cached_property
    def wanted(self) -> int:
        """Components that would cure a broken rule which is still in force, as a mask."""
        mask = 0
        for clause in (self.world.hard[i] for i in self.reference.broken):
            mask |= clause.positive if clause.rule not in self.ignored else 0
        return mask & self.world.components

    def all(self) -> tuple[Status, ...]:
        """Return every component's status, in catalog order."""
        case, names, wanted = self.case, self.world.named, self.wanted
        found: dict[int, Status] = {}
        for v in bits(case.written & self.world.components):
            # What stands by default is available: naming it changes nothing.
            given = bool(case.picks >> v & 1)
            found[v] = Status(str(names[v]), "equipped" if given else "available", not given and bool(wanted >> v & 1))
        for slot, members in self.world.slot_members.items():
            judge = self.without.get(slot, self)
            holders = 0 if judge is self else case.picks & members
            found.update(judge.joining(members & ~case.written, wanted, holders))
        return tuple(found[v] for v in sorted(found))

    @cached_property
    def without(self) -> "dict[str, Statuses]":
        """Slot that one component fills, by name or by default → the recipe with that slot empty."""
        case, slots = self.case, self.world.catalog.slots.values()
        filled = {s.id: m for s in slots if s.cardinality != "many" and (m := self.world.slot_members[s.id]) & case.written}
        return {s: Statuses(Case(self.world, case.loadout, case.picks & ~m, case.written & ~m), s, self) for s, m in filled.items()}

    def joining(self, candidates: int, wanted: int, holders: int) -> Iterator[tuple[int, Status]]:
        """Yield the statuses of components whose seat is free, once the `holders` have left it."""
        names, rows, broken = self.world.named, self.world.rows_when_true, self.broken_hard
        kind, holding = ("swap" if holders else "available"), self._names(holders)
        for v in bits(candidates):
            written = self.case.written | 1 << v
            absent = ~written
            for positive, negative, rule, _ in rows[v]:
                if not (positive & written or negative & absent) and rule not in broken:
                    break
            else:
                picks = self.case.picks | 1 << v
                if self._affordable(written) and (not self.curable or self._completable(v, written, picks)):
                    yield v, Status(str(names[v]), kind, bool(wanted >> v & 1), blockers=holding)
                    continue
            yield v, self._in_trouble(v, bool(wanted >> v & 1), holders)

    def _affordable(self, written: int) -> bool:
        """Return whether no budget that held before is exceeded."""
        return not self.reference.keys or all(b.rule in self.broken_hard for b in self.reference.exceeded(written))

    def _in_trouble(self, v: int, wanted: bool, holders: int) -> Status:
        """Return the status of a component that cannot join as things are."""
        component, picks, written = str(self.world.named[v]), self.case.picks | 1 << v, self.case.written | 1 << v
        direct = self._direct_reason(v, self.case.picks)
        if direct is not None:
            rules, others = direct
            return Status(component, "blocked", wanted, rules=rules, blockers=self._names(others))
        model = self._in_steps(written, picks)
        if model is None:
            model = self._model(written, picks)
        if model is None:
            return self._blocked(component, v, wanted)
        needs, rules = self._needs(written, picks, model)
        return Status(component, "swap" if holders else "conditional", wanted, needs, rules, self._names(holders))

    def _names(self, mask: int) -> tuple[str, ...]:
        return tuple(subject_of(self.world, v) for v in bits(mask)) if mask else ()

    @cached_property
    def witness(self) -> Reference | None:
        """An assignment that completes the recipe, judged."""
        if self.whole:
            return self.whole.witness
        model = find_model(self.world, self.case.written, self.case.picks, self.ignored, self.learned, self.reference)
        return None if model is None else Reference(self.world, model, near=self.reference)

    def _completable(self, v: int, written: int, picks: int) -> bool:
        """Return whether additions keep the rules in force with `v` among the picks; most often the witness with `v` shows it."""
        if self.witness:
            near = self.witness.true & ~self.world.excludes[v] | 1 << v
            if not picks & ~near and self.witness.keeps(near, self.ignored):
                return True
        return self._model(written, picks) is not None

    def _in_steps(self, written: int, picks: int) -> int | None:
        """Return an assignment that keeps the rules in force, if each addition in turn is all that the only broken clause asks for."""
        near, excludes = written, self.world.excludes
        for _ in range(STEPS):
            broken = list(self.reference.broken_by(near, self.ignored))
            if len(broken) != 1:
                return None
            onwards = 0
            for u in bits(broken[0].positive or self._other_values(broken[0].negative & ~picks)):
                further = near & ~excludes[u] | 1 << u
                if picks & ~further:
                    continue
                if self.reference.keeps(further, self.ignored):
                    return further
                onwards = onwards or further
            if not onwards:
                return None
            near = onwards
        return None

    def _other_values(self, values: int) -> int:
        """Return the values that the knobs with these values may take instead."""
        mask = 0
        for u in bits(values & ~self.world.components):
            mask |= self.world.excludes[u]
        return mask

    def _model(self, written: int, picks: int) -> int | None:
        known = self._closed(picks & self.case.picks)
        return None if known is None else find_model(self.world, written, picks, self.ignored, self.learned, self.reference, known)

    def _closed(self, picks: int) -> State | None:
        """Return what follows from these picks by propagation alone; every component of a slot asks for the same."""
        if picks not in self.closures:
            self.closures[picks] = Search(self.world, self.case.written, self.ignored).propagate(0, 0, picks, 0)
        return self.closures[picks]

    def _needs(self, written: int, picks: int, model: int) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """Return what has to come along so that nothing new is broken, none of it superfluous, and the rules that ask for it."""
        rules = sorted(self.reference.hard_broken(written) - self.broken_hard)
        added = model & ~written
        fuller = model if rules and not added & (added - 1) else -1  # a single addition is what the rules ask for
        while fuller != model:  # an addition may be there only for another that is taken back after it
            fuller = model
            for v in bits(model & ~written):
                if (leaner := self._without(written, model, v)) is not None:
                    model = leaner
        around = Case(self.world, self.case.loadout, picks, written)
        return changes_between(around, model), tuple(rules)

    def _without(self, written: int, model: int, v: int) -> int | None:
        """Return the model with one addition taken back, if it still breaks nothing that the recipe does not break anyway."""
        leaner = model & ~(1 << v) | self.world.excludes[v] & written
        return leaner if self.reference.keeps(leaner, self.broken_hard) else None

    def _blocked(self, component: str, v: int, wanted: bool) -> Status:
        """Return the status with the rule and the equipped things that stand in the way."""
        picks, bit = self.case.picks, 1 << v
        written = self.case.written | bit

        def clash(part: list[int]) -> bool:
            return self._model(written, bit | sum(1 << u for u in part)) is None

        blockers = sum(1 << u for u in minimal_subset(bits(picks), lambda part: clash(list(part))))
        rules = minimal_rules(self.world, written, blockers | bit, self.ignored, self.learned)
        return Status(component, "blocked", wanted, rules=tuple(rules), blockers=self._names(blockers))

    def _direct_reason(self, v: int, picks: int) -> tuple[tuple[str, ...], int] | None:
        """Return a single rule that the picks turn against `v`, with the picks it names; or one that wants `v`'s seat."""
        excluded, open_to_picks, ignored = self.excluded, ~(picks | 1 << v), self.ignored
        for positive, negative, rule, _ in self.world.rows_when_true[v]:
            if not (negative & open_to_picks or positive & ~excluded) and rule not in ignored:
                return (rule,), negative & ~(1 << v) | self._excluders(positive, picks)
        for seat, rule in self.world.rivals[v]:
            if rule in self.ignored:
                continue
            for clause, open_to in self.demands:
                if open_to and not open_to & ~seat:
                    return (rule, clause.rule), clause.negative | self._excluders(clause.positive & ~seat, picks)
        return None

    @cached_property
    def demands(self) -> list[tuple[Clause, int]]:
        """Clauses by which the picks ask for one of several variables, with those that are still possible."""
        if self.whole and self.whole.case.picks == self.case.picks and self.whole.ignored == self.ignored:
            return self.whole.demands
        picks, open_to_picks, ignored = self.case.picks, ~self.case.picks, self.ignored
        rows = (row for u in bits(picks) for row in self.world.rows_when_true[u])
        asking = (c for p, n, rule, c in rows if not (n & open_to_picks or p & picks) and rule not in ignored)
        return [(c, c.positive & ~self.excluded) for c in asking]

    @cached_property
    def excluded(self) -> int:
        """Variables that the picks keep false by taking their seat or their knob."""
        excluded = 0
        for u in bits(self.case.picks):
            for mask, rule in self.world.rivals[u]:
                excluded |= mask if rule not in self.ignored else 0
        return excluded

    def _excluders(self, missing: int, picks: int) -> int:
        """Return the picks that keep these variables false."""
        mask = 0
        for u in bits(missing):
            for rivals, _ in self.world.rivals[u]:
                mask |= rivals & picks
        return mask
