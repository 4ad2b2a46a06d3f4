"""Time and cost of a recipe: what they depend on, the estimate, and the budgets of one world.

As for memory (`memory_budget.py`): each feature is read from a recipe or grounded as classes of assignments, and the same terms
answer both. Time is counted in milliseconds. A limit on cost is one on time, since price and number of devices are given.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import cast

from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Fact
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.solver import speed
from recipeforge.solver.budgets import Budget, Classes, Factor, Term
from recipeforge.solver.features import Feature, FlagFeature, KnobFeature, SlotFeature
from recipeforge.solver.memory import Dims, Trains, dims_from
from recipeforge.solver.memory_budget import FEATURES as MEMORY_FEATURES
from recipeforge.solver.memory_budget import stored_quantization
from recipeforge.solver.prices import PRICE, price_of
from recipeforge.solver.shapes import shared
from recipeforge.solver.speed import Pace
from recipeforge.solver.variables import Variables

STEPS, EPOCHS, ROWS = "train.steps", "train.epochs", "data.limit"
KINDS: Mapping[str, Pace] = {"time": "fast", "time-likely": "typical", "cost": "fast", "cost-likely": "typical"}
"""Kind of a rule's budget → the pace that has to keep it: an error says that even the fastest does not."""
SPEEDS = (1.36, 1.2)
"""The speeds of kernels, best first, since the best one counts (a test holds them against the catalog)."""
READ_ALONE = (STEPS, EPOCHS, ROWS, PRICE)
"""Knobs that nothing but time and cost read."""

_SHARED = (
    *("trains", "rows", "reference", "vocabulary_logits", "splits", "splits_rows", "eager", "recomputes"),
    *("technique.rank", "technique.targets"),
    *("technique.train_embeddings", "technique.trainable_layers", "objective.precompute_reference", "distributed.degree"),
    *("distributed.activation_checkpointing", "batch.micro", "batch.accumulate", "data.sequence_length", "hardware.count"),
)
"""Features that the memory formula reads, too."""


def _format(c: Component | None) -> Hashable:
    """Return whether products take 16 bits or fewer, and what narrower ones gain."""
    return (c.effects.get("compute_bytes") == 2, float(c.effects.get("speed", 1.0))) if c else (False, 1.0)


def _gain(c: Component | None) -> Hashable:
    return float(c.effects.get("speed", 1.0)) if c else 1.0


def _quantized(c: Component | None) -> Hashable:
    return c is not None and "weight_bytes_per_param" in c.effects


FEATURES: tuple[Feature, ...] = (
    *(f for f in MEMORY_FEATURES if f.name in _SHARED),
    SlotFeature("format", "precision", _format),
    SlotFeature("quantized", "quantization", _quantized),
    SlotFeature("kernels", "kernels", _gain, ranked=SPEEDS),
    FlagFeature("tf32", ("kernels",), lambda c: "tf32-products" in c.tags),
    KnobFeature("data.packing", False),
    KnobFeature(STEPS, 0),
)

LENGTH = (
    *(STEPS, "batch.micro", "batch.accumulate", "rows", "data.sequence_length", "data.packing"),
    *("splits", "splits_rows", "distributed.degree", "hardware.count"),
)
RATE = ("format", "tf32", "kernels", "eager", "quantized")
BOTH = ("hardware.count",)
"""Features of length that the rate depends on as well; no order: more devices share the work, and each attains less."""
OWN = ("eager", "data.sequence_length")
"""Features of length and rate that operations depend on as well; ordered the same way for all."""
REACHED = ("trains", "technique.trainable_layers")
TERMS: dict[str, tuple[str, ...]] = {
    "forward": (*LENGTH, *RATE, "vocabulary_logits"),
    "backward": (*LENGTH, *RATE, *REACHED, "technique.train_embeddings", "vocabulary_logits"),
    "attention": (*LENGTH, *RATE, *REACHED),
    "adapter": (*LENGTH, *RATE, "trains", "technique.rank", "technique.targets"),
    "recomputed": (*LENGTH, *RATE, *REACHED, "recomputes", "distributed.activation_checkpointing"),
    "reference": (*LENGTH, *RATE, "reference", "objective.precompute_reference", "vocabulary_logits"),
}
"""Term → the features it depends on. A term is given these and no others."""


def speed_knobs() -> frozenset[str]:
    """Return the knobs that time and cost depend on."""
    return frozenset(f.path for f in FEATURES if isinstance(f, KnobFeature)) | {EPOCHS, ROWS, PRICE}


@record
class Setting:
    """What is given before any part is chosen."""

    dims: Dims
    active: int
    device: speed.Device
    pace: Pace
    rows: float | None = None
    """Rows that go by in all epochs together, where epochs and a limit on rows are given."""
    fixed: int | None = None
    """Tokens to train on, whatever the recipe says: what compares speeds."""

    def filled(self, packed: bool) -> float:
        """Return by what a step's time differs from that of full sequences."""
        if self.fixed is not None:
            return 1.0 if packed else 1 / speed.SHORT_ROWS[self.pace]
        return 1.0 if packed else speed.FILLED[self.pace]


