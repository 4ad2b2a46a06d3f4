"""Seeded catalogs of any size, with the kinds of rules and the rates that real ones have.

Components fill slots of skewed sizes: three in ten hold exactly one, four in ten at most one, the rest any number. On average a
component requires 0.9 others (three in ten of these are "any of two to four"), conflicts with 1.6 others or families inside one slot, and
has 0.45 rules about the environment: versions, of which each implies all lower ones, and the model's architecture. Three budgets each
bind half of the components. Every rule keeps a dozen planted recipes, so the catalog always has answers.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dev.models.model import Model
from dev.models.sums import Sum
from recipeforge.solver.formula import Formula, Literals

SLOTS = {50: 10, 200: 18, 1_000: 40, 10_000: 100}
KINDS = ("one", "one", "one", "maybe", "maybe", "maybe", "maybe", "many", "many", "many")
ARCHITECTURES = 8
VERSIONS = (6, 10, 5, 8)
"""Thresholds of each thing that has versions."""
PLANTED = 12
BUDGETS = 3
REQUIRES, ANY_OF, CONFLICTS, ENVIRONMENT = 0.9, 0.3, 1.6, 0.45
"""Rules of each kind for a component, on average; of the requirements, the share that several can meet."""
SLACK = 1.05
"""Budgets allow this much more than the most expensive planted recipe."""


@dataclass(frozen=True)
class Synthetic:
    """A catalog with what is known about it. Variables below `components` are components, the others the environment."""

    model: Model
    components: int
    planted: tuple[frozenset[int], ...]
    """What is true in each recipe that keeps every rule."""


def synthetic(components: int, seed: int = 0, budgets: int = BUDGETS) -> Synthetic:
    """Return a catalog; the same arguments, the same catalog. `budgets` is how many linear limits it has."""
    return _Maker(components, random.Random(f"catalog {components} {seed}")).catalog(seed, budgets)


def loadouts(catalog: Synthetic, count: int, seed: int = 0) -> list[list[int]]:
    """Return picks of components: most of a planted recipe; every second list has one to three others in it, too."""
    rng = random.Random(f"loadouts {seed}")
    found: list[list[int]] = []
    for number in range(count):
        held = sorted(v for v in rng.choice(catalog.planted) if v < catalog.components)
        rng.shuffle(held)
        picks = set(held[: max(2, int(len(held) * 0.6))])
        if number % 2:
            picks.update(rng.randrange(catalog.components) for _ in range(rng.randint(1, 3)))
        found.append(sorted(picks))
    return found


class _Maker:
    """Draws a catalog step by step."""

    def __init__(self, components: int, rng: random.Random) -> None:
        self.components, self.rng = components, rng
        self.size = components
        self.clauses: list[Literals] = []
        self.slots = self._slots()
        self.slot_of = {v: i for i, (_, members) in enumerate(self.slots) for v in members}
        self.architectures = self._new(ARCHITECTURES)
        self.versions = [self._new(count) for count in VERSIONS]
        self.planted = [self._recipe() for _ in range(PLANTED)]
        self.holders = [0] * self.size
        """Variable → the planted recipes in which it is true, as a mask."""
        for number, recipe in enumerate(self.planted):
            for v in recipe:
                self.holders[v] |= 1 << number

    def catalog(self, seed: int, budgets: int) -> Synthetic:
        """Return everything drawn."""
        groups = [tuple(members) for kind, members in self.slots if kind != "many" and len(members) > 1]
        groups.append(tuple(self.architectures))
        self.clauses += [tuple(members) for kind, members in self.slots if kind == "one"]
        self.clauses.append(tuple(self.architectures))
        self.clauses += [(~higher, lower) for chain in self.versions for lower, higher in pairwise(chain)]
        for v in range(self.components):
            self._rules(v)
        limits = tuple(self._budget() for _ in range(budgets))
        formula = Formula(self.size, tuple(dict.fromkeys(self.clauses)), tuple(groups), limits)
        names = (*(f"c{v}" for v in range(self.components)), *(f"env{v}" for v in range(self.components, self.size)))
        planted = tuple(frozenset(recipe) for recipe in self.planted)
        return Synthetic(Model(f"synthetic {self.components} seed {seed}", formula, names), self.components, planted)

    def _slots(self) -> list[tuple[str, list[int]]]:
        """Return each slot's kind and members; the first is the largest."""
        count = SLOTS.get(self.components, max(3, int(self.components**0.55)))
        shares = [1 / math.sqrt(i + 1) for i in range(count)]
        sizes = [max(2, int(self.components * share / sum(shares))) for share in shares]
        sizes[0] += self.components - sum(sizes)
        if sizes[0] < 2:
            raise ValueError(f"{self.components} components are too few for {count} slots")
        shuffled = list(range(self.components))
        self.rng.shuffle(shuffled)
        kinds = [KINDS[i % len(KINDS)] for i in range(count)]
        self.rng.shuffle(kinds)
        rest = iter(shuffled)
        return [(kind, sorted(next(rest) for _ in range(size))) for kind, size in zip(kinds, sizes, strict=True)]

    def _new(self, count: int) -> list[int]:
        self.size += count
        return list(range(self.size - count, self.size))

    def _recipe(self) -> set[int]:
        """Return what is true in a recipe that respects slots and environment."""
        rng = self.rng
        held = {rng.choice(self.architectures)}
        for chain in self.versions:
            held.update(chain[: rng.randrange(len(chain) + 1)])
        for kind, members in self.slots:
            if kind == "many":
                held.update(rng.sample(members, min(len(members), rng.choice((0, 0, 1, 1, 2)))))
            elif kind == "one" or rng.random() < 0.5:
                held.add(rng.choice(members))
        return held

    def _say(self, clause: Iterable[int]) -> None:
        """Add a clause, unless it would break a planted recipe."""
        literals, everyone = tuple(clause), (1 << PLANTED) - 1
        kept = 0
        for x in literals:
            kept |= self.holders[x] if x >= 0 else everyone & ~self.holders[~x]
        if kept == everyone:
            self.clauses.append(literals)

    def _rules(self, v: int) -> None:
        rng = self.rng
        for _ in range(self._poisson(REQUIRES)):
            if other := self._other_slot(v):
                wanted = rng.sample(other, min(len(other), rng.randint(2, 4))) if rng.random() < ANY_OF else [rng.choice(other)]
                self._say((~v, *wanted))
        for _ in range(self._poisson(CONFLICTS)):
            if other := self._other_slot(v):
                family = rng.sample(other, min(len(other), rng.randint(2, 5))) if rng.random() < 0.5 else [rng.choice(other)]
                for member in family:
                    self._say((~v, ~member))
        for _ in range(self._poisson(ENVIRONMENT)):
            self._environment_rule(v)

    def _environment_rule(self, v: int) -> None:
        """Say what versions or architectures a component needs, or what it needs or excludes under some of them."""
        rng, kind = self.rng, self.rng.random()
        version = rng.choice(rng.choice(self.versions))
        if kind < 0.33:
            self._say((~v, version))
        elif kind < 0.5:
            self._say((~v, ~version))
        elif kind < 0.66:
            self._say((~v, *rng.sample(self.architectures, rng.randint(3, 6))))
        elif other := self._other_slot(v):
            condition = rng.choice(self.architectures) if rng.random() < 0.5 else rng.choice((version, ~version))
            member = rng.choice(other)
            self._say((~v, ~condition, member if rng.random() < 0.5 else ~member))

    def _other_slot(self, v: int) -> Sequence[int]:
        """Return the members of some slot; none if it is that of `v`."""
        drawn = self.rng.randrange(len(self.slots))
        return () if drawn == self.slot_of[v] else self.slots[drawn][1]

    def _budget(self) -> Sum:
        """Return a budget that every planted recipe keeps: half of the components matter, one in ten of these relieves it."""
        rng = self.rng
        weights: dict[int, int] = {}
        for v in range(self.components):
            if rng.random() < 0.5:
                weights[v] = int(10 ** rng.uniform(1, 4)) if rng.random() < 0.9 else -int(10 ** rng.uniform(1, 3))
        highest = max(sum(weights.get(v, 0) for v in recipe) for recipe in self.planted)
        return Sum(weights, int(highest * SLACK) + 1)

    def _poisson(self, mean: float) -> int:
        """Return how often something happens that happens `mean` times on average."""
        count, product, bound = 0, self.rng.random(), math.exp(-mean)
        while product > bound:
            count += 1
            product *= self.rng.random()
        return count
