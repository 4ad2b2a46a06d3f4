"""The words of an explanation: components by their titles, knobs by their values, rules by their messages."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property

from recipeforge.catalog.subject_walk import subjects_in
from recipeforge.schemas.diagnostic import Citation, Label
from recipeforge.schemas.explanation import Said
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.place import START_OF_FILE, Span
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.as_written import MISSING
from recipeforge.solver.case import Case
from recipeforge.solver.derive import Fact
from recipeforge.solver.limits import fitted_words, phrase_of
from recipeforge.solver.messages import citations_of, filled, value_words
from recipeforge.solver.titles import spelled
from recipeforge.solver.view import View, view_of

MOST_NAMES = 5
"""Names listed in one sentence; of more the first few are named, and the rest counted."""


def joined(names: Sequence[str], word: str) -> str:
    """Return names as a list in a sentence, such as "A, B or C"."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[: MOST_NAMES - 2])} {word} {len(names) - MOST_NAMES + 2} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


@record
class Phrases:
    """Words about one case."""

    case: Case
    taken: dict[Fact, Fact] = field(default_factory=dict[Fact, Fact], compare=False)
    """What cannot be → what has its only seat."""

    @cached_property
    def view(self) -> View:
        """The recipe as written."""
        return view_of(self.case.world.catalog, self.case.loadout)

    def is_knob(self, v: int) -> bool:
        """Return whether a variable stands for a value of a knob."""
        return not isinstance(self.case.world.named[v], str)

    def subject(self, v: int) -> str:
        """Return the component or knob that a variable speaks of."""
        named = self.case.world.named[v]
        return named if isinstance(named, str) else named[0]

    def said(self, fact: Fact) -> Said:
        """Return a fact as data."""
        named = self.case.world.named[fact[0]]
        return Said(named, None, fact[1]) if isinstance(named, str) else Said(*named, fact[1])

    def thing(self, v: int) -> str:
        """Return what a variable stands for: "QLoRA", "batch.micro: 4"."""
        named = self.case.world.named[v]
        if isinstance(named, str):
            return self.case.world.catalog.components[named].title
        return f"{named[0]}: {spelled(named[1])}" if named[1] is not None else f"no {named[0]}"

    def fact(self, fact: Fact) -> str:
        """Return a fact: "QLoRA", "not QLoRA"."""
        return self.thing(fact[0]) if fact[1] else f"not {self.thing(fact[0])}"

    def conclusion(self, rule: str, because: Sequence[Fact], facts: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        """Return that some facts follow from others."""
        variables = [v for v, _ in facts]
        if facts[0][1]:
            left = self._left(variables[0])
            if rule.startswith(MISSING):
                return f"so {left}{self._since(because, numbers)}"
            return f"{self._given(because, numbers)}{left}{self._gone(because, numbers)}"
        if not rule:
            return f"{self._with(because, numbers)} leaves no other value"
        out = self._out(variables)
        return f"{self._given(because, numbers)}{out}{self._gone(because, numbers)}" if because else f"{out} here"

    def contradiction(self, rule: str, because: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        """Return that some facts cannot all hold."""
        holding, gone = [f for f in because if f[1]], [f for f in because if not f[1]]
        if rule.startswith(MISSING):
            return f"so no {self._slot(because[0][0]).removeprefix('the ')} is left, and there has to be one{self._since(gone, numbers)}"
        if not gone:
            if len(holding) < 2:
                return f"{self._with(holding, numbers)} is not possible here" if holding else "the recipe's surroundings rule this out"
            return f"so {self._with(holding, numbers)} cannot stand together"
        names = joined(self._ways(gone), "or")
        out = self._none_left(gone, numbers)
        if rule in self.case.world.catalog.rules and self.case.world.catalog.rules[rule].budget:
            held = self._with(holding, numbers) if holding else "the recipe"
            kept = fitted_words(self.case.world.catalog.rules[rule])
            return f"but {held} {'fits' if len(holding) < 2 else 'fit'} {kept} only with {names}, {out}"
        needs = f"{self._with(holding, numbers)} {'needs' if len(holding) == 1 else 'need'}" if holding else "it takes"
        return f"but {needs} {names}, {out}"

    def choice(self, rule: str, because: Sequence[Fact], options: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        """Return that one of several facts has to hold."""
        names = joined([self.fact(f) for f in options], "or")
        if rule.startswith(MISSING):
            return f"so {self._slot(options[0][0])} is {'either ' if len(options) == 2 else ''}{names}{self._since(because, numbers)}"
        return (
            f"{self._given(because, numbers)}it takes {'either ' if len(options) == 2 else 'one of '}{names}{self._gone(because, numbers)}"
        )

    def _with(self, facts: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        return joined([f"{self.thing(f[0])} ({numbers[f]})" for f in facts], "and")

    def _given(self, because: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        holding = [f for f in because if f[1]]
        return f"with {self._with(holding, numbers)} " if holding else ""

    def _gone(self, because: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        gone = [f for f in because if not f[1]]
        if not gone:
            return ""
        seats, rest = self._seats(gone, numbers), [f for f in gone if f not in self.taken]
        if rest:
            words = joined([self.thing(v) for v, _ in rest], "and")
            seats.append(f"{words} {'is' if len(rest) == 1 else 'are'} out{self._since(rest, numbers)}")
        return f", since {' and '.join(seats)}"

    def _ways(self, gone: Sequence[Fact]) -> list[str]:
        """Return what would have helped: "another optimizer" for all that AdamW keeps from its seat, if those are many."""
        groups: dict[Fact, list[Fact]] = {}
        for fact in gone:
            groups.setdefault(self.taken.get(fact, fact), []).append(fact)
        found = [(h, g) for h, g in groups.items() if len(g) > MOST_NAMES and len(groups) > 1]
        many = {f for _, g in found for f in g}
        return [f"another {self._slot(h[0]).removeprefix('the ')}" for h, _ in found] + [self.thing(f[0]) for f in gone if f not in many]

    def _none_left(self, gone: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        """Return why none of several things can be."""
        seats, rest = self._seats(gone, numbers), [f for f in gone if f not in self.taken]
        if not rest:
            return f"and {' and '.join(seats)}"
        if not seats:
            return f"{'which is out' if len(gone) == 1 else 'and none of them is left'}{self._since(gone, numbers)}"
        return f"and none of them is left: {', '.join(seats)}, and the rest is out{self._since(rest, numbers)}"

    def _seats(self, gone: Sequence[Fact], numbers: Mapping[Fact, int]) -> list[str]:
        """Return what has the seats of things that cannot be: "the optimizer is AdamW (2)"."""
        holders = dict.fromkeys(self.taken[f] for f in gone if f in self.taken)
        return [f"{self._slot(h[0])} is {self._names([h[0]])} ({numbers[h]})" for h in holders]

    def _since(self, because: Sequence[Fact], numbers: Mapping[Fact, int]) -> str:
        cited = sorted({numbers[f] for f in because})
        return f" ({', '.join(map(str, cited))})" if cited else ""

    def _names(self, variables: Sequence[int]) -> str:
        """Return components by their titles, a knob's values by themselves."""
        named = self.case.world.named
        return joined([self._short(named[v]) for v in variables], "or")

    def _short(self, named: str | tuple[str, Scalar | None]) -> str:
        return self.case.world.catalog.components[named].title if isinstance(named, str) else spelled(named[1])

    def _out(self, variables: Sequence[int]) -> str:
        """Return that some components, or values of knobs, cannot be."""
        if len({self._slot(v) for v in variables}) == 1 and (self.is_knob(variables[0]) or not self._many(variables[0])):
            return f"{self._slot(variables[0])} cannot be {self._names(variables)}"
        return f"there can be no {joined([self.thing(v) for v in variables], 'or')}"

    def _left(self, v: int) -> str:
        """Return that a component, or a value of a knob, has to be."""
        if not self.is_knob(v) and self._many(v):
            return f"there has to be {self.thing(v)}"
        return f"{self._slot(v)} has to be {self._names([v])}"

    def _many(self, v: int) -> bool:
        catalog = self.case.world.catalog
        return catalog.slots[catalog.components[self.subject(v)].slot].cardinality == "many"

    def _slot(self, v: int) -> str:
        """Return the slot or knob that a variable is about."""
        catalog = self.case.world.catalog
        component = catalog.components.get(self.subject(v))
        return f"the {catalog.slots[component.slot].title}" if component else self.subject(v)

    def why(self, code: str, about: Sequence[Fact]) -> str:
        """Return a rule in words: its message, about the things that the step speaks of."""
        rule = self.case.world.catalog.rules[code]
        if rule.budget:
            return phrase_of(self.case, rule)
        return filled(rule.message, lambda subject: self._spoken(subject, about))

    def _spoken(self, subject: str, about: Sequence[Fact]) -> str:
        """Return what a step says about a slot or knob; what the recipe does where the step does not speak of it."""
        world = self.case.world
        names = [v for v, value in about if value and world.named[v] in world.catalog.components]
        held = [self.thing(v) for v in names if world.catalog.components[self.subject(v)].slot == subject]
        held += [spelled(named[1]) for v, value in about if value and not isinstance(named := world.named[v], str) and named[0] == subject]
        return joined(held, "or") if held else value_words(world.catalog, self.view, subject)

    def facts(self, code: str) -> tuple[Label, ...]:
        """Return what a rule was told about the GPU, the model and the packages."""
        rule, loadout = self.case.world.catalog.rules[code], self.case.loadout
        told = subjects_in(rule) if rule.violated_when is not None else rule.budget_limits
        known = [s for s in (*told, *rule_scope(rule.scope, self.case.world.facts)) if s in self.case.world.facts]
        known += [s for s in told if s in self.case.world.constants]
        words = {s: value_words(self.case.world.catalog, self.view, s) for s in known}
        return tuple(Label(_place(loadout, s), f"{s} is {said}") for s, said in words.items() if said not in ("none", "false"))

    def citation(self, code: str) -> Citation | None:
        """Return a rule's strongest source."""
        catalog = self.case.world.catalog
        return next(iter(citations_of(catalog, catalog.rules[code])), None)


def _place(loadout: Loadout, subject: str) -> Span:
    """Return where the file names what a fact is about; the start of the file where it does not."""
    named = subject in loadout.context.spans or subject.split(".")[0] in loadout.context.spans or loadout.value_of(subject) is not None
    return loadout.span_of(subject) if named else START_OF_FILE


def rule_scope(scope: Mapping[str, str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the facts by which a rule speaks for this framework and these versions."""
    return ("framework", *(f"packages.{name}" for name in scope)) if scope and "framework" in facts else ()
