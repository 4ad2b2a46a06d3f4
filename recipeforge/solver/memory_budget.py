"""Peak memory of a recipe: the features it depends on, the estimate, and the budget of one world."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import cast

from recipeforge.catalog.subjects import REST_AS_LOADED
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver import memory
from recipeforge.solver.budgets import Budget, Classes, Term
from recipeforge.solver.features import Feature, FlagFeature, KnobFeature, SlotFeature
from recipeforge.solver.variables import Variables
from recipeforge.solver.view import View, view_of

Features = Mapping[str, Hashable]


def _effect(name: str, fallback: Scalar | None = None) -> Callable[[Component | None], Hashable]:
    """Return a reader of one effect of a component; `fallback` for an empty slot or a component without it."""

    def read(component: Component | None) -> Hashable:
        return component.effects.get(name, fallback) if component else fallback

    return read


def _flag(name: str) -> Callable[[Component], bool]:
    """Return a test for a boolean effect."""

    def has(component: Component) -> bool:
        return component.effects.get(name) is True

    return has


def _quantization(c: Component | None) -> Hashable:
    """Return (bytes a weight, whether the rest becomes fp32); `None` for weights that are not quantized."""
    if c is None or "weight_bytes_per_param" not in c.effects:
        return None
    return float(c.effects["weight_bytes_per_param"]), c.effects.get("rest_in_fp32") is True


def stored_quantization(catalog: Catalog, facts: Mapping[str, Fact]) -> Hashable:
    """Return how the checkpoint itself is stored, which holds where the recipe adds no quantization of its own."""
    return _quantization(catalog.components.get(str(facts.get("model.quantized"))))


LEAVES_THE_REST = frozenset({"axolotl", "litgpt", "llama-factory", "ms-swift", "torchtune", "trl", "unsloth"})
"""Frameworks that leave embeddings and head of a quantized model in 16 bits (Axolotl beside fused attention); peft widens them."""


def as_loaded(quantization: Hashable, facts: Mapping[str, Fact]) -> Hashable:
    """Return how weights are quantized, with the rest as the recipe's framework leaves it."""
    if quantization is None or not (facts.get("framework") in LEAVES_THE_REST or facts.get(REST_AS_LOADED)):
        return quantization
    return cast(tuple[float, bool], quantization)[0], False


def _precision(c: Component | None) -> Hashable:
    """Return bytes of (compute, trainable weight, frozen weight), and whether autocast casts what products take."""
    names = ("compute_bytes", "trainable_weight_bytes", "frozen_weight_bytes")
    return (*(int(c.effects.get(n, 4)) for n in names), c.effects.get("autocast") is True) if c else (4, 4, 4, False)


def _state(c: Component | None) -> Hashable:
    """Return bytes of optimizer state for an fp32 weight, and whether a narrower weight has narrower states."""
    return (float(c.effects.get("state_bytes_per_param", 8.0)), c.effects.get("state_in_weight_format") is True) if c else (8.0, True)


FEATURES: tuple[Feature, ...] = (
    SlotFeature("trains", "technique", _effect("trains")),
    SlotFeature("quantization", "quantization", _quantization),
    SlotFeature("precision", "precision", _precision),
    SlotFeature("state", "optimizer", _state),
    SlotFeature("rows", "objective", _effect("rows_per_example", 1)),
    SlotFeature("reference", "objective", _effect("reference_model", False)),
    SlotFeature("vocabulary_logits", "objective", _effect("vocabulary_logits", True)),
    SlotFeature("shards", "distributed", _effect("shards"), ranked=("weights", "gradients", "optimizer")),
    FlagFeature("splits", ("distributed",), _flag("splits_layers")),
    FlagFeature("splits_rows", ("distributed",), _flag("splits_sequence")),
    FlagFeature("eager", ("attention",), _flag("keeps_scores")),
    FlagFeature("recomputes", ("memory", "kernels"), _flag("recomputes_layers")),
    FlagFeature("offloads", ("memory",), _flag("offloads_activations")),
    FlagFeature("offloads_states", ("memory",), _flag("offloads_optimizer")),
    FlagFeature("offloads_layers", ("memory",), _flag("offloads_layers")),
    FlagFeature("tiles", ("memory",), _flag("tiles_mlp")),
    FlagFeature("in_backward", ("memory", "optimizer"), _flag("frees_gradients")),
    FlagFeature("at_once", ("optimizer",), _flag("steps_at_once")),
    FlagFeature("fused_loss", ("memory", "kernels"), lambda c: "fused-loss" in c.tags),
    KnobFeature("technique.rank", 8, ascending=True),
    KnobFeature("technique.targets", "all-linear"),
    KnobFeature("technique.train_embeddings", False),
    KnobFeature("technique.trainable_layers", 2),
    KnobFeature("technique.virtual_tokens", 20),
    KnobFeature("objective.precompute_reference", False),
    KnobFeature("optimizer.layerwise", False),
    KnobFeature("distributed.degree", 2),
    KnobFeature("distributed.offload", False),
    KnobFeature("distributed.activation_checkpointing", False),
    KnobFeature("batch.micro", 1, ascending=True),
    KnobFeature("batch.accumulate", 1, ascending=True),
    KnobFeature("data.sequence_length", 1024, ascending=True),
    KnobFeature("hardware.count", 1),
)


