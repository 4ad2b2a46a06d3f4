"""Find a full assignment that keeps the rules, close to the recipe as written; or prove that there is none.

Unit propagation over bit masks, then branching only on clauses that the nearest candidate breaks. The search is
complete: every branch makes one literal of a broken clause true and, on the way back, false. Budgets answer a
candidate with a cut (`budgets.py`). A node limit bounds the time; past it CP-SAT takes over (`exact.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from recipeforge.schemas.record import record
from recipeforge.solver.budgets import Budget, Classes
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.patience import asking, check
from recipeforge.solver.world import World

NODE_LIMIT = 400
"""Candidates tried before CP-SAT is asked; far beyond what shipped catalogs need."""


class OutOfNodes(Exception):
    """The node limit was reached before an answer."""


State = tuple[int, int]
"""Variables known to be true, and to be false."""


def _ways(broken: Clause, state: State) -> list[State]:
    """Return what is still open to be made true or false so that a broken clause holds, additions first."""
    true, false = state
    return [(1 << v, 0) for v in bits(broken.positive & ~false)] + [(0, 1 << v) for v in bits(broken.negative & ~true)]


@record
class Reference:
    """An assignment with the hard clauses that it breaks, so that its neighbours are judged by what differs."""

    world: World
    true: int
    near: "Reference | None" = None
    """A neighbour that was judged already."""

    @cached_property
    def broken(self) -> tuple[int, ...]:
        """Positions of the hard clauses that it breaks."""
        true, clauses = self.true, self.world.hard
        asked = self.near.at_risk(true) if self.near else range(len(clauses))
        return tuple(i for i in asked if not (clauses[i].positive & true or clauses[i].negative & ~true))

    def at_risk(self, other: int) -> list[int]:
        """Return the clauses that `other` may break: those broken here, and those that lose a literal on the way."""
        found = set(self.broken)
        for v in bits(other & ~self.true):
            found.update(self.world.at_risk_when_true[v])
        for v in bits(self.true & ~other):
            found.update(self.world.at_risk_when_false[v])
        return sorted(found)

    @cached_property
    def crowded(self) -> bool:
        """Whether some slot holds more components than it takes."""
        return any((held := g.members & self.true) & (held - 1) for g in self.world.groups)

    @cached_property
    def keys(self) -> tuple[tuple[Budget, Classes], ...]:
        """Hard budgets, each with its inputs' classes here."""
        return tuple((b, b.key(self.true)) for b in self.world.budgets if b.hard)

    @cached_property
    def over(self) -> list[Budget]:
        """Hard budgets that it exceeds."""
        return [b for b, key in self.keys if b.at(key) > b.limit]

    @cached_property
    def budget_variables(self) -> int:
        """Variables that some hard budget depends on."""
        mask = 0
        for budget, _ in self.keys:
            mask |= budget.variables
        return mask

    def exceeded(self, other: int) -> list[Budget]:
        """Return the hard budgets that `other` exceeds."""
        differs = self.true ^ other
        if not differs & self.budget_variables:
            return self.over
        return [b for b, key in self.keys if b.at(b.key_near(key, differs, other)) > b.limit]

    def broken_by(self, other: int, ignored: frozenset[str]) -> Iterator[Clause]:
        """Yield the hard clauses that `other` breaks: among those broken here, and those that lose a literal on the way."""
        absent, hard = ~other, self.world.hard
        for clause in (hard[i] for i in self.broken):
            if not (clause.positive & other or clause.negative & absent) and clause.rule not in ignored:
                yield clause
        appeared, gone = other & ~self.true, self.true & ~other
        for rows, variables in ((self.world.rows_when_true, appeared), (self.world.rows_when_false, gone)):
            for v in bits(variables):
                for positive, negative, rule, clause in rows[v]:
                    if not (positive & other or negative & absent) and rule not in ignored:
                        yield clause

    def hard_broken(self, other: int) -> set[str]:
        """Return the hard rules that `other` breaks, crowded slots apart."""
        found = {clause.rule for clause in self.broken_by(other, frozenset())}
        if self.keys:
            found.update(b.rule for b in self.exceeded(other))
        return found

    def keeps(self, other: int, ignored: frozenset[str]) -> bool:
        """Return whether `other` breaks no hard rule but these, crowded slots apart."""
        if next(self.broken_by(other, ignored), None) is not None:
            return False
        return not self.keys or all(b.rule in ignored for b in self.exceeded(other))


