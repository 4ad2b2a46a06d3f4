"""Find a full assignment that keeps the rules, close to the recipe as written; or prove that there is none.

Unit propagation over bit masks, then branching only on clauses that the nearest candidate breaks. The search is
complete: every branch makes one literal of a broken clause true and, on the way back, false. Budgets answer a
candidate with a cut (`budgets.py`). A node limit bounds the time; past it CP-SAT takes over (`exact.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.world import World

NODE_LIMIT = 400
"""Candidates tried before CP-SAT is asked; far beyond what shipped catalogs need."""


class OutOfNodes(Exception):
    """The node limit was reached before an answer."""


@dataclass
class Search:
    """One question to one world. Rules in `ignored` do not bind."""

    world: World
    default: int
    """The assignment to stay close to."""
    ignored: frozenset[str] = frozenset()
    nodes: int = NODE_LIMIT
    learned: list[Clause] = field(default_factory=list[Clause])
    """Cuts of budgets met so far; they hold for every further question under the same `ignored`."""

    def model(self, true: int, false: int = 0) -> int | None:
        """Return an assignment with these variables so, that keeps every hard rule; `None` if there is none.

        Raises:
            OutOfNodes: the node limit was reached first.
        """
        start = self.propagate(0, 0, true, false)
        if start is None:
            return None
        stack: list[tuple[int, int]] = [start]
        while stack:
            known_true, known_false = stack.pop()
            candidate = known_true | self.default & ~known_false
            broken = self._broken(candidate)
            if broken is None:
                return candidate
            self.nodes -= 1
            if self.nodes < 0:
                raise OutOfNodes
            # First alternative on top of the stack: literals in clause order, each later one with the earlier ones refuted.
            branches: list[tuple[int, int]] = []
            state: tuple[int, int] | None = (known_true, known_false)
            for make_true, make_false in self._literals(broken, candidate):
                if state is None:
                    break
                if branch := self.propagate(*state, make_true, make_false):
                    branches.append(branch)
                state = self.propagate(*state, make_false, make_true)
            stack.extend(reversed(branches))
        return None

    def _literals(self, clause: Clause, candidate: int) -> Iterable[tuple[int, int]]:
        """Return the ways to satisfy a broken clause: additions before removals."""
        yield from ((1 << v, 0) for v in bits(clause.positive))
        yield from ((0, 1 << v) for v in bits(clause.negative & candidate))

    def _broken(self, candidate: int) -> Clause | None:
        """Return a hard clause or cut that the candidate breaks."""
        for clause in self.world.clauses:
            if not (clause.positive & candidate or clause.negative & ~candidate) and self._binds(clause):
                return clause
        for group in self.world.groups:
            if (held := group.members & candidate) & (held - 1) and group.rule not in self.ignored:
                first, second = bits(held)[:2]
                return Clause(0, 1 << first | 1 << second, group.rule, True)
        for clause in self.learned:
            if not clause.holds(candidate):
                return clause
        for budget in self.world.budgets:
            if budget.hard and budget.rule not in self.ignored and not budget.holds(candidate):
                cut = budget.cut(candidate)
                self.learned.append(cut)
                return cut
        return None

    def _binds(self, clause: Clause) -> bool:
        return clause.hard and clause.rule not in self.ignored

    def propagate(self, true: int, false: int, new_true: int, new_false: int) -> tuple[int, int] | None:
        """Return (true, false) closed under unit propagation with the new facts; `None` on a contradiction."""
        world = self.world
        clauses, ignored = world.clauses, self.ignored
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
                if clause.positive & true or clause.negative & false or not clause.hard or clause.rule in ignored:
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
