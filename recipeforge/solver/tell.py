"""A proof as numbered steps in words: what the recipe says, what follows from it by which rule, and the contradiction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recipeforge.schemas.diagnostic import Label
from recipeforge.schemas.explanation import Step, StepKind
from recipeforge.solver.as_written import MISSING, TOO_MANY
from recipeforge.solver.case import Case
from recipeforge.solver.derive import Fact, Proof, Reason
from recipeforge.solver.phrases import Phrases


def tell(case: Case, proof: Proof, supposed: int = 0) -> tuple[Step, ...]:
    """Return the steps of a proof from the picks of a case, and from the component in `supposed`, if any."""
    teller = _Teller(case, Phrases(case), supposed)
    numbers: dict[Fact, int] = {}
    for fact in sorted(proof.needs(), key=teller.reading_order):
        numbers[fact] = teller.given(fact)
    teller.proof(proof, numbers, 0)
    return tuple(teller.steps)


@dataclass
class _Teller:
    """The steps told so far."""

    case: Case
    phrases: Phrases
    supposed: int
    steps: list[Step] = field(default_factory=list[Step])

    def reading_order(self, fact: Fact) -> tuple[bool, int, int, int]:
        """Return where the file says a fact; what is only supposed comes first."""
        start = self.case.loadout.span_of(self.phrases.subject(fact[0])).start
        return not self.supposed >> fact[0] & 1, start.line, start.column, fact[0]

    def given(self, fact: Fact) -> int:
        """Tell what the recipe says, or what is tried, and return the number of the step."""
        words = self.phrases.thing(fact[0])
        if self.supposed >> fact[0] & 1:
            return self._add("supposed", [fact], text=f"suppose that the recipe also had {words}")
        span = self.case.loadout.span_of(self.phrases.subject(fact[0]))
        verb = "sets" if self.phrases.is_knob(fact[0]) else "asks for"
        return self._add("given", [fact], text=f"line {span.start.line + 1} {verb} {words}", place=Label(span, words))

    def proof(self, proof: Proof, numbers: dict[Fact, int], depth: int) -> int:
        """Tell a proof, given the numbers of the facts that it needs, and return the number of its contradiction."""
        used = proof.derived()
        for fact in used:
            if fact not in numbers:
                reason = proof.reasons[fact]
                if (holder := self._taken_by(fact, reason)) is not None:
                    self.phrases.taken[fact] = self.phrases.taken.get(holder, holder)
                    numbers[fact] = numbers[holder]
                    continue
                together = [f for f in used if proof.reasons[f] == reason]
                number = self._follows(together, reason.rule, reason.because, numbers, depth)
                numbers |= dict.fromkeys(together, number)
        if proof.cases:
            return self._either(proof, numbers, depth)
        text = self.phrases.contradiction(proof.rule, proof.because, numbers)
        return self._add("contradiction", [], proof.because, numbers, proof.rule, depth, text)

    def _taken_by(self, fact: Fact, reason: Reason) -> Fact | None:
        """Return what has the only seat that `fact` could have had, which needs no step of its own; `None` where a rule says more.

        A component of a slot that takes one; a knob's other value; a knob of such a component.
        """
        because = reason.because
        if reason.rule.startswith(TOO_MANY) or (not reason.rule and len(because) == 1 and because[0][1]):
            return because[0]
        holders = {self.phrases.taken.get(f) for f in because}
        return holders.pop() if not reason.rule and len(holders) == 1 else None

    def _follows(self, facts: Sequence[Fact], rule: str, because: Sequence[Fact], numbers: dict[Fact, int], depth: int) -> int:
        text = self.phrases.conclusion(rule, because, facts, numbers)
        return self._add("follows", facts, because, numbers, rule, depth, text)

    def _either(self, proof: Proof, numbers: dict[Fact, int], depth: int) -> int:
        """Tell the cases one after the other, and that none is left."""
        options = [fact for fact, _ in proof.cases]
        text = self.phrases.choice(proof.rule, proof.because, options, numbers)
        either = self._add("either", options, proof.because, numbers, proof.rule, depth, text)
        ends: list[int] = [either]
        for fact, inner in proof.cases:
            number = self._add("supposed", [fact], depth=depth + 1, text=f"suppose {self.phrases.fact(fact)}", premises=[either])
            outside = dict(self.phrases.taken)
            ends.append(self.proof(inner, numbers | {fact: number}, depth + 1))
            self.phrases.taken.clear()  # what was supposed has no seat beyond its case
            self.phrases.taken.update(outside)
        return self._add(
            "contradiction",
            [],
            depth=depth,
            premises=ends,
            text="so neither is possible" if len(ends) == 3 else "so none of these is possible",
        )

    def _add(
        self,
        kind: StepKind,
        says: Iterable[Fact],
        because: Sequence[Fact] = (),
        numbers: dict[Fact, int] | None = None,
        rule: str = "",
        depth: int = 0,
        text: str = "",
        place: Label | None = None,
        premises: Sequence[int] = (),
    ) -> int:
        facts = list(says)
        cited = [*premises, *sorted({(numbers or {})[fact] for fact in because})]
        about = [*because, *((v, not value) for v, value in facts)]
        spoken = bool(rule) and not rule.startswith((TOO_MANY, MISSING))
        step = Step(
            len(self.steps) + 1,
            kind,
            tuple(self.phrases.said(fact) for fact in facts),
            tuple(cited),
            rule,
            depth,
            text,
            self.phrases.why(rule, about) if spoken else "",
            place,
            self.phrases.facts(rule) if spoken else (),
            self.phrases.citation(rule) if spoken else None,
        )
        self.steps.append(step)
        return step.number