@record
class Reader:
    """Features of one recipe, in the formula's own terms."""

    setting: Setting
    of: Mapping[str, Hashable]

    def number(self, name: str) -> int:
        """Return a whole number."""
        return int(cast(int, self.of[name]))

    @property
    def trains(self) -> Trains:
        """Which weights train; what this term does not depend on keeps its default."""
        of = self.of
        return Trains(
            str(of["trains"]),
            rank=self.number("technique.rank") if "technique.rank" in of else 8,
            targets=str(of.get("technique.targets", "all-linear")),
            embeddings=of.get("technique.train_embeddings") is True,
            layers=self.number("technique.trainable_layers") if "technique.trainable_layers" in of else 0,
        )

    @property
    def one(self) -> speed.Pass:
        """What one position goes through."""
        of, setting = self.of, self.setting
        length = self.number("data.sequence_length")
        return speed.Pass(setting.dims, setting.active, length, of["eager"] is True, of.get("vocabulary_logits") is not False)

    @property
    def options(self) -> speed.Options:
        """What decides how much of its peak the device attains."""
        half, narrow = cast(tuple[bool, float], self.of["format"])
        return speed.Options(
            half=half,
            narrow=narrow,
            tf32=self.of["tf32"] is True,
            kernels=float(cast(float, self.of["kernels"])),
            eager=self.of["eager"] is True,
            quantized=self.of["quantized"] is True,
            several=self.number("hardware.count") > 1,
        )

    @property
    def positions(self) -> float:
        """Positions of full sequences that one device computes; 0 where nobody knows how long the run is.

        Steps win over epochs. An epoch's length is known where `data.limit` says it, though the data may hold fewer rows: nothing
        is claimed about the fastest pace then. Devices that split layers or sequences share their positions.
        """
        setting, of = self.setting, self.of
        split = self.number("distributed.degree") if of["splits"] is True or of["splits_rows"] is True else 1
        packed = of["data.packing"] is True
        if setting.fixed is not None:
            return setting.fixed * setting.filled(packed) / self.number("hardware.count")
        row = self.number("rows") * self.number("data.sequence_length")
        if steps := self.number(STEPS):
            return steps * self.number("batch.micro") * self.number("batch.accumulate") * row * setting.filled(packed) / split
        if setting.rows is None or setting.pace == "fast":
            return 0
        return setting.rows * row * setting.filled(packed=False) / self.number("hardware.count")

    def operations(self, term: str) -> float:
        """Return the operations of one position that a term stands for."""
        return _TERM[term](self, self.one)

    def milliseconds(self, term: str) -> int:
        """Return the time that a term takes over the whole run."""
        return int(self.positions * self.operations(term) * self.an_operation * 1000)

    @property
    def an_operation(self) -> float:
        """Return seconds for one operation."""
        return speed.seconds_an_operation(self.setting.device, self.options, self.setting.pace)

    @property
    def recomputes(self) -> bool:
        """Whether layers are computed again in backward."""
        return self.of["recomputes"] is True or self.of["distributed.activation_checkpointing"] is True

    @property
    def compares(self) -> bool:
        """Whether a reference model goes along; one whose answers were computed beforehand does not."""
        return self.of["reference"] is True and self.of["objective.precompute_reference"] is not True


_TERM: dict[str, Callable[[Reader, speed.Pass], float]] = {
    "forward": lambda r, one: speed.forward(one),
    "backward": lambda r, one: speed.backward(one, r.trains),
    "attention": lambda r, one: speed.attention(one) + speed.attention_backward(one, r.trains),
    "adapter": lambda r, one: speed.adapter(one.dims, r.trains),
    "recomputed": lambda r, one: speed.recomputed(one, r.trains) if r.recomputes else 0,
    "reference": lambda r, one: speed.reference(one) if r.compares else 0,
}


def setting_from(facts: Mapping[str, Fact], knobs: Mapping[str, Scalar], pace: Pace, fixed: int | None = None) -> Setting | None:
    """Return what is given; `None` where the model's dimensions or the device's peak are not known."""
    dims, device = dims_from(facts), speed.device_from(facts)
    if dims is None or device is None:
        return None
    active = facts.get("model.active_parameters")
    epochs, limit = knobs.get(EPOCHS), knobs.get(ROWS)
    rows = float(epochs) * float(limit) if isinstance(epochs, int | float) and isinstance(limit, int | float) else None
    return Setting(dims, active if isinstance(active, int) else dims.parameters, device, pace, rows, fixed)


