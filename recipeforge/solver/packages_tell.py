"""A refutation as numbered steps in words: what the recipe says, what that leaves of each package, and where nothing is left."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from recipeforge.schemas.diagnostic import Citation, Label
from recipeforge.schemas.explanation import Said, Step, StepKind
from recipeforge.solver.packages_proof import Narrowing, Refutation
from recipeforge.solver.packages_words import Words, asked, joined
from recipeforge.solver.packages_world import GIVEN, NEED, PREFIX


def tell(words: Words, refutation: Refutation) -> tuple[Step, ...]:
    """Return the steps of a refutation."""
    teller = _Teller(words)
    asked_for = {pick for demand in refutation.demands() for pick in demand.picks}
    for pick in words.puzzle.picks:
        if pick in asked_for:
            teller.given(pick)
    teller.refutation(refutation, 0)
    return tuple(teller.steps)


@dataclass
class _Teller:
    words: Words
    steps: list[Step] = field(default_factory=list[Step])
    picks: dict[str, int] = field(default_factory=dict[str, int])
    """Thing of the recipe → number of its step."""
    numbers: dict[int, int] = field(default_factory=dict[int, int])
    """Identity of a narrowing → number of its step."""

    def given(self, pick: str) -> None:
        """Tell what the recipe, or an option, says."""
        name, loadout = self.words.pick(pick), self.words.loadout
        subject = pick if pick.startswith(PREFIX) else next((e.component for e in loadout.equipped if e.component == pick), pick)
        written = subject in loadout.context.spans or subject not in self.words.puzzle.facts
        span = loadout.span_of(subject)
        text = f"line {span.start.line + 1} asks for {name}" if written else f"{name} is asked for by option or configuration"
        value = str(self.words.view.facts[pick]) if pick in self.words.view.facts else None
        self.picks[pick] = self._add("given", (Said(subject, value),), text=text, place=Label(span, name) if written else None)

    def refutation(self, refutation: Refutation, depth: int) -> int:
        """Tell a refutation, and return the number of its contradiction."""
        for step in refutation.needs():
            if id(step) not in self.numbers:
                self.numbers[id(step)] = self._narrowing(step, depth)
        if refutation.end is not None:
            return self._contradiction(refutation.end, depth)
        return self._cases(refutation, depth)

    def _narrowing(self, step: Narrowing, depth: int) -> int:
        demand = step.demand
        assert demand is not None, "what is supposed is numbered when it is"
        if demand.key.startswith(GIVEN) and not step.because:
            return self.picks[next(iter(demand.picks))]
        if demand.key.startswith(NEED):
            pick = next(iter(demand.picks))
            text = f"{self.words.pick(pick)} ({self.picks[pick]}) needs {step.package}"
        else:
            text = f"{self._given_that(step)}{self._has_to_be(step.package, step.left)}"
        return self._follows("follows", step, depth, text)

    def _contradiction(self, step: Narrowing, depth: int) -> int:
        lead = f"but {self._given_that(step, [s for s in step.because if s.package != step.package])}"
        if step.allowed:
            text = f"{lead}{self._has_to_be(step.package, step.allowed)}, and only {self._left(step)} is left"
        else:
            text = f"{lead}no version of {self.words.title(step.package)} is left"
        return self._follows("contradiction", step, depth, text)

    def _left(self, step: Narrowing) -> str:
        own = [s for s in step.because if s.package == step.package]
        number = f" ({self.numbers[id(own[0])]})" if own and id(own[0]) in self.numbers else ""
        return f"{self.words.versions(step.package, step.before)}{number}"

    def _cases(self, refutation: Refutation, depth: int) -> int:
        """Tell the cases one after the other, and that none is left."""
        package = refutation.cases[0][0].package
        kinds = [self.words.versions(package, supposed.left) for supposed, _ in refutation.cases]
        premises = [self.numbers[id(refutation.split)]] if refutation.split is not None and id(refutation.split) in self.numbers else []
        said = tuple(Said(PREFIX + package, kind) for kind in kinds)
        either = self._add("either", said, premises, depth, f"{self.words.title(package)} is {joined(kinds, 'or')}")
        ends = [either]
        for (supposed, inner), kind in zip(refutation.cases, kinds, strict=True):
            text = f"suppose {self.words.with_versions(package, supposed.left)}"
            self.numbers[id(supposed)] = self._add("supposed", (Said(PREFIX + package, kind),), [either], depth + 1, text)
            ends.append(self.refutation(inner, depth + 1))
        return self._add("contradiction", (), ends, depth, "so neither is possible" if len(kinds) == 2 else "so none of these is possible")

    def _given_that(self, step: Narrowing, because: Sequence[Narrowing] | None = None) -> str:
        """Return "with A (1) and B (2) "; that the package itself is there goes without saying."""
        demand = step.demand
        told = [s for s in (step.because if because is None else because) if s.package != step.package or not self._any(s)]
        said = [self.words.with_versions(s.package, s.left) + f" ({self.numbers[id(s)]})" for s in told]
        picks = sorted((p for p in demand.picks if p in self.picks), key=lambda p: self.picks[p]) if demand else []
        said = [f"{self.words.pick(p)} ({self.picks[p]})" for p in picks if not p.startswith(PREFIX)] + said
        return f"with {joined(said, 'and')} " if said else ""

    def _any(self, step: Narrowing) -> bool:
        return step.left == self.words.puzzle.values[step.package].installed

    def _has_to_be(self, package: str, mask: int) -> str:
        said, values = self.words.versions(package, mask), self.words.puzzle.values[package]
        if mask == values.installed:
            return f"{self.words.title(package)} has to be installed"
        return f"there can be no {package}" if said == "not installed" else f"{self.words.title(package)} has to be {said}"

    def _follows(self, kind: StepKind, step: Narrowing, depth: int, text: str) -> int:
        demand = step.demand
        premises = [self.numbers[id(s)] for s in step.because]
        premises += [self.picks[pick] for pick in demand.picks] if demand else []
        said = () if kind == "contradiction" else (Said(PREFIX + step.package, self.words.versions(step.package, step.left)),)
        rule, why, citation = self._source(step)
        return self._add(kind, said, sorted(set(premises)), depth, text, rule=rule, why=why, citation=citation)

    def _source(self, step: Narrowing) -> tuple[str, str, Citation | None]:
        """Return who demands, as a code or a package URL, what, and the words to cite."""
        demand, gone = step.demand, step.before & ~step.left
        if demand is None or demand.key.startswith(GIVEN):
            return "", "", None
        if demand.rule is not None:
            versions = {s.package: s.left for s in step.because} | {step.package: gone}
            return demand.rule.code, self.words.rule(demand.rule, versions), self.words.citation(demand)
        line = self.words.line(demand, self._asking(step), {step.package: gone}) if demand.lines else None
        return (line[1].purl, asked(line[0]), self.words.citation(demand, line)) if line else ("", "", None)

    def _asking(self, step: Narrowing) -> int:
        """Return the versions of the asking package whose words to cite: those still left; of those taken away, the nearest ones."""
        demand = step.demand
        assert demand is not None, "nobody asks for a supposition"
        if step.package == demand.of:
            gone, kept = step.before & ~step.left, step.left or step.allowed
            newer = gone & ~((1 << kept.bit_length()) - 1) if kept else 0
            return newer & -newer or gone
        return next((s.left for s in step.because if s.package == demand.of), -1)

    def _add(
        self,
        kind: StepKind,
        says: tuple[Said, ...],
        because: Sequence[int] = (),
        depth: int = 0,
        text: str = "",
        *,
        rule: str = "",
        why: str = "",
        place: Label | None = None,
        citation: Citation | None = None,
    ) -> int:
        self.steps.append(Step(len(self.steps) + 1, kind, says, tuple(because), rule, depth, text, why, place, (), citation))
        return len(self.steps)
