"""What follows from some picks, exactly: which variables have to be true, which cannot be, which still may.

Unit propagation says what follows at once. For the rest an assignment that keeps all rules is flipped, variable by variable
(`assignment.py`): reached is possible, refuted is proved. What the search leaves open goes to CP-SAT, and what the time does not
allow to decide is `undecided`.
"""

import time
from collections.abc import Iterable, Sequence

from recipeforge.schemas.record import record
from recipeforge.solver.assignment import Assignment, GaveUp, Index
from recipeforge.solver.clauses import bits
from recipeforge.solver.cpsat import Model
from recipeforge.solver.engine import Undecided, minimal_subset
from recipeforge.solver.formula import Formula, Limit
from recipeforge.solver.patience import asking, check

NODES = 30
"""Choices tried for one variable, at first."""
NODES_A_VARIABLE, MOST_NODES = 0.2, 400
"""Choices tried, times the size of the formula, before CP-SAT is asked: about as long as it takes to answer. The search recurses."""
LIMIT_S = 5.0
WASTE_S = 0.05
MANY = 0.05
"""Share of the variables."""


@record
class Consequences:
    """The status of every variable under some picks. What is in none of the sets is possible and not forced."""

    forced: frozenset[int]
    """True in every assignment that keeps the rules; the picks are among them."""
    blocked: frozenset[int]
    """True in none."""
    undecided: frozenset[int] = frozenset()
    """Not known within the time."""


