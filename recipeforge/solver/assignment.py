"""A full assignment that keeps all rules, and its neighbours: what else has to change when one literal does.

Flipping a literal breaks only clauses that lose it. What two-literal clauses and groups then ask for is implied, so it flips
too; a longer clause that is left without a true literal is a choice, searched with a limit. Whatever is untouched still
holds. So a question about one of ten thousand variables costs what it touches, not ten thousand.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.formula import Formula, Literals

SMALL_GROUP = 4
"""Groups up to this size are written as pairs."""

MOST_COUNTED = 64
LONG_SEARCH = 10


class GaveUp(Exception):
    """The search was given up, after so many choices or at the deadline."""


class Index:
    """The clauses of a formula by what they ask for. A literal is `2v`, its negation `2v + 1`: `x ^ 1` negates."""

    def __init__(self, formula: Formula) -> None:
        self.size = formula.size
        self.limits = tuple(limit for limit in formula.limits if limit.sum_of is None)
        sums = [limit.sum_of for limit in formula.limits if limit.sum_of is not None]
        implied: list[list[int]] = [[] for _ in range(2 * formula.size)]
        losing: list[list[Literals]] = [[] for _ in range(2 * formula.size)]
        seats: list[list[int]] = [[] for _ in range(2 * formula.size)]
        self.units: list[int] = []
        self.demands: list[Literals] = []
        """Clauses that ask for one of some variables, whatever else holds: what an assignment of nothing breaks."""
        self.empty = False
        self.members: list[Literals] = []
        """Group → its variables as literals."""
        for clause in formula.clauses:
            self._add(clause, implied, losing)
        self.sums = tuple(Sum(weights, most, formula.size, self.demands) for weights, most in sums)
        if self.sums:  # what weighs least is tried first
            weight = [max(s.gains[x] / max(s.most, 1) for s in self.sums) for x in range(2 * formula.size)]
            lighter = {id(c): tuple(sorted(c, key=weight.__getitem__)) for clauses in losing for c in clauses}
            losing = [[lighter[id(c)] for c in clauses] for clauses in losing]
        for group in formula.groups:
            literals = tuple(2 * v for v in group)
            if len(literals) <= SMALL_GROUP:
                for x in literals:
                    implied[x] += [y ^ 1 for y in literals if y != x]
            else:
                for x in literals:
                    seats[x].append(len(self.members))
                self.members.append(literals)
        self.implied = [tuple(x) for x in implied]
        """Literal → what it implies by clauses of two literals."""
        self.losing = [tuple(x) for x in losing]
        """Literal → longer clauses that lose a literal when it becomes true."""
        self.seats = [tuple(x) for x in seats]
        """Literal → large groups that it belongs to."""

    def brings(self, v: int) -> int:
        """Return how many variables become true with this one by pairs alone, counted up to a bound."""
        seen = {2 * v}
        pending = [2 * v]
        while pending and len(seen) < MOST_COUNTED:
            for y in self.implied[pending.pop()]:
                if not y & 1 and y not in seen:
                    seen.add(y)
                    pending.append(y)
        return len(seen)

    def _add(self, clause: Literals, implied: list[list[int]], losing: list[list[Literals]]) -> None:
        literals = tuple(dict.fromkeys([2 * x if x >= 0 else 2 * ~x + 1 for x in clause]))
        if len(literals) > 1 and not any(x & 1 for x in literals):
            self.demands.append(literals)
        if len(literals) == 2:
            x, y = literals
            if x ^ 1 != y:
                implied[x ^ 1].append(y)
                implied[y ^ 1].append(x)
        elif len(literals) > 2:
            if not any(x ^ 1 in literals for x in literals if x & 1):
                for x in literals:
                    losing[x ^ 1].append(literals)
        elif literals:
            self.units.append(literals[0])
        else:
            self.empty = True


class Sum:
    """A plain sum that must not exceed a bound."""

    def __init__(self, weights: Mapping[int, int], most: int, size: int, demands: Sequence[Literals]) -> None:
        self.weights, self.most = weights, most
        self.gains = [0] * (2 * size)
        """Literal → what its becoming true adds."""
        for v, weight in weights.items():
            self.gains[2 * v], self.gains[2 * v + 1] = weight, -weight
        self._relieving = [(v, -weight) for v, weight in weights.items() if weight < 0]
        self._least = -sum(relief for _, relief in self._relieving)
        self._choices: list[list[tuple[int, int]]] = []
        """Demands without a variable in common: what each of their literals adds at least, the lightest first."""
        self._demanded: dict[int, int] = {}
        """Variable → its demand."""
        for demand in demands:
            if self._demanded.keys().isdisjoint(x >> 1 for x in demand):
                self._demanded.update((x >> 1, len(self._choices)) for x in demand)
                self._choices.append(sorted((max(self.gains[x], 0), x) for x in demand))

    def cut(self, holds: bytearray, fixed: bytearray, true: Sequence[int]) -> Literals:
        """Return "one of these has to change" for an assignment beyond the bound: as few as prove it; none if nothing can help."""
        if self._hopeless(fixed, true):
            return ()
        weights = self.weights
        adding = [(w, 2 * v + 1) for v in true if (w := weights.get(v, 0)) > 0]
        adding += [(relief, 2 * v) for v, relief in self._relieving if not holds[2 * v]]
        adding.sort()
        over = sum([w for w, _ in adding]) + self._least - self.most
        for at, (weight, _) in enumerate(adding):
            if weight >= over:
                return tuple([x for _, x in reversed(adding[at:])])
            over -= weight
        return ()

    def _hopeless(self, fixed: bytearray, true: Sequence[int]) -> bool:
        """Return whether what is fixed, and the lightest of what is demanded besides, are too much already."""
        amount, met = self._least, set[int]()
        for v in true:
            if fixed[2 * v]:
                amount += max(self.gains[2 * v], 0)
                if v in self._demanded:
                    met.add(self._demanded[v])
        for at, choice in enumerate(self._choices):
            if at not in met:
                amount += next((weight for weight, x in choice if not fixed[x ^ 1]), 0)
        return amount > self.most


class Assignment:
    """A full assignment on the way from one that keeps all rules to another."""

    def __init__(self, index: Index) -> None:
        self.index = index
        n = index.size
        self.holds = bytearray([0, 1] * n)
        """Literal → whether it holds."""
        self.fixed = bytearray(2 * n)
        """Literal → whether it has to hold, here or for as long as a trial lasts."""
        self.seated = [-1] * len(index.members)
        """Large group → the member that took its seat last; it may have left."""
        self._true: list[int] = []
        self._used: list[tuple[int, Sum]] = []
        """What each sum came to before any trial."""
        self.starts: list[Any] = []
        """The other limits' view of this assignment before any trial."""
        self.deadline = float("inf")
        """When searches are given up, by the monotonic clock."""
        self._nodes = 0
        self._flipped: list[int] = []
        self._pinned: list[int] = []
        self._reseated: list[tuple[int, int]] = []
        self.settle()

    def copy(self) -> "Assignment":
        """Return an assignment of its own. Not during a trial."""
        other = Assignment.__new__(Assignment)
        other.index, other.holds, other.fixed = self.index, self.holds[:], self.fixed[:]
        other.seated, other.starts, other._true, other._used = self.seated[:], self.starts, self._true, self._used
        other._flipped, other._pinned, other._reseated, other._nodes = [], [], [], 0
        other.deadline = self.deadline
        return other

    @property
    def true(self) -> int:
        """The true variables, as a mask."""
        digits = self.holds[::2].translate(_DIGITS)
        digits.reverse()
        return int(digits, 2) if digits else 0

    def settle(self) -> None:
        """Take the assignment as it is for the start of all later trials."""
        self._flipped, self._pinned, self._reseated = [], [], []
        true = self.true if self.index.limits else 0
        self.starts = [limit.start(true) for limit in self.index.limits]
        self._true = [v for v, held in enumerate(self.holds[::2]) if held]
        self._used = [(sum([s.gains[2 * v] for v in self._true]), s) for s in self.index.sums]

    def take(self, true: int) -> None:
        """Become another assignment that keeps all rules. What is fixed stays so."""
        digits = bytes(reversed(f"{true:0{self.index.size}b}".encode())) if self.index.size else b""
        self.holds[::2] = digits.translate(_BITS)
        self.holds[1::2] = digits.translate(_OPPOSITE)
        for seat, members in enumerate(self.index.members):
            self.seated[seat] = next((x for x in members if self.holds[x]), -1)
        self.settle()

    def fix(self, literals: Iterable[int]) -> bool:
        """Fix literals and all that follows from them by unit propagation, flipping what stands against it.

        Returns whether it is free of contradiction; if it is not, the assignment is of no more use.
        """
        holds, fixed, implied, losing, seats = self.holds, self.fixed, self.index.implied, self.index.losing, self.index.seats
        queue = list(literals)
        while queue:
            x = queue.pop()
            if fixed[x]:
                continue
            if fixed[x ^ 1]:
                return False
            fixed[x] = 1
            if not holds[x]:
                holds[x], holds[x ^ 1] = 1, 0
                self._flipped.append(x)
            queue += implied[x]
            for seat in seats[x]:
                self.seated[seat] = x
                queue += [y ^ 1 for y in self.index.members[seat] if y != x]
            for clause in losing[x]:
                free = -1
                for y in clause:
                    if fixed[y]:
                        break
                    if not fixed[y ^ 1]:
                        if free >= 0:
                            break
                        free = y
                else:
                    if free < 0:
                        return False
                    queue.append(free)
        return True

    def mend(self, nodes: int, broken: Sequence[Literals] = ()) -> bool:
        """Satisfy what `fix` broke, and these clauses, by flipping literals that are not fixed. Returns false if that is impossible.

        Raises:
            GaveUp: after so many choices, or at the deadline, it was still open.
        """
        self._nodes, before = nodes, len(self._flipped)
        try:
            mended = self._search([*broken, *(clause for x in self._flipped for clause in self.index.losing[x])])
        except GaveUp:
            self._undo(before, 0, 0)
            raise
        for x in (*self._flipped[before:], *self._pinned):
            self.fixed[x] = 0
        if mended:
            self.settle()
        return mended

    def reach(self, x: int, nodes: int) -> list[int] | None:
        """Return the literals that hold in some assignment with `x` and not in this one; `None` if `x` is impossible.

        The assignment is as before afterwards.

        Raises:
            GaveUp: after so many choices, or at the deadline, it was still open.
        """
        losing, holds, fixed, flipped = self.index.losing, self.holds, self.fixed, self._flipped
        try:
            if not self._flip(x):
                return None
            for y in flipped:
                for clause in losing[y]:
                    for z in clause:
                        if holds[z]:
                            break
                    else:
                        return self._reach_by_search(nodes)
            for used, limited in self._used:
                gains = limited.gains
                for y in flipped:
                    used += gains[y]
                if used > limited.most:
                    return self._reach_by_search(nodes)
            if self.starts and self._exceeded() is not None:
                return self._reach_by_search(nodes)
            return flipped
        finally:
            for y in self._flipped:
                holds[y], holds[y ^ 1], fixed[y] = 0, 1, 0
            self._flipped = []
            self._undo(0, 0, 0)

    def _reach_by_search(self, nodes: int) -> list[int] | None:
        self._nodes = nodes
        if not self._search([c for y in self._flipped for c in self.index.losing[y]]):
            return None
        if nodes - self._nodes < LONG_SEARCH:
            return self._flipped
        # What was hard to reach is a better place to start from: others will need the same changes.
        found = self._flipped
        for x in (*found, *self._pinned):
            self.fixed[x] = 0
        self.settle()
        return found

    def _flip(self, x: int) -> bool:
        """Flip a literal and what it implies by pairs and groups. False: that contradicts what is fixed."""
        holds, fixed, flipped = self.holds, self.fixed, self._flipped
        implied, seats, seated = self.index.implied, self.index.seats, self.seated
        at = len(flipped)
        holds[x], holds[x ^ 1], fixed[x] = 1, 0, 1
        flipped.append(x)
        while at < len(flipped):
            x = flipped[at]
            at += 1
            for y in implied[x]:
                if not holds[y]:
                    if fixed[y ^ 1]:
                        return False
                    holds[y], holds[y ^ 1], fixed[y] = 1, 0, 1
                    flipped.append(y)
            for seat in seats[x]:
                y = seated[seat]
                if y != x:
                    self._reseated.append((seat, y))
                    seated[seat] = x
                    if y >= 0 and holds[y]:
                        if fixed[y]:
                            return False
                        holds[y], holds[y ^ 1], fixed[y ^ 1] = 0, 1, 1
                        flipped.append(y ^ 1)
        return True

    def _undo(self, flipped: int, pinned: int, reseated: int) -> None:
        """Take back everything after these lengths of the three trails."""
        holds, fixed = self.holds, self.fixed
        for x in self._flipped[flipped:]:
            holds[x], holds[x ^ 1], fixed[x] = 0, 1, 0
        del self._flipped[flipped:]
        for x in self._pinned[pinned:]:
            fixed[x] = 0
        del self._pinned[pinned:]
        for seat, x in reversed(self._reseated[reseated:]):
            self.seated[seat] = x
        del self._reseated[reseated:]

    def _search(self, touched: Sequence[Literals]) -> bool:
        """Satisfy the clauses among `touched` that are broken, and the limits, in every way there is; the first way stays.

        The clause that leaves the fewest ways comes first.
        """
        holds, fixed, losing = self.holds, self.fixed, self.index.losing
        broken: list[Literals] = []
        hardest: Literals | None = None
        fewest = 1 << 62
        for clause in touched:
            free = 0
            for y in clause:
                if holds[y]:
                    break
                free += not fixed[y ^ 1]
            else:
                broken.append(clause)
                if free < fewest:
                    hardest, fewest = clause, free
                    if not free:
                        return False
        if hardest is None and (hardest := self._exceeded()) is None:
            return True
        for y in hardest:
            if fixed[y ^ 1]:
                continue
            self._nodes -= 1
            if self._nodes < 0 or monotonic() > self.deadline:
                raise GaveUp
            before = len(self._flipped), len(self._pinned), len(self._reseated)
            if self._flip(y):
                touching = broken[:]
                for x in self._flipped[before[0] :]:
                    touching += losing[x]
                if self._search(touching):
                    return True
            self._undo(*before)
            # It was refuted: what is tried next may count on that.
            fixed[y ^ 1] = 1
            self._pinned.append(y ^ 1)
        return False

    def _exceeded(self) -> Literals | None:
        """Return a clause that a limit demands and the assignment breaks, empty if nothing can keep it; `None` if all are kept."""
        for used, limited in self._used:
            gains = limited.gains
            for x in self._flipped:
                used += gains[x]
            if used > limited.most:
                appeared = [x >> 1 for x in self._flipped if not x & 1]
                return limited.cut(self.holds, self.fixed, [v for v in (*self._true, *appeared) if self.holds[2 * v]])
        if not self.starts:
            return None
        appeared = [x >> 1 for x in self._flipped if not x & 1]
        gone = [x >> 1 for x in self._flipped if x & 1]
        for limit, start in zip(self.index.limits, self.starts, strict=True):
            if not limit.keeps(start, appeared, gone):
                return literals_of(limit.cut(self.true))
        return None


def literals_of(clause: Clause) -> Literals:
    """Return a clause of masks as this module's literals."""
    return (*(2 * v for v in bits(clause.positive)), *(2 * v + 1 for v in bits(clause.negative)))


_DIGITS, _BITS, _OPPOSITE = (bytes.maketrans(a, b) for a, b in ((b"\0\1", b"01"), (b"01", b"\0\1"), (b"01", b"\1\0")))
