"""A proof that given things contradict some rules: unit propagation with its reasons kept, and cases where that is not enough.

What the contradiction does not use is left out of the proof. Budgets take part through the clauses that exceeding them teaches.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recipeforge.schemas.record import record
from recipeforge.solver.clauses import Clause, bits
from recipeforge.solver.engine import Undecided
from recipeforge.solver.patience import asking, check
from recipeforge.solver.world import World

MOST_NODES = 300
"""Cases and budget clauses tried before a proof is given up: nobody would read a longer one."""

Fact = tuple[int, bool]
"""A variable, and whether it is true."""


@record
class Reason:
    """By which rule, and from which facts, another one follows."""

    rule: str
    because: tuple[Fact, ...]


@record
class Proof:
    """That nothing keeps the rules: a rule and the facts that it forbids, or one of several cases, none of which is possible."""

    rule: str
    because: tuple[Fact, ...]
    reasons: Mapping[Fact, Reason]
    """Facts derived on the way, in the order in which they were."""
    cases: "tuple[tuple[Fact, Proof], ...]" = ()

    def derived(self) -> list[Fact]:
        """Return the facts derived here that the contradiction uses, each after those that it follows from."""
        used = self._used()
        return [fact for fact in self.reasons if fact in used]

    def needs(self) -> set[Fact]:
        """Return the facts that the proof takes for granted."""
        return {fact for fact in self._used() if fact not in self.reasons}

    def _used(self) -> set[Fact]:
        found: set[Fact] = set()
        pending = list(self.because)
        for supposed, proof in self.cases:
            pending += proof.needs() - {supposed}
        while pending:
            fact = pending.pop()
            if fact not in found:
                found.add(fact)
                pending += self.reasons[fact].because if fact in self.reasons else ()
        return found

    def size(self) -> int:
        """Return how many steps it takes."""
        return 1 + len({self.reasons[fact] for fact in self.derived()}) + sum(1 + proof.size() for _, proof in self.cases)


def prove(world: World, rules: Iterable[str], default: int, true: int) -> Proof | None:
    """Return why these variables cannot all be true under these rules and the structure of knobs; `None` if they can.

    `default` is the assignment that cases are looked for in.

    Raises:
        Undecided: the proof would be too long.
        GivenUp: whoever asks does not wait any more.
    """
    held = {u: v for members in world.domain_members.values() for v in bits(members & true) for u in bits(members & ~true)}
    return _Prover(world, frozenset(rules) | {""}, default, held).refute({}, [(v, True) for v in bits(true)])


@dataclass
class _Prover:
    """The rules that take part, and what was learned about budgets."""

    world: World
    rules: frozenset[str]
    default: int
    held: Mapping[int, int]
    """Value that a knob does not have, since it is given another → that other one, which says the same in fewer steps."""
    nodes: int = MOST_NODES
    clauses: list[Clause] = field(init=False)
    at: dict[Fact, list[int]] = field(init=False)
    """Fact → positions of the clauses that lose a literal by it."""

    def __post_init__(self) -> None:
        """Collect the clauses."""
        self.clauses, self.at = [], {}
        for clause in self.world.hard:
            if clause.rule in self.rules:
                self._add(clause)

    def _add(self, clause: Clause) -> None:
        for v in bits(clause.positive):
            self.at.setdefault((v, False), []).append(len(self.clauses))
        for v in bits(clause.negative):
            self.at.setdefault((v, True), []).append(len(self.clauses))
        self.clauses.append(clause)

    def refute(self, outside: Mapping[int, bool], new: Sequence[Fact]) -> Proof | None:
        """Return a proof that nothing keeps the rules with these facts, as short as was found without much ado."""
        self.nodes -= 1
        check(asking())
        if self.nodes < 0:
            raise Undecided("the proof is too long to be told")
        known = dict(outside) | dict(new)
        reasons: dict[Fact, Reason] = {}
        contradictions = self._propagate(known, list(new), reasons, self._units())
        while not contradictions:
            clause = self._broken(known)
            if clause is None:
                return None
            if clause in self.clauses:
                return self._split(clause, known, reasons)
            self._add(clause)  # learned about a budget
            contradictions = self._propagate(known, [], reasons, [len(self.clauses) - 1])
        return min((Proof(r.rule, r.because, reasons) for r in contradictions), key=Proof.size)

    def _propagate(self, known: dict[int, bool], queue: list[Fact], reasons: dict[Fact, Reason], indices: Sequence[int]) -> list[Reason]:
        """Derive what follows from the facts in the queue and from these clauses; return the first contradictions."""
        found = self._derive(indices, known, reasons, queue)
        while queue and not found:
            v, value = queue.pop(0)
            found += self._crowd_out(v, known, reasons, queue) if value else []
            found += self._derive(self.at.get((v, value), ()), known, reasons, queue)
        return found

    def _units(self) -> list[int]:
        """Return the positions of the clauses that the GPU, the model and the packages leave one way to keep, or none."""
        return [i for i, c in enumerate(self.clauses) if not (c.positive | c.negative) & (c.positive | c.negative) - 1]

    def _crowd_out(self, v: int, known: dict[int, bool], reasons: dict[Fact, Reason], queue: list[Fact]) -> list[Reason]:
        """Derive that the rivals of `v` for a seat, or a knob's other values, are out."""
        found: list[Reason] = []
        for rivals, rule in self.world.rivals[v]:
            if rule not in self.rules:
                continue
            for u in bits(rivals):
                if known.get(u):
                    found.append(Reason(rule, ((v, True), (u, True))))
                elif u not in known:
                    known[u] = False
                    reasons[u, False] = Reason(rule, ((v, True),))
                    queue.append((u, False))
        return found

    def _derive(self, indices: Sequence[int], known: dict[int, bool], reasons: dict[Fact, Reason], queue: list[Fact]) -> list[Reason]:
        """Derive what these clauses leave no choice about; return those that cannot hold."""
        found: list[Reason] = []
        for clause in (self.clauses[i] for i in indices):
            literals = _literals(clause)
            if any(known.get(v) is value for v, value in literals):
                continue
            still_open = [fact for fact in literals if fact[0] not in known]
            because = self._because(literals, known)
            if not still_open:
                found.append(Reason(clause.rule, because))
            elif len(still_open) == 1:
                (v, value) = still_open[0]
                known[v] = value
                reasons[v, value] = Reason(clause.rule, because)
                queue.append((v, value))
        return found

    def _broken(self, known: Mapping[int, bool]) -> Clause | None:
        """Return a clause that the nearest assignment breaks, one with few ways out; `None` if it keeps all."""
        true = sum(1 << v for v, value in known.items() if value)
        candidate = true | self.default & ~sum(1 << v for v, value in known.items() if not value)
        broken = [c for c in self.clauses if not c.holds(candidate)]
        if broken:
            return min(broken, key=lambda c: sum(v not in known for v, _ in _literals(c)))
        for group in self.world.groups:
            held = group.members & candidate
            if group.rule in self.rules and held & (held - 1):
                first, second = bits(held)[:2]
                return Clause(0, 1 << first | 1 << second, group.rule, True)
        for budget in self.world.budgets:
            if budget.hard and budget.rule in self.rules and not budget.holds(candidate):
                return budget.cut(candidate)
        return None

    def _split(self, clause: Clause, known: Mapping[int, bool], reasons: dict[Fact, Reason]) -> Proof | None:
        """Refute every way to keep a clause; one that fails without being supposed is the whole proof."""
        literals = _literals(clause)
        cases: list[tuple[Fact, Proof]] = []
        for fact in (fact for fact in literals if fact[0] not in known):
            proof = self.refute(known, [fact])
            if proof is None:
                return None
            if fact not in proof.needs():
                return Proof(proof.rule, proof.because, reasons | dict(proof.reasons), proof.cases)
            cases.append((fact, proof))
        return Proof(clause.rule, self._because(literals, known), reasons, tuple(cases))

    def _because(self, literals: Sequence[Fact], known: Mapping[int, bool]) -> tuple[Fact, ...]:
        """Return the facts by which literals are false."""
        false = ((v, not value) for v, value in literals if v in known)
        return tuple(dict.fromkeys((self.held[v], True) if not value and v in self.held else (v, value) for v, value in false))


def _literals(clause: Clause) -> list[Fact]:
    return [(v, True) for v in bits(clause.positive)] + [(v, False) for v in bits(clause.negative)]
