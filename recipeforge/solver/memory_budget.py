"""Peak memory of a recipe: the features it depends on, the estimate, and the budget of one world."""

from collections.abc import Callable, Hashable, Mapping
from typing import cast

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.component import Component
from recipeforge.schemas.loadout import Fact, Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Estimate
from recipeforge.solver import memory
from recipeforge.solver.budgets import Budget
from recipeforge.solver.features import Feature, FlagFeature, KnobFeature, SlotFeature
from recipeforge.solver.variables import Variables
from recipeforge.solver.view import view_of

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


def terms(dims: memory.Dims, features: Features, on_cuda: bool) -> dict[str, int]:
    """Return every term in bytes, for one device."""

    def number(name: str) -> int:
        return int(cast(int, features[name]))

    kind = str(features["trains"] or "base")
    trains = memory.Trains(
        kind,
        rank=number("technique.rank"),
        targets=str(features["technique.targets"]),
        embeddings=features["technique.train_embeddings"] is True,
        layers=number("technique.trainable_layers"),
        virtual_tokens=number("technique.virtual_tokens"),
    )
    precision = memory.Precision(*cast(tuple[int, int, int], features["precision"]))
    quantized = cast(tuple[float, bool] | None, features["quantization"])
    sharding = _sharding(dims, features)
    rest_bytes = 4 if quantized and quantized[1] else precision.frozen_weight
    stream_bytes = 4 if quantized and quantized[1] else precision.compute
    micro = number("batch.micro") * number("rows")
    sequence = number("data.sequence_length")
    eager, offloaded, fused = features["eager"] is True, features["offloads"] is True, features["fused_loss"] is True
    checkpointed = features["recomputes"] is True or features["distributed.activation_checkpointing"] is True
    base = memory.weights(dims, trains, quantized[0] if quantized else None, rest_bytes, precision, sharding)
    found = {
        "weights": base,
        "adapter": memory.adapter(dims, trains, sharding),
        "gradients": memory.gradients(dims, trains, precision, features["in_backward"] is True, sharding),
        "optimizer": memory.optimizer(dims, trains, float(cast(float, features["state"])), sharding),
        "activations": memory.activations(dims, trains, micro, sequence, stream_bytes, eager, checkpointed, offloaded, sharding),
        "logits": memory.working_set(dims, trains, micro, sequence, stream_bytes, eager, checkpointed, fused, stream_bytes, sharding),
    }
    if features["reference"] is True and not trains.base_is_frozen and features["objective.precompute_reference"] is not True:
        found["reference"] = dims.parameters * precision.frozen_weight // sharding.weights
    if on_cuda:
        found["context"] = memory.CONTEXT_BYTES
    return found


def _sharding(dims: memory.Dims, features: Features) -> memory.Sharding:
    """Return the divisors that the distributed parts cause."""
    count, degree = int(cast(int, features["hardware.count"])), int(cast(int, features["distributed.degree"]))
    split = degree if features["splits"] is True else 1
    order = ("optimizer", "gradients", "weights")
    depth = order.index(str(features["shards"])) + 1 if features["shards"] in order else 0
    by = [count if depth > level else 1 for level in range(3)]
    host = dims.layers if features["distributed.offload"] is True and depth == 3 else 1
    return memory.Sharding(weights=by[2] * split * host, gradients=by[1] * split * host, optimizer=by[0] * split * host, activations=split)


def estimate(catalog: Catalog, loadout: Loadout) -> Estimate | None:
    """Return the predicted peak of one device; `None` when the model's dimensions or the technique are not known."""
    dims = memory.dims_from(loadout.context.facts)
    view = view_of(catalog, loadout)
    if dims is None or not view.slots.get("technique"):
        return None
    features = {f.name: f.read(view) for f in FEATURES}
    if features["trains"] is None:
        return None
    given = {s.knob for s in loadout.settings} | {e.slot for e in loadout.equipped}
    shown = ("precision", "attention", "optimizer", "batch.micro", "data.sequence_length")
    assumed = tuple(f"{s} {view.known(s)}" for s in shown if s not in given and view.known(s) is not None)
    if loadout.component_in("objective") in ("grpo", "ppo"):
        assumed += ("sampling memory not counted",)
    return Estimate(terms(dims, features, _on_cuda(loadout.context.facts)), assumed)


def _on_cuda(facts: Mapping[str, Fact]) -> bool:
    return facts.get("gpu.vendor") == "nvidia"


def memory_budget(over: Variables, rule: Rule, limit_bytes: int) -> Budget | None:
    """Return the budget that `rule` puts on peak memory, or `None` when the model's dimensions are not known."""
    dims = memory.dims_from(over.facts)
    if dims is None:
        return None
    grounded = [f.ground(over) for f in FEATURES]
    on_cuda = _on_cuda(over.facts)

    def amount_at(key: tuple[int, ...]) -> int:
        features = {f.name: values[k] for f, (_, values), k in zip(FEATURES, grounded, key, strict=True)}
        return sum(terms(dims, features, on_cuda).values()) if features["trains"] is not None else 0

    return Budget(rule.code, rule.effective_severity == "error", limit_bytes, tuple(i for i, _ in grounded), amount_at)