def relevant_knobs() -> frozenset[str]:
    """Return the knobs that memory depends on."""
    return frozenset(f.path for f in FEATURES if isinstance(f, KnobFeature))


SPLIT = ("splits", "distributed.degree")
SHARDED = (*SPLIT, "shards", "distributed.offload", "hardware.count")
TRAINED = (
    "trains",
    "technique.rank",
    "technique.targets",
    "technique.train_embeddings",
    "technique.trainable_layers",
    "technique.virtual_tokens",
)
TOKENS = ("batch.micro", "rows", "data.sequence_length")
KEPT = (
    *("trains", "technique.targets", "technique.rank", "quantization", "precision"),
    *("eager", "recomputes", "distributed.activation_checkpointing"),
)
GRADIENTS = (*TRAINED, "precision", "in_backward", "optimizer.layerwise", *SHARDED)

TERMS: dict[str, tuple[str, ...]] = {
    "weights": ("trains", "quantization", "precision", "offloads_layers", *SHARDED),
    "copies": ("trains", "quantization", "precision", *SHARDED),
    "adapter": (*TRAINED, "precision", *SHARDED),
    "gradients": GRADIENTS,
    "held gradients": (*GRADIENTS, "batch.accumulate"),
    "early gradients": GRADIENTS,
    "second gradient": GRADIENTS,
    "optimizer": (*TRAINED, "state", "precision", "offloads_states", *SHARDED),
    "update": (*GRADIENTS, "at_once"),
    "activations": (*TOKENS, *KEPT, "offloads", "tiles", *SPLIT, "splits_rows"),
    "casts": (*TRAINED, *KEPT[3:5], *KEPT[6:], "vocabulary_logits", *SHARDED),
    "logits": (*TOKENS, "trains", "quantization", "precision", "fused_loss", "vocabulary_logits", *SPLIT, "splits_rows"),
    "layer": (*TOKENS, *KEPT, "tiles", *SPLIT, "splits_rows"),
    "reference": ("reference", "trains", "objective.precompute_reference", "precision", *SHARDED),
}
"""Term → the features it depends on. A term is given these and no others."""

RESTING = ("weights", "copies", "adapter", "optimizer", "reference")
MOMENTS: dict[str, tuple[str, ...]] = {
    "the loss": (*RESTING, "held gradients", "activations", "casts", "logits"),
    "a layer in backward": (*RESTING, "held gradients", "activations", "layer"),
    "the first layer in backward": (*RESTING, "early gradients", "layer"),
    "the end of backward": (*RESTING, "gradients", "second gradient"),
    "the optimizer's step": (*RESTING, "gradients", "update"),
}
"""Moment of a step → what is alive together then. The peak is the largest of these sums."""
SHOWN_AS = {
    **dict.fromkeys(("held gradients", "early gradients", "second gradient"), "gradients"),
    "layer": "recomputed layer",
    "copies": "weights",
    "casts": "16-bit copies",
    "update": "optimizer step",
}
"""Term → the name under which people see it, where that differs."""
ALWAYS_SHOWN: tuple[str, ...] = ("weights", "adapter", "gradients", "optimizer", "activations", "logits")

FROZEN_KINDS = ("adapter", "vectors", "prompt")


def _frozen(kind: Hashable) -> Hashable:
    return kind in FROZEN_KINDS if kind is not None else None


def _streams_frozen(kind: Hashable) -> Hashable:
    """Return whether the residual stream has the frozen weights' format."""
    return kind in (*FROZEN_KINDS, "layers") if kind is not None else None