@dataclass
class Search:
    """One question to one world. Rules in `ignored` do not bind."""

    world: World
    default: int
    """The assignment to stay close to."""
    ignored: frozenset[str] = frozenset()
    learned: list[Clause] = field(default_factory=list[Clause])
    """Cuts of budgets met so far. They follow from the world alone, so questions to one world may share the list."""
    reference: Reference | None = None
    """A judged assignment near `default`."""
    nodes: int = NODE_LIMIT

    def model(self, true: int, known: State = (0, 0)) -> int | None:
        """Return an assignment with these variables true, that keeps every hard rule; `None` if there is none.

        `known` is a state already closed under propagation.

        Raises:
            OutOfNodes: the node limit was reached first.
            GivenUp: whoever asks does not wait any more.
        """
        # Choices still open: a state, the ways to satisfy the clause that its candidate broke, and how many were tried.
        choices: list[tuple[State, list[State], int]] = []
        patience = asking()
        state = self.propagate(*known, true, 0)
        while True:
            if state is not None:
                candidate = state[0] | self.default & ~state[1]
                beyond = self._beyond(candidate)
                if not any(budget.least(*state) > budget.limit for budget in beyond):  # else nothing that completes it keeps the limit
                    broken = self._narrowest(candidate, state, beyond)
                    if broken is None:
                        return candidate
                    self.nodes -= 1
                    check(patience)
                    if self.nodes < 0:
                        raise OutOfNodes
                    choices.append((state, _ways(broken, state), 0))
            if not choices:
                return None
            before, ways, tried = choices.pop()
            refuted = self.propagate(*before, ways[tried - 1][1], ways[tried - 1][0]) if tried else before
            state = None
            if refuted is not None and tried < len(ways):
                choices.append((refuted, ways, tried + 1))
                state = self.propagate(*refuted, *ways[tried])

    def _narrowest(self, candidate: int, state: State, beyond: list[Budget]) -> Clause | None:
        """Return the hard clause or cut that the candidate breaks and that leaves the fewest ways open: the first of them."""
        true, false = state
        narrowest, fewest = None, 1 << 30
        for clause in self._broken(candidate, beyond):
            ways = (clause.positive & ~false).bit_count() + (clause.negative & ~true).bit_count()
            if ways < fewest:
                narrowest, fewest = clause, ways
                if ways < 2:
                    break
        return narrowest

    def _broken(self, candidate: int, beyond: list[Budget]) -> Iterator[Clause]:
        """Yield the hard clauses and cuts that the candidate breaks."""
        ignored = self.ignored
        if self.reference:
            yield from self.reference.broken_by(candidate, ignored)
        else:
            absent = ~candidate
            yield from (c for c in self.world.hard if not (c.positive & candidate or c.negative & absent) and c.rule not in ignored)
        for members, rule in self._crowded:
            if (held := members & candidate) & (held - 1):
                first, second = bits(held)[:2]
                yield Clause(0, 1 << first | 1 << second, rule, True)
        found = False
        for clause in self.learned:
            if not (clause.positive & candidate or clause.negative & ~candidate) and clause.rule not in ignored:
                found = True
                yield clause
        if found:
            return
        for budget in beyond:
            cut = budget.cut(candidate)
            self.learned.append(cut)
            yield cut

    def _beyond(self, candidate: int) -> list[Budget]:
        """Return the budgets in force that the candidate exceeds."""
        if self.reference:
            return [b for b in self.reference.exceeded(candidate) if b.rule not in self.ignored]
        return [b for b in self.world.budgets if b.hard and b.rule not in self.ignored and not b.holds(candidate)]

    @cached_property
    def _crowded(self) -> list[tuple[int, str]]:
        """Groups of which `default` holds several; propagation keeps all others in order."""
        if self.reference and not self.reference.crowded:
            return []  # `default` is its neighbour, made by filling one seat
        groups = self.world.groups
        return [(g.members, g.rule) for g in groups if (h := g.members & self.default) & (h - 1) and g.rule not in self.ignored]

    def propagate(self, true: int, false: int, new_true: int, new_false: int) -> State | None:
        """Return (true, false) closed under unit propagation with the new facts; `None` on a contradiction."""
        world = self.world
        clauses, ignored = world.hard, self.ignored
        queue_true, queue_false = new_true & ~true, new_false & ~false
        true |= new_true
        false |= new_false
        if true & false:
            return None
        while queue_true or queue_false:
            if queue_true:
                low = queue_true & -queue_true
                queue_true ^= low
                v = low.bit_length() - 1
                for rivals, rule in world.rivals[v]:
                    if rule in ignored:
                        continue
                    if rivals & true:
                        return None
                    queue_false |= rivals & ~false
                    false |= rivals
                touched = world.at_risk_when_true[v]
            else:
                low = queue_false & -queue_false
                queue_false ^= low
                touched = world.at_risk_when_false[low.bit_length() - 1]
            for index in touched:
                clause = clauses[index]
                if clause.positive & true or clause.negative & false or clause.rule in ignored:
                    continue
                free_positive, free_negative = clause.positive & ~false, clause.negative & ~true
                if free_positive:
                    if free_negative or free_positive & (free_positive - 1):
                        continue
                    queue_true |= free_positive
                    true |= free_positive
                elif free_negative:
                    if free_negative & (free_negative - 1):
                        continue
                    queue_false |= free_negative
                    false |= free_negative
                else:
                    return None
            if true & false:
                return None
        return true, false