class Engine:
    """One formula, prepared for many questions. What holds whatever is picked is found out once, when it is made."""

    def __init__(self, formula: Formula, among: Iterable[int] | None = None, limit_s: float = LIMIT_S) -> None:
        """Prepare a formula for questions about the status of these variables (all).

        Raises:
            Undecided: within the time it was not known whether anything at all keeps the rules.
        """
        self.formula, self.index = formula, Index(formula)
        index = self.index
        # What brings much along comes first: one answer then tells about all that it brings.
        self._among = sorted(range(formula.size) if among is None else among, key=index.brings, reverse=True)
        self._model = told_without_limits(formula)
        self._sums_told = False
        self._nodes = min(max(NODES, int(NODES_A_VARIABLE * formula.size)), MOST_NODES)
        self._base = Assignment(index)
        self._base.deadline = time.monotonic() + limit_s
        self.void = index.empty or not self._base.fix(index.units) or not self._first(index)
        """Whether no assignment keeps the rules."""
        self.root = None if self.void else self._decide_root()
        """What holds whatever is picked."""

    def consequences(self, picks: Sequence[int], limit_s: float = LIMIT_S) -> Consequences | None:
        """Return the status of every variable asked about if these literals hold; `None` if they cannot hold together.

        Raises:
            Undecided: not even that was known within the time.
            GivenUp: whoever asks does not wait any more.
        """
        found = self._with(picks, limit_s)
        return None if found is None else self._decide(found)

    def model(self, picks: Sequence[int], limit_s: float = LIMIT_S) -> int | None:
        """Return an assignment, as a mask, that keeps the rules with these literals; `None` if there is none.

        Raises:
            Undecided: it was not known within the time.
        """
        found = self._with(picks, limit_s)
        return None if found is None else found.true

    def stands(self, picks: Sequence[int], limit_s: float = LIMIT_S) -> bool:
        """Return whether these literals can hold together.

        Raises:
            Undecided: it was not known within the time.
        """
        return self._with(picks, limit_s) is not None

    def shrunk(self, picks: Sequence[int]) -> Sequence[int]:
        """Return a minimal part of some literals that clash.

        Raises:
            Undecided: the time was over first.
        """
        few = self._narrowed(picks)
        if len(few) == 2 and self.root is not None and not any(self._impossible(x, self.root) for x in few):
            return few  # each of them can stand alone
        return minimal_subset(few, lambda part: not self.stands(part))

    def _impossible(self, x: int, root: Consequences) -> bool:
        return (x in root.blocked or x in root.undecided) if x >= 0 else (~x in root.forced or ~x in root.undecided)

    def _narrowed(self, picks: Sequence[int]) -> Sequence[int]:
        """Return as few of some clashing literals as propagation needs for a contradiction; all of them where it finds none."""
        needed: list[int] = []
        rest = picks
        while not self.void:
            now = self._base.copy()
            if not now.fix([2 * x if x >= 0 else 2 * ~x + 1 for x in needed]):
                return needed
            for at, x in enumerate(rest):
                if not now.fix((2 * x if x >= 0 else 2 * ~x + 1,)):
                    needed, rest = [*needed, x], rest[:at]
                    break
            else:
                break
        return picks

    def _first(self, index: Index) -> bool:
        """Find an assignment that keeps the rules, with as little in it as they ask for; false if there is none."""
        try:
            return self._base.mend(self._nodes, index.demands)
        except GaveUp:
            true = self._solve(self._base, ())
        if true is not None:
            self._base.take(true)
        return true is not None

    def _with(self, picks: Sequence[int], limit_s: float) -> Assignment | None:
        """Return an assignment with these literals that keeps the rules; what propagation tells about them is fixed in it."""
        if self.void:
            return None
        now = self._base.copy()
        now.deadline = time.monotonic() + limit_s
        if not now.fix([2 * x if x >= 0 else 2 * ~x + 1 for x in picks]):
            return None
        try:
            return now if now.mend(self._nodes) else None
        except GaveUp:
            true = self._solve(now, ())
        if true is None:
            return None
        now.take(true)
        return now

    def _decide_root(self) -> Consequences:
        """Decide what holds whatever is picked; where that turns out to be much, CP-SAT's probing tells most of it at once."""
        left = self._reach(self._base, self._base.holds[:], self._opposites(self._base), NODES)
        if len(left) > MANY * self.formula.size:
            settled = self._model.settled(max(self._base.deadline - time.monotonic(), 0))
            self._base.fix([2 * x if x >= 0 else 2 * ~x + 1 for x in settled or ()])
        return self._decide(self._base)

    def _decide(self, now: Assignment) -> Consequences:
        """Return the status of every variable beside what is fixed in an assignment that keeps the rules."""
        fixed, reachable, left = now.fixed, now.holds[:], self._opposites(now)
        for nodes in (NODES, self._nodes):
            left = self._reach(now, reachable, left, nodes)
        undecided = self._search_open(now, reachable, left)
        forced = frozenset([v for v in self._among if fixed[2 * v]])
        return Consequences(forced, frozenset([v for v in self._among if fixed[2 * v + 1]]), undecided)

    def _opposites(self, now: Assignment) -> list[int]:
        """Return the literals that are not fixed and do not hold."""
        holds, fixed = now.holds, now.fixed
        return [x for v in self._among if not fixed[(x := 2 * v + holds[2 * v]) ^ 1]]

    def _reach(self, now: Assignment, reachable: bytearray, literals: Sequence[int], nodes: int) -> list[int]:
        """Find out which literals can hold; return those on which the search was given up.

        Searches that lead nowhere get as much time as the rest took; beyond that only what needs none is tried, and then nothing.
        """
        fixed, reach, deadline = now.fixed, now.reach, now.deadline
        patience, left, wasted, began = asking(), list[int](), 0.0, time.monotonic()
        for at, x in enumerate(literals):
            if reachable[x] or fixed[x ^ 1]:
                continue
            if (start := time.monotonic()) > deadline:
                return [*left, *literals[at:]]
            try:
                found = reach(x, nodes)
            except GaveUp:
                check(patience)
                left.append(x)
                wasted += (now_s := time.monotonic()) - start
                allowed = WASTE_S + (now_s - began - wasted)
                nodes = nodes if wasted < allowed else 0
                if wasted > 2 * allowed:
                    return [*left, *literals[at + 1 :]]
                continue
            if found is None:
                now.fix((x ^ 1,))
            else:
                for y in found:
                    reachable[y] = 1
        return left

    def _search_open(self, now: Assignment, reachable: bytearray, left: Sequence[int]) -> frozenset[int]:
        """Ask CP-SAT about the literals that are left; return the variables on which the time ran out."""
        undecided: set[int] = set()
        pending = list(left)
        while pending:
            x = pending.pop()
            if reachable[x] or now.fixed[x ^ 1]:
                continue
            try:
                true = self._solve(now, (x,))
            except Undecided:
                undecided.add(x >> 1)
                continue
            if true is None:
                now.fix((x ^ 1,))
                continue
            now.take(true)
            for y, held in enumerate(now.holds):
                reachable[y] |= held
            pending = self._reach(now, reachable, pending, NODES)
        return frozenset(undecided)

    def _solve(self, now: Assignment, wanted: Sequence[int]) -> int | None:
        """Ask CP-SAT for an assignment with all that is fixed and these literals."""
        fixed = [x for x in range(2 * self.formula.size) if now.fixed[x]] if time.monotonic() < now.deadline else []
        assumptions = [~(x >> 1) if x & 1 else x >> 1 for x in (*fixed, *wanted)]
        while (left := now.deadline - time.monotonic()) > 0:
            answer = self._model.solve(assumptions, None, left)
            if answer.status == "unsat":
                return None
            if answer.status == "unknown":
                break
            true = answer.true
            beyond = [limit for limit in self.formula.limits if not limit.keeps(limit.start(true), (), ())]
            if not beyond:
                return true
            self._tell(beyond, true)
        raise Undecided

    def _tell(self, beyond: Sequence[Limit], true: int) -> None:
        """Tell CP-SAT why an answer is none. Sums are told when first one is exceeded: without them it is faster."""
        for limit in self.formula.limits if not self._sums_told else ():
            if limit.sum_of is not None:
                self._model.add_sum(*limit.sum_of)
        self._sums_told = True
        for cut in (limit.cut(true) for limit in beyond if limit.sum_of is None):
            self._model.add_or([*bits(cut.positive), *(~v for v in bits(cut.negative))])


def told_without_limits(formula: Formula) -> Model:
    """Return the formula as a CP-SAT model, its limits apart."""
    model = Model()
    for _ in range(formula.size):
        model.new_variable()
    for clause in formula.clauses:
        model.add_or(clause)
    for group in formula.groups:
        model.add_at_most_one(group)
    return model