def _how_quantized(quantized: Hashable) -> Hashable:
    """Return whether the rest becomes fp32; `None` without quantization."""
    return cast(tuple[float, bool], quantized)[1] if quantized else None


MEANS: dict[str, dict[str, Callable[[Hashable], Hashable]]] = {
    "weights": {"trains": _frozen},
    "copies": {"trains": _frozen, "quantization": bool},
    "reference": {"trains": _frozen},
    "held gradients": {"batch.accumulate": lambda steps: _more(steps) > 1},
    "casts": {"quantization": _how_quantized},
    "logits": {"trains": _streams_frozen, "quantization": _how_quantized},
    "activations": {"quantization": _how_quantized},
    "layer": {"quantization": _how_quantized},
}
"""Term → feature → what of the feature matters to it; classes alike in that need not be told apart."""


def _more(value: Hashable) -> float:
    return float(cast(float, value))


def _less(value: Hashable) -> float:
    return -float(cast(float, value))


def _depth(shards: Hashable) -> float:
    return {"optimizer": -1.0, "gradients": -2.0, "weights": -3.0}.get(str(shards), 0.0)


_SHARDED: dict[str, Callable[[Hashable], float]] = {"shards": _depth, "splits": _less, "distributed.offload": _less}
_KEPT: dict[str, Callable[[Hashable], float]] = {"rows": _more, "splits": _less, "splits_rows": _less}
_RECOMPUTES = ("recomputes", "distributed.activation_checkpointing")
_FREES = {"in_backward": _less, "optimizer.layerwise": _less}
COSTS: dict[str, dict[str, Callable[[Hashable], float]]] = {
    "weights": {**_SHARDED, "offloads_layers": _less},
    "copies": {"splits": _less, "distributed.offload": _less},
    "adapter": _SHARDED,
    "gradients": {**_SHARDED, **_FREES},
    "held gradients": {**_SHARDED, **_FREES},
    "early gradients": {**_SHARDED, **_FREES},
    "second gradient": {**_SHARDED, **_FREES},
    "optimizer": {**_SHARDED, "offloads_states": _less},
    "update": {**_SHARDED, **_FREES, "at_once": _more},
    "activations": {**_KEPT, **dict.fromkeys(_RECOMPUTES, _less), "offloads": _less, "tiles": _less},
    "casts": {**_SHARDED, **dict.fromkeys(_RECOMPUTES, _less), "vocabulary_logits": _more},
    "logits": {**_KEPT, "fused_loss": _less, "vocabulary_logits": _more},
    "layer": {**_KEPT, **dict.fromkeys(_RECOMPUTES, _more), "tiles": _less},
    "reference": _SHARDED,
}
"""Term → feature → a number that never falls while the term falls (a property test holds each of them)."""


