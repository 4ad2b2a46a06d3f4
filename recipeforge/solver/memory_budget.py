"""Peak memory of a recipe: the features it depends on, the estimate, and the budget of one world."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import cast

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver import memory
from recipeforge.solver.budgets import Budget, Classes, Term
from recipeforge.solver.features import Feature, FlagFeature, KnobFeature, SlotFeature
from recipeforge.solver.variables import Variables
from recipeforge.solver.view import View, view_of

GIB = 1 << 30
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


def _precision(c: Component | None) -> Hashable:
    """Return bytes of (compute, trainable weight, frozen weight)."""
    names = ("compute_bytes", "trainable_weight_bytes", "frozen_weight_bytes")
    return tuple(int(c.effects.get(n, 4)) for n in names) if c else (4, 4, 4)


FEATURES: tuple[Feature, ...] = (
    SlotFeature("trains", "technique", _effect("trains")),
    SlotFeature("quantization", "quantization", _quantization),
    SlotFeature("precision", "precision", _precision),
    SlotFeature("state", "optimizer", _effect("state_bytes_per_param", 8.0)),
    SlotFeature("rows", "objective", _effect("rows_per_example", 1)),
    SlotFeature("reference", "objective", _effect("reference_model", False)),
    SlotFeature("vocabulary_logits", "objective", _effect("vocabulary_logits", True)),
    SlotFeature("shards", "distributed", _effect("shards"), ranked=("weights", "gradients", "optimizer")),
    FlagFeature("splits", ("distributed",), _flag("splits_layers")),
    FlagFeature("eager", ("attention",), _flag("keeps_scores")),
    FlagFeature("recomputes", ("memory", "kernels"), _flag("recomputes_layers")),
    FlagFeature("offloads", ("memory",), _flag("offloads_activations")),
    FlagFeature("in_backward", ("memory", "optimizer"), _flag("frees_gradients")),
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
KEPT = ("trains", "technique.targets", "technique.rank", "quantization", "precision", "eager", "recomputes", "offloads")

TERMS: dict[str, tuple[str, ...]] = {
    "weights": ("trains", "quantization", "precision", *SHARDED),
    "adapter": (*TRAINED, *SHARDED),
    "gradients": (*TRAINED, "precision", "in_backward", "optimizer.layerwise", *SHARDED),
    "optimizer": (*TRAINED, "state", *SHARDED),
    "activations": (*TOKENS, *KEPT, "distributed.activation_checkpointing", *SPLIT),
    "logits": (*TOKENS, *KEPT, "distributed.activation_checkpointing", "fused_loss", "vocabulary_logits", *SPLIT),
    "reference": ("reference", "trains", "objective.precompute_reference", "precision", *SHARDED),
}
"""Term → the features it depends on. A term is given these and no others."""

FROZEN_KINDS = ("adapter", "vectors", "prompt")


def _frozen(kind: Hashable) -> Hashable:
    return kind in FROZEN_KINDS if kind is not None else None


def _kept_kind(kind: Hashable) -> Hashable:
    return "frozen" if kind in ("vectors", "prompt") else "trained" if kind in ("base", "layers") else kind


def _rest_in_fp32(quantized: Hashable) -> Hashable:
    return bool(quantized and cast(tuple[float, bool], quantized)[1])


def _compute(precision: Hashable) -> Hashable:
    return cast(tuple[int, int, int], precision)[0]


MEANS: dict[str, dict[str, Callable[[Hashable], Hashable]]] = {
    "weights": {"trains": _frozen},
    "reference": {"trains": _frozen},
    "activations": {"trains": _kept_kind, "quantization": _rest_in_fp32, "precision": _compute},
    "logits": {"trains": _kept_kind, "quantization": _rest_in_fp32, "precision": _compute},
}
"""Term → feature → what of the feature matters to it; classes alike in that need not be told apart."""


def _more(value: Hashable) -> float:
    return float(cast(float, value))


def _less(value: Hashable) -> float:
    return -float(cast(float, value))


def _depth(shards: Hashable) -> float:
    return {"optimizer": -1.0, "gradients": -2.0, "weights": -3.0}.get(str(shards), 0.0)


_SHARDED: dict[str, Callable[[Hashable], float]] = {"shards": _depth, "splits": _less, "distributed.offload": _less}
_KEPT: dict[str, Callable[[Hashable], float]] = {
    "rows": _more,
    "eager": _more,
    "splits": _less,
    "quantization": lambda q: float(bool(_rest_in_fp32(q))),
    "precision": lambda p: _more(_compute(p)),
}
COSTS: dict[str, dict[str, Callable[[Hashable], float]]] = {
    "weights": _SHARDED,
    "adapter": _SHARDED,
    "gradients": {**_SHARDED, "in_backward": _less, "optimizer.layerwise": _less},
    "optimizer": {**_SHARDED, "state": _more},
    "activations": {**_KEPT, "recomputes": _less, "distributed.activation_checkpointing": _less, "offloads": _less},
    "logits": {
        **_KEPT,
        "recomputes": _more,
        "distributed.activation_checkpointing": _more,
        "offloads": _more,
        "fused_loss": _less,
        "vocabulary_logits": _more,
    },
    "reference": _SHARDED,
}
"""Term → feature → a number that never falls while the term falls (a property test holds each of them)."""


@dataclass(frozen=True)
class Reader:
    """Features of one recipe, in the formula's own terms."""

    dims: memory.Dims
    of: Features

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
        return memory.Precision(*cast(tuple[int, int, int], self.of["precision"]))

    @property
    def quantized(self) -> tuple[float, bool] | None:
        """Bytes of a quantized weight and whether the rest becomes fp32; `None` without quantization."""
        return cast(tuple[float, bool] | None, self.of["quantization"])

    @property
    def stream_bytes(self) -> int:
        """Bytes of a number in the residual stream."""
        return 4 if self.quantized and self.quantized[1] else self.precision.compute

    @property
    def sharding(self) -> memory.Sharding:
        """The divisors that the distributed parts cause."""
        split = self.number("distributed.degree") if self.of["splits"] is True else 1
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
            activations=split,
        )

    @property
    def kept(self) -> memory.Kept:
        """What activations and logits depend on."""
        of = self.of
        return memory.Kept(
            tokens=self.number("batch.micro") * self.number("rows") * self.number("data.sequence_length"),
            sequence=self.number("data.sequence_length"),
            stream_bytes=self.stream_bytes,
            eager=of["eager"] is True,
            checkpointed=of["recomputes"] is True or of["distributed.activation_checkpointing"] is True,
            offloaded=of["offloads"] is True,
            fused_loss=of.get("fused_loss") is True,
            vocabulary_logits=of.get("vocabulary_logits") is not False,
        )

    def term(self, name: str) -> int:
        """Return one term, bytes."""
        dims = self.dims
        match name:
            case "weights":
                quantized = self.quantized
                rest = 4 if quantized and quantized[1] else self.precision.frozen_weight
                return memory.weights(dims, self.trains, quantized[0] if quantized else None, rest, self.precision, self.sharding)
            case "adapter":
                return memory.adapter(dims, self.trains, self.sharding)
            case "gradients":
                freed = self.of["in_backward"] is True or self.of["optimizer.layerwise"] is True
                return memory.gradients(dims, self.trains, self.precision, freed, self.sharding)
            case "optimizer":
                return memory.optimizer(dims, self.trains, float(cast(float, self.of["state"])), self.sharding)
            case "activations":
                return memory.activations(dims, self.trains, self.kept, self.sharding)
            case "logits":
                return memory.working_set(dims, self.trains, self.kept, self.sharding)
            case _:
                needed = self.of["reference"] is True and self.of["objective.precompute_reference"] is not True
                return (
                    0
                    if self.trains.base_is_frozen or not needed
                    else dims.parameters * self.precision.frozen_weight // self.sharding.weights
                )


