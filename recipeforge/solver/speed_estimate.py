"""How fast a recipe will train, how long its run takes and what that costs: each as a range, or why nobody can tell."""

from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.recipe import Scalar
from recipeforge.schemas.record import record
from recipeforge.solver.memory_budget import stored_quantization
from recipeforge.solver.prices import Price, price_of
from recipeforge.solver.speed import PACES, SHORT_ROWS, attained, seconds_an_operation
from recipeforge.solver.speed_budget import EPOCHS, FEATURES, ROWS, STEPS, TERMS, Reader, setting_from
from recipeforge.solver.view import View, view_of

Range = tuple[float, float, float]
"""At the slow, the typical and the fast pace."""


@record
class Speed:
    """Predicted speed of training."""

    tokens_per_s: Range
    """Of all devices together. Without packing, what rows hold; padding is not counted."""
    operations: float
    """Of one token, forward and backward, recomputation included."""
    attained: Range
    """Share of the peak."""
    devices: int
    seconds: Range | None = None
    """Of the whole run; `None` where nobody knows how long it is."""
    usd: Range | None = None
    """Of the whole run: slow at the dearest offer, fast at the cheapest."""
    price: Price | None = None
    assumed: tuple[str, ...] = ()
    """What was taken for granted because the recipe does not say."""


def speed_of(catalog: Catalog, loadout: Loadout, view: View | None = None) -> Speed | None:
    """Return the predicted speed; `None` where it cannot be told, which `why_unknown` explains."""
    view = view or view_of(catalog, loadout)
    if why_unknown(catalog, loadout, view):
        return None
    features = {f.name: f.read(view) for f in FEATURES}
    features["quantized"] = features["quantized"] or stored_quantization(catalog, loadout.context.facts) is not None
    packed = features["data.packing"] is True
    rates: list[float] = []
    shares: list[float] = []
    seconds: list[float] = []
    operations, devices = 0.0, 1
    for pace in PACES:
        setting = setting_from(loadout.context.facts, view.knobs, pace)
        assert setting is not None  # else there were a reason above
        reader = Reader(setting, features)
        operations, devices = sum(reader.operations(term) for term in TERMS), reader.number("hardware.count")
        an_operation = seconds_an_operation(setting.device, reader.options, pace)
        rates.append(devices / (operations * an_operation) * (1 if packed else SHORT_ROWS[pace]))
        shares.append(attained(setting.device, reader.options, pace))
        seconds.append(reader.positions * operations * an_operation)
    known = seconds[1] > 0
    price = price_of(catalog, loadout.context.facts, view.knobs)
    hours = [s / 3600 * devices for s in seconds]
    return Speed(
        _range(rates),
        operations,
        _range(shares),
        devices,
        _range(seconds) if known else None,
        (hours[0] * price.high, hours[1] * price.typical, hours[2] * price.low) if price and known else None,
        price,
        tuple(_assumed(loadout, view, known)),
    )


def _range(numbers: list[float]) -> Range:
    slow, typical, fast = numbers
    return slow, typical, fast


def _assumed(loadout: Loadout, view: View, known: bool) -> list[str]:
    """Return what was taken for granted."""
    given = {s.knob for s in loadout.settings} | {e.slot for e in loadout.equipped}
    shown = ("precision", "attention", "batch.micro", "data.sequence_length", "data.packing")
    found = [f"{s} {str(view.known(s)).lower()}" for s in shown if s not in given and view.known(s) is not None]
    if known and STEPS not in view.knobs:
        found.append(f"the data hold {view.knobs[ROWS]} rows, as many as {ROWS} allows")
    objective = view.catalog.components.get(str(view.known("objective")))
    tags = objective.tags if objective else ()
    if "on-policy" in tags:
        found.append("the time of sampling not counted")
    if "teacher" in tags:
        found.append("the time of the teacher not counted")
    return found


def why_unknown(catalog: Catalog, loadout: Loadout, view: View | None = None) -> str:
    """Return why no speed can be told, in words that end a sentence; empty where it can."""
    view = view or view_of(catalog, loadout)
    facts = loadout.context.facts
    title = str(facts.get("gpu.title", facts.get("gpu.id", "the GPU")))
    technique = catalog.components.get(next(iter(view.slots.get("technique", ())), ""))
    if technique is None or "trains" not in technique.effects:
        return "no technique says what trains"
    if "gpu.id" not in facts:
        return "no GPU is given (`hardware: {gpu: …}` or --gpu)"
    setting = setting_from(facts, view.knobs, "typical")
    if setting is None:
        known = "gpu.bf16_tflops" in facts or "gpu.fp16_tflops" in facts
        return f"the dimensions of `{loadout.model}` are not known" if known else f"no source states the peak of {title}"
    precision = catalog.components.get(next(iter(view.slots.get("precision", ())), ""))
    dtypes = facts.get("gpu.dtypes")
    tags, effects = (precision.tags, precision.effects) if precision else ((), dict[str, Scalar]())
    if isinstance(dtypes, tuple) and "bf16-compute" in tags and "bf16" not in dtypes:
        return f"{title} emulates bf16"
    if isinstance(dtypes, tuple) and "speed" in effects and "fp8" not in dtypes:
        return f"{title} has no {precision.title if precision else 'such'} products"
    tf32 = any("tf32-products" in catalog.components[c].tags for c in view.slots.get("kernels", ()))
    if effects.get("compute_bytes") != 2 and not tf32 and setting.device.full_tflops is None:
        return f"no source states the peak of {title} in fp32"
    return ""


def why_unjudged(catalog: Catalog, loadout: Loadout, money: bool) -> str:
    """Return why the time of the run, or what it costs, is not judged, in words that end a sentence; empty where it is."""
    found = speed_of(catalog, loadout)
    if found is None:
        return why_unknown(catalog, loadout)
    if found.seconds is None:
        return f"nobody knows how long the run is: {LENGTH_UNKNOWN}"
    return "nobody states a price of this GPU: set `hardware.price_usd_hour`" if money and found.price is None else ""


LENGTH_UNKNOWN = f"set `{STEPS}`, or `{EPOCHS}` with `{ROWS}`, to see how long the run takes"
"""What to do where the run's length is not known."""