@record
class Reader:
    """Features of one recipe, in the formula's own terms."""

    dims: memory.Dims
    of: Features
    practice: memory.Practice = memory.THRIFTY

    def number(self, name: str) -> int:
        """Return a whole number."""
        return int(cast(int, self.of[name]))

    @property
    def trains(self) -> memory.Trains:
        """Which weights train; knobs that this term does not depend on keep their defaults."""
        of = self.of
        return memory.Trains(
            str(of["trains"]),
            rank=self.number("technique.rank") if "technique.rank" in of else 8,
            targets=str(of.get("technique.targets", "all-linear")),
            embeddings=of.get("technique.train_embeddings") is True,
            layers=self.number("technique.trainable_layers") if "technique.trainable_layers" in of else 0,
            virtual_tokens=self.number("technique.virtual_tokens") if "technique.virtual_tokens" in of else 0,
        )

    @property
    def precision(self) -> memory.Precision:
        """Bytes of a number, by role."""
        return memory.Precision(*cast(tuple[int, int, int, bool], self.of["precision"]))

    @property
    def quantized(self) -> tuple[float, bool] | None:
        """Bytes of a quantized weight and whether the rest becomes fp32; `None` without quantization."""
        return cast(tuple[float, bool] | None, self.of["quantization"])

    @property
    def trained_bytes(self) -> int:
        """Bytes of a number of what trains, and of its gradient."""
        if self.of["trains"] in FROZEN_KINDS and self.practice.wide_adapters:
            return 4
        return self.precision.trainable_weight

    @property
    def stream_bytes(self) -> int:
        """Bytes of a number in the residual stream, whose format is that of embeddings and norms."""
        if self.quantized:
            return 4 if self.quantized[1] else self.precision.frozen_weight
        return self.precision.frozen_weight if _streams_frozen(self.of["trains"]) else self.precision.trainable_weight

    @property
    def sharding(self) -> memory.Sharding:
        """The divisors that the distributed parts cause."""
        split = self.number("distributed.degree") if self.of["splits"] is True else 1
        rows = self.number("distributed.degree") if self.of.get("splits_rows") is True else 1
        order = ("optimizer", "gradients", "weights")
        shards = self.of.get("shards")
        depth = order.index(str(shards)) + 1 if shards in order else 0
        by = [self.number("hardware.count") if depth > level else 1 for level in range(3)]
        layers = self.dims.layers if self.of.get("distributed.offload") is True else 1
        host, state_host = layers if depth == 3 else 1, layers if depth >= 2 else 1
        return memory.Sharding(
            weights=by[2] * split * host,
            gradients=by[1] * split * state_host,
            optimizer=by[0] * split * state_host,
            activations=split * rows,
            keeps_copies=depth > 0,
        )

    @property
    def kept(self) -> memory.Kept:
        """What activations and logits depend on; what this term does not depend on keeps its default."""
        of, precision = self.of, self.precision
        sequence = self.number("data.sequence_length") if "data.sequence_length" in of else 1
        return memory.Kept(
            tokens=self.number("batch.micro") * self.number("rows") * sequence if "batch.micro" in of else 1,
            sequence=sequence,
            stream_bytes=self.stream_bytes,
            compute_bytes=precision.compute,
            adapter_bytes=self.trained_bytes,
            autocast=precision.autocast,
            quantized=self.quantized is not None,
            eager=of.get("eager") is True,
            checkpointed=of.get("recomputes") is True or of.get("distributed.activation_checkpointing") is True,
            offloaded=of.get("offloads") is True,
            tiled=of.get("tiles") is True,
            fused_loss=of.get("fused_loss") is True,
            vocabulary_logits=of.get("vocabulary_logits") is not False,
            holds_outputs=self.practice.holds_outputs,
        )

    def term(self, name: str) -> int:
        """Return one term, bytes."""
        return _TERM[name](self, self.dims)

    @property
    def freed(self) -> bool:
        """Whether each layer's gradient is freed within backward."""
        return self.of["in_backward"] is True or self.of["optimizer.layerwise"] is True

    @property
    def steps_at_once(self) -> bool:
        """Whether the optimizer makes one more number for each trainable weight before it changes any of them."""
        return self.practice.foreach and self.of["at_once"] is True

    def weights(self, dims: memory.Dims) -> int:
        """The base model's weights."""
        quantized = self.quantized
        if self.of["offloads_layers"] is True and self.trains.base_is_frozen:
            inside = max(dims.parameters - dims.embedding_parameters, 0) // dims.layers
            dims = replace(dims, parameters=dims.parameters - inside * (dims.layers - 1), layers=1)
        rest = 4 if quantized and quantized[1] else self.precision.frozen_weight
        return memory.weights(dims, self.trains, quantized[0] if quantized else None, rest, self.precision, self.sharding)

    def states(self, dims: memory.Dims) -> int:
        """The optimizer's states, none where they stay in host memory."""
        if self.of["offloads_states"] is True:
            return 0
        each, follows = cast(tuple[float, bool], self.of["state"])
        return memory.optimizer(dims, self.trains, each * self.trained_bytes / 4 if follows else each, self.sharding)

    def reference(self, dims: memory.Dims) -> int:
        """The frozen model that some objectives compare with; under an adapter it is the base itself."""
        needed = self.of["reference"] is True and self.of["objective.precompute_reference"] is not True
        return dims.parameters * self.precision.frozen_weight // self.sharding.weights if needed and not self.trains.base_is_frozen else 0