def lacking(facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """Return the facts that nobody gave and without which no limit on time or money is judged."""
    wanted = ("model.hidden",) if dims_from(facts) is None else ()
    return (*wanted, "gpu.bf16_tflops") if speed.device_from(facts) is None else wanted


# -- budgets -------------------------------------------------------------------------------------------------


def time_budget(over: Variables, rule: Rule) -> Budget | None:
    """Return the budget that a rule puts on time, or on cost by way of time; `None` where no limit is set or no time can be told."""
    limit_s = limit_seconds(over, rule)
    if limit_s is None:
        return None
    setting = setting_from(over.facts, over.constants, KINDS[str(rule.budget)])
    if setting is None:
        return None
    return shared(over, rule, speed_knobs() - {PRICE}, int(limit_s * 1000), lambda: _budget(over, setting, rule.code, True, 0))


def pace_budget(over: Variables, tokens: int = 10**9) -> Budget | None:
    """Return the typical time for so many tokens, as a budget without a limit; `None` where it cannot be told."""
    setting = setting_from(over.facts, over.constants, "typical", tokens)
    return _budget(over, setting, "", True, 1 << 62) if setting else None


def limit_seconds(over: Variables, rule: Rule) -> float | None:
    """Return the limit of a rule in seconds. Money buys the more time the cheaper the device: an error takes the cheapest offer."""
    numbers = [x for s in rule.budget_limits if isinstance(x := over.constants.get(s), int | float)]
    if not numbers or not str(rule.budget).startswith("cost"):
        return float(min(numbers)) if numbers else None
    an_hour = usd_an_hour(over, KINDS[str(rule.budget)])
    return min(numbers) / an_hour * 3600 if an_hour else None


def usd_an_hour(over: Variables, pace: Pace) -> float | None:
    """Return what all devices cost an hour: the cheapest offer for the fastest pace, the middle one for the typical."""
    price = price_of(over.catalog, over.facts, over.constants)
    if price is None:
        return None
    each = {"slow": price.high, "typical": price.typical, "fast": price.low}[pace]
    return each * float(cast(float, over.constants.get("hardware.count", 1)))


def _budget(over: Variables, setting: Setting, rule: str, hard: bool, limit_ms: int) -> Budget:
    grounded = {f.name: f.ground(over) for f in FEATURES}
    if stored_quantization(over.catalog, over.facts):
        grounded["quantized"] = (grounded["quantized"][0], [True for _ in grounded["quantized"][1]])
    position = {name: index for index, name in enumerate(grounded)}
    orders = _orders(setting)

    def factor(uses: tuple[str, ...], of: Callable[[Reader], float]) -> Factor:
        values = [grounded[f][1] for f in uses]
        return Factor(lambda classes: of(Reader(setting, {f: v[k] for f, v, k in zip(uses, values, classes, strict=True)})))

    length, rate = factor(LENGTH, lambda r: r.positions), factor((*RATE, *BOTH), lambda r: r.an_operation)
    apart = all(len(grounded[f][1]) == 1 for f in BOTH)  # else no factor is smallest by itself

    def term(name: str, uses: tuple[str, ...]) -> Term:
        values = [grounded[f][1] for f in uses]
        own = tuple(dict.fromkeys(f for f in uses if f in OWN or f not in (*LENGTH, *RATE)))
        work = factor(own, lambda r: 0 if r.of.get("trains", "") is None else r.operations(name))
        parts = (LENGTH, length), (own, work), ((*RATE, *BOTH), rate)
        factors = tuple((tuple(uses.index(f) for f in some), one) for some, one in parts)

        def value(classes: Classes) -> int:
            positions, operations, an_operation = (one.at(tuple([classes[place] for place in places])) for places, one in factors)
            return int(positions * operations * an_operation * 1000)

        alike = tuple(tuple(options.index(v) for v in options) for options in values)
        cost = tuple(tuple(orders[f](v) for v in options) if f in orders else None for f, options in zip(uses, values, strict=True))
        return Term(name, tuple(position[f] for f in uses), value, alike, cost, factors if apart else ())

    terms = tuple(term(name, uses) for name, uses in TERMS.items())
    return Budget(rule, hard, limit_ms, tuple(i for i, _ in grounded.values()), terms, (tuple(range(len(terms))),))


def _more(value: Hashable) -> float:
    return float(cast(float, value))


def _less(value: Hashable) -> float:
    return -float(cast(float, value))


def _orders(setting: Setting) -> dict[str, Callable[[Hashable], float]]:
    """Return, for features that have such an order, a number that never falls while time falls (a property test holds each)."""
    risen = (
        *("rows", "eager", "quantized", "recomputes", "distributed.activation_checkpointing", "vocabulary_logits", "reference"),
        *("batch.micro", "batch.accumulate", "data.sequence_length", "technique.rank", "technique.train_embeddings"),
    )
    fallen = ("kernels", "splits", "splits_rows", "objective.precompute_reference")

    def filled(packed: Hashable) -> float:
        return setting.filled(packed is True)

    return {**dict.fromkeys(risen, _more), **dict.fromkeys(fallen, _less), "data.packing": filled}