def estimate(catalog: Catalog, loadout: Loadout, view: View | None = None) -> Estimate | None:
    """Return the predicted peak of one device; `None` when the model's dimensions or the technique are not known."""
    dims = memory.dims_from(loadout.context.facts)
    view = view or view_of(catalog, loadout)
    if dims is None or not view.slots.get("technique"):
        return None
    features = {f.name: f.read(view) for f in FEATURES}
    features["quantization"] = features["quantization"] or stored_quantization(catalog, loadout.context.facts)
    if features["trains"] is None:
        return None
    given = {s.knob for s in loadout.settings} | {e.slot for e in loadout.equipped}
    shown = ("precision", "attention", "optimizer", "batch.micro", "data.sequence_length")
    assumed = tuple(f"{s} {view.known(s)}" for s in shown if s not in given and view.known(s) is not None)
    if loadout.component_in("objective") in ("grpo", "ppo"):
        assumed += ("sampling memory not counted",)
    amounts = {name: Reader(dims, {f: features[f] for f in uses}).term(name) for name, uses in TERMS.items()}
    shown_terms = {name: amount for name, amount in amounts.items() if amount or name != "reference"}
    return Estimate(shown_terms | _context(loadout.context.facts), assumed)


def _context(facts: Mapping[str, Fact]) -> dict[str, int]:
    """Return what the process takes before its first tensor."""
    return {"context": memory.CONTEXT_BYTES} if facts.get("gpu.vendor") == "nvidia" else {}


def memory_budget(over: Variables, rule: Rule, limit_bytes: int) -> Budget | None:
    """Return the budget that `rule` puts on peak memory, or `None` when the model's dimensions are not known."""
    dims = memory.dims_from(over.facts)
    if dims is None:
        return None
    grounded = {f.name: f.ground(over) for f in FEATURES}
    stored = stored_quantization(over.catalog, over.facts)
    grounded["quantization"] = (grounded["quantization"][0], [value or stored for value in grounded["quantization"][1]])
    position = {name: index for index, name in enumerate(grounded)}
    limit = limit_bytes - sum(_context(over.facts).values())

    def term(name: str, uses: tuple[str, ...]) -> Term:
        values = [grounded[f][1] for f in uses]

        def value(classes: Classes) -> int:
            features = {f: options[k] for f, options, k in zip(uses, values, classes, strict=True)}
            return 0 if features.get("trains", "") is None else Reader(dims, features).term(name)

        alike = tuple(_alike([MEANS.get(name, {}).get(f, _itself)(v) for v in options]) for f, options in zip(uses, values, strict=True))
        cost = tuple(_costs(COSTS.get(name, {}).get(f), options) for f, options in zip(uses, values, strict=True))
        return Term(name, tuple(position[f] for f in uses), value, alike, cost)

    terms = tuple(term(name, uses) for name, uses in TERMS.items())
    return Budget(rule.code, rule.effective_severity == "error", limit, tuple(i for i, _ in grounded.values()), terms)


def _costs(order: Callable[[Hashable], float] | None, values: list[Hashable]) -> tuple[float, ...] | None:
    """Return each value's place in the order."""
    return None if order is None else tuple(order(v) for v in values)


def _itself(value: Hashable) -> Hashable:
    return value


def _alike(values: list[Hashable]) -> Classes:
    """Return, for each value, the index of the first that equals it."""
    return tuple(values.index(v) for v in values)