_TERM: dict[str, Callable[[Reader, memory.Dims], int]] = {
    "weights": Reader.weights,
    "copies": lambda r, d: memory.copies(d, r.trains, r.quantized is not None, r.precision, r.sharding),
    "adapter": lambda r, d: memory.adapter(d, r.trains, r.trained_bytes, r.sharding),
    "gradients": lambda r, d: memory.gradients(d, r.trains, r.trained_bytes, r.freed, r.sharding),
    "held gradients": lambda r, d: (
        memory.gradients(d, r.trains, r.trained_bytes, r.freed, r.sharding) if r.number("batch.accumulate") > 1 else 0
    ),
    "early gradients": lambda r, d: memory.early_gradients(d, r.trains, r.trained_bytes, r.freed, r.sharding),
    "second gradient": lambda r, d: memory.second_gradient(d, r.trains, r.trained_bytes, r.freed, r.sharding),
    "optimizer": Reader.states,
    "update": lambda r, d: memory.gradients(d, r.trains, r.trained_bytes, r.freed, r.sharding) if r.steps_at_once else 0,
    "activations": lambda r, d: memory.activations(d, r.trains, r.kept, r.sharding),
    "casts": lambda r, d: memory.casts(d, r.trains, r.kept, r.precision, r.sharding),
    "logits": lambda r, d: memory.logits(d, r.kept, r.sharding),
    "layer": lambda r, d: memory.recomputed_layer(d, r.trains, r.kept, r.sharding),
    "reference": Reader.reference,
}


@record
class Moments:
    """What is alive at each moment of a step, and what was taken for granted."""

    terms: Mapping[str, int]
    """Every term, bytes, whenever it is alive."""
    process: Mapping[str, int]
    """What the process and its libraries take besides, at all moments."""
    assumed: tuple[str, ...] = ()

    @property
    def totals(self) -> dict[str, int]:
        """Moment → bytes alive."""
        always = sum(self.process.values())
        return {moment: always + sum(self.terms[t] for t in names) for moment, names in MOMENTS.items()}

    @property
    def worst(self) -> str:
        """The moment of the peak."""
        return max(self.totals.items(), key=lambda pair: pair[1])[0]

    @property
    def estimate(self) -> Estimate:
        """The peak, with the terms that make it."""
        shown: dict[str, int] = dict.fromkeys(ALWAYS_SHOWN, 0)
        for term in MOMENTS[self.worst]:
            name = SHOWN_AS.get(term, term)
            if self.terms[term] or name in shown:
                shown[name] = shown.get(name, 0) + self.terms[term]
        return Estimate(shown | dict(self.process), self.assumed)


def estimate(catalog: Catalog, loadout: Loadout, view: View | None = None) -> Estimate | None:
    """Return the predicted peak of one device; `None` when the model's dimensions or the technique are not known."""
    found = moments(catalog, loadout, view)
    return found.estimate if found else None


def moments(catalog: Catalog, loadout: Loadout, view: View | None = None, practice: memory.Practice = memory.THRIFTY) -> Moments | None:
    """Return what one device holds at each moment of a step; `None` when the model's dimensions or the technique are not known."""
    dims = memory.dims_from(loadout.context.facts)
    view = view or view_of(catalog, loadout)
    if dims is None or not view.slots.get("technique"):
        return None
    features = {f.name: f.read(view) for f in FEATURES}
    facts = loadout.context.facts
    features["quantization"] = as_loaded(features["quantization"] or stored_quantization(catalog, facts), facts)
    if features["trains"] is None:
        return None
    given = {s.knob for s in loadout.settings} | {e.slot for e in loadout.equipped}
    shown = ("precision", "attention", "optimizer", "batch.micro", "data.sequence_length")
    assumed = tuple(f"{s} {view.known(s)}" for s in shown if s not in given and view.known(s) is not None)
    objective = catalog.components.get(loadout.component_in("objective") or "")
    tags = objective.tags if objective else ()
    assumed += ("sampling memory not counted",) if "on-policy" in tags else ()
    assumed += ("the teacher not counted",) if "teacher" in tags else ()
    amounts = {name: _amount(name, dims, tuple([features[f] for f in uses]), practice) for name, uses in TERMS.items()}
    return Moments(amounts, _context(loadout.context.facts), assumed)


@lru_cache(maxsize=4096)
def _amount(name: str, dims: memory.Dims, values: tuple[Hashable, ...], practice: memory.Practice) -> int:
    """Return one term, remembered: a keystroke changes what one or two of them read."""
    return Reader(dims, dict(zip(TERMS[name], values, strict=True)), practice).term(name)


def peak(kind: str, loadout: Loadout, view: View) -> int:
    """Return the bytes that a kind of budget holds against its limit: the most of the ways to train by which it judges; 0 where unknown."""
    found = (moments(view.catalog, loadout, view, practice) for practice in PRACTICES.get(kind, (memory.THRIFTY,)))
    return max((max(m.totals.values()) for m in found if m), default=0)


@record
class Card:
    """What the device's own tool may show as used, bytes: tensors, what the allocator reserves besides, and the context."""

    low: int
    high: int
    lavish: int
    """Tensors at the peak in a training loop that is less thrifty: see `memory.LAVISH`."""
    source: str = memory.RESERVED_SOURCE


def card(catalog: Catalog, loadout: Loadout) -> Card | None:
    """Return the range that a card will show; `None` when there is no estimate."""
    view = view_of(catalog, loadout)
    thrifty, lavish = moments(catalog, loadout, view), moments(catalog, loadout, view, memory.LAVISH)
    if thrifty is None or lavish is None:
        return None
    eager = next(f for f in FEATURES if f.name == "eager").read(view)
    least, most = memory.RESERVED_OVER_ALLOCATED["eager" if eager else "fused"]
    context = thrifty.process.get("context", 0)
    tensors = thrifty.estimate.total - context
    highest = max(tensors, lavish.estimate.total - context)
    return Card(int(tensors * least) + context, int(highest * most) + context, highest + context)


def state_bytes(catalog: Catalog, loadout: Loadout) -> float:
    """Return bytes of optimizer state of one trainable weight."""
    view = view_of(catalog, loadout)
    of = {f.name: f.read(view) for f in FEATURES if f.name in ("state", "trains", "precision")}
    each, follows = cast(tuple[float, bool], of["state"])
    return each * cast(tuple[int, int, int, bool], of["precision"])[1] / 4 if follows else each


def _context(facts: Mapping[str, Fact]) -> dict[str, int]:
    """Return what the process takes before its first tensor."""
    return {"workspace": memory.WORKSPACE_BYTES, "context": memory.CONTEXT_BYTES} if facts.get("gpu.vendor") == "nvidia" else {}


PRACTICES = {"memory-tight": (memory.THRIFTY, memory.LAVISH)}
"""Kind of budget → the ways to write a training loop that it judges by, the worst of them; without an entry the thrifty one alone.

To refuse, the thriftiest has to exceed the limit; to warn, any common one that comes near it is enough.
"""


def memory_budget(over: Variables, rule: Rule, limit_bytes: int) -> Budget | None:
    """Return the budget that `rule` puts on peak memory, or `None` when the model's dimensions are not known."""
    dims = memory.dims_from(over.facts)
    if dims is None:
        return None
    grounded = {f.name: f.ground(over) for f in FEATURES}
    stored = stored_quantization(over.catalog, over.facts)
    literals, quantized = grounded["quantization"]
    grounded["quantization"] = (literals, [as_loaded(value or stored, over.facts) for value in quantized])
    position = {name: index for index, name in enumerate(grounded)}
    limit = limit_bytes - sum(_context(over.facts).values())

    def term(name: str, uses: tuple[str, ...], practice: memory.Practice) -> Term:
        values = [grounded[f][1] for f in uses]

        def value(classes: Classes) -> int:
            features = {f: options[k] for f, options, k in zip(uses, values, classes, strict=True)}
            return 0 if features.get("trains", "") is None else Reader(dims, features, practice).term(name)

        alike = tuple(_alike([MEANS.get(name, {}).get(f, _itself)(v) for v in options]) for f, options in zip(uses, values, strict=True))
        cost = tuple(_costs(COSTS.get(name, {}).get(f), options) for f, options in zip(uses, values, strict=True))
        return Term(name, tuple(position[f] for f in uses), value, alike, cost)

    terms: list[Term] = []
    phases: list[tuple[int, ...]] = []
    for practice in PRACTICES.get(str(rule.budget), (memory.THRIFTY,)):
        moments_of = [alive for moment, alive in MOMENTS.items() if moment != "the optimizer's step" or practice.foreach]
        names = [name for name in TERMS if any(name in alive for alive in moments_of)]
        phases += (tuple(len(terms) + names.index(t) for t in alive) for alive in moments_of)
        terms += (term(name, TERMS[name], practice) for name in names)
    return Budget(rule.code, rule.effective_severity == "error", limit, tuple(i for i, _ in grounded.values()), tuple(terms), tuple(phases))


def _costs(order: Callable[[Hashable], float] | None, values: list[Hashable]) -> tuple[float, ...] | None:
    """Return each value's place in the order."""
    return None if order is None else tuple(order(v) for v in values)


def _itself(value: Hashable) -> Hashable:
    return value


def _alike(values: list[Hashable]) -> Classes:
    """Return, for each value, the index of the first that equals it."""
    return tuple(values.index(v) for v in values)
