"""Pre-flight: everything that would stop the run later, said now, all at once and before anything heavy is loaded."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from recipeforge.runner.devices import Gpu, visible_gpu
from recipeforge.runner.engines.preflight import hindrances
from recipeforge.runner.packages import Need, distribution_of
from recipeforge.runner.parts import PARTS
from recipeforge.runner.parts.groups import HONOURED
from recipeforge.runner.plan import Plan
from recipeforge.runner.reach import hub_problem
from recipeforge.runner.room import disk_problem, memory_problem
from recipeforge.runner.rows import PACKAGE, load_rows, package_of
from recipeforge.runner.source import is_cached
from recipeforge.schemas.diagnostic import Diagnostic, Label
from recipeforge.schemas.errors import RunError
from recipeforge.schemas.loadout import Loadout
from recipeforge.schemas.place import START_OF_FILE, Span
from recipeforge.schemas.recipe import Scalar

GIB = 2**30
CODE = "preflight"
"""Stands where rules have their code: these findings are about this machine and this engine, not about the recipe."""


OF_THIS_MACHINE = {"no-gpu", "smaller-gpu", "older-gpu", "gpu-in-use", "memory-in-use", "torch-without-cuda"}
"""Problems that another machine need not have."""


def problems(
    plan: Plan,
    loadout: Loadout,
    resting_bytes: int = 0,
    *,
    terms: Mapping[str, int] | None = None,
    peak_bytes: int | None = None,
    goes_on: bool = False,
) -> tuple[Diagnostic, ...]:
    """Return every reason why the plan cannot be carried out here; none: it can.

    `resting_bytes` is what the run holds on its device from first step to last, as far as that is known, and `terms` are its memory
    estimate's; `peak_bytes` is the peak, where someone counted it. A run that `goes_on`
    finds its own folder as it left it.
    """
    resting = Held(resting_bytes, "weights and optimizer states take")
    held = resting if peak_bytes is None else Held(peak_bytes, "a step takes")
    return (
        *_unimplemented(plan, loadout),
        *_unhonoured(plan, loadout),
        *_objections(plan, loadout),
        *(_problem(h.slug, h.message, loadout.span_of(h.subject), h.help) for h in hindrances(plan)),
        *_packages(plan, loadout),
        *_model(plan, loadout),
        *_length(plan, loadout),
        *_data(plan, loadout),
        *_hardware(plan, loadout, held),
        *_output(plan, loadout, goes_on, terms or {}),
    )


def told_by_the_child(fields: Mapping[str, str], loadout: Loadout) -> Diagnostic:
    """Return what the training process found when it looked at rows and tokenizer, at its place in the recipe."""
    return _problem(fields["slug"], fields["text"], loadout.span_of(fields["subject"]), fields["help"])


def lookable(plan: Plan, found: Sequence[Diagnostic]) -> bool:
    """Return whether a process that looks at rows and tokenizer can tell more: it needs both, and the packages, and fetches nothing."""
    hindered = {"package-missing", "package-too-old", "model-missing", "model-out-of-reach", "no-data", "data-unreadable", "data-too-short"}
    here = plan.model.kind in ("package", "folder") or (plan.model.kind == "hub" and is_cached(plan.model.written))
    unread = any(
        d.slug in ("value-not-honoured", "part-objects") and ("data.format" in d.message or "`format: " in d.message) for d in found
    )
    return here and not unread and not hindered & {d.slug for d in found}


def _problem(slug: str, message: str, span: Span = START_OF_FILE, help: str = "", label: str = "") -> Diagnostic:
    return Diagnostic(CODE, slug, "error", message, Label(span, label), help=help)


def _unimplemented(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    for slot, ids in plan.parts.items():
        for component in ids:
            if PARTS.get(component) is None:
                known = ", ".join(p.component for p in PARTS.of_slot(slot)) or "nothing in this slot"
                yield _problem(
                    "part-not-implemented",
                    f"the local engine does not implement {slot} `{component}`",
                    loadout.span_of(component),
                    f"It implements {known}.",
                )


def _unhonoured(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    """A knob that nothing would read is refused: silently ignoring it would run another recipe than the one written."""
    readers = dict(HONOURED)
    unknown_slots = {slot for slot, ids in plan.parts.items() if any(PARTS.get(c) is None for c in ids)}
    for component in (c for ids in plan.parts.values() for c in ids):
        part = PARTS.get(component)
        readers |= part.reads if part else {}
    for knob in plan.given:
        value = plan.values[knob]
        if knob.split(".", 1)[0] in unknown_slots:
            continue
        if knob not in readers:
            yield _problem(
                "knob-not-honoured", f"nothing in this run reads `{knob}`", loadout.span_of(knob), "Remove it.", "would be ignored"
            )
        elif readers[knob] and value not in readers[knob]:
            can = ", ".join(_shown(v) for v in readers[knob])
            message = f"the local engine cannot do `{knob}: {_shown(value)}`"
            yield _problem("value-not-honoured", message, loadout.span_of(knob), f"It can do {can}.")


def _shown(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _objections(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    for component in (c for ids in plan.parts.values() for c in ids):
        part = PARTS.get(component)
        for objection in part.objections(plan.wishes) if part else ():
            yield _problem("part-objects", f"{component}: {objection.message}", loadout.span_of(objection.subject), objection.help)


def _packages(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    for need in plan.packages:
        if need.installed is None and plan.model.kind == "nowhere" and plan.model.written == f"{PACKAGE}{need.name.replace('-', '_')}":
            continue  # `_model` says it, at the model's own line
        if need.installed is None:
            yield _problem("package-missing", f"`{need.name}` is not installed; it {need.why}", help=f"Run `{need.pip}`.")
        elif need.too_old:
            message = f"`{need.name}` {need.installed} is installed; this engine was built for {need.minimum} and later"
            yield _problem("package-too-old", message, help=f"Run `{need.pip}`.")
        elif differs(named := loadout.context.facts.get(f"packages.{need.name}"), need.installed):
            message = f"the recipe is for {need.name} {named}, and {need.installed} is installed"
            yield _problem(
                "package-differs", message, loadout.span_of(f"packages.{need.name}"), f'Run `pip install "{need.name}=={named}.*"`.'
            )


def differs(named: object, installed: str) -> bool:
    """Return whether an installed version is another than the one named; `2.6` names every 2.6.x."""
    if named is None:
        return False
    try:
        wanted, here = Version(str(named)).release, Version(installed).release
    except InvalidVersion:
        return str(named) != installed
    return here[: len(wanted)] != wanted


def _model(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    if plan.model.problem:
        yield _problem("model-missing", plan.model.problem, loadout.span_of("model"), plan.model.help)
    elif found := hub_problem(plan.model):
        yield _problem("model-out-of-reach", found[0], loadout.span_of("model"), found[1])


def _length(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    v = plan.values
    if "train.steps" not in v and not v.get("train.epochs"):
        yield _problem("no-length", "the recipe does not say how long to train", help="Add `train: {steps: …}` or `train: {epochs: …}`.")
    if v["eval.strategy"] == "steps" and "eval.every" not in v:
        yield _problem("no-interval", "`eval.strategy: steps` does not say how many", loadout.span_of("eval.strategy"), "Add `every: …`.")
    if v["eval.strategy"] != "none" and not v.get("data.validation"):
        message = "evaluation is on and no rows are held out"
        yield _problem("nothing-held-out", message, loadout.span_of("eval.strategy"), "Add `data: {validation: 0.05}`.")


def _data(plan: Plan, loadout: Loadout) -> Iterator[Diagnostic]:
    v = plan.values
    source, format_ = v.get("data.source"), v.get("data.format")
    if source is None or format_ is None:
        missing = " and ".join(f"`data.{n}`" for n, given in (("source", source), ("format", format_)) if given is None)
        message = f"the recipe does not say {missing}"
        yield _problem("no-data", message, loadout.keys.get("data", START_OF_FILE), "Say which rows to train on, and what they hold.")
        return
    if (format_ := str(format_)) not in HONOURED["data.format"] or _package_missing(str(source)):
        return  # said already
    limit = int(v["data.limit"]) if "data.limit" in v else None
    try:
        rows = load_rows(str(source), format_, Path(plan.folder), plan.seed, limit)
    except RunError as error:
        yield _problem("data-unreadable", str(error), loadout.span_of("data.source"))
        return
    needed = 2 if v.get("data.validation") else 1
    if len(rows) < needed:
        message = f"{len(rows)} rows of data, and at least {needed} are needed"
        yield _problem("data-too-short", message, loadout.span_of("data.source"))


def _package_missing(source: str) -> bool:
    if not source.startswith(PACKAGE):
        return False
    from importlib import metadata

    try:
        metadata.version(distribution_of(package_of(source)[0]))
    except metadata.PackageNotFoundError:
        return True
    return False


@dataclass(frozen=True)
class Held:
    """Bytes that a run holds, and the beginning of a sentence about them."""

    size: int
    what: str


def _hardware(plan: Plan, loadout: Loadout, held: Held) -> Iterator[Diagnostic]:
    wanted = plan.values.get("hardware.gpu")
    span = loadout.span_of("hardware.gpu")
    gpu = None if str(wanted).lower() == "cpu" else visible_gpu()
    if gpu is None and str(wanted or "cpu").lower() == "cpu" and (found := memory_problem(held.size, held.what)):
        yield _problem("memory-in-use", found[0], span, found[1])
    if str(wanted).lower() == "cpu":
        return
    without_cuda = _torch_without_cuda()
    if gpu is not None and not without_cuda:
        yield from _room(gpu, held, span)
    if wanted is None:
        return
    if gpu is None:
        yield _problem(
            "no-gpu", f"the recipe asks for a GPU `{wanted}` and this machine shows none", span, "Write `gpu: cpu`, or run it there."
        )
        return
    if without_cuda:
        message = f"the recipe asks for a GPU `{wanted}` and torch {without_cuda} was built for CPUs only"
        yield _problem("torch-without-cuda", message, span, "Install torch's CUDA build: `pip install --force-reinstall torch`.")
    yield from _lesser(gpu, str(wanted), loadout, span)


def _lesser(gpu: Gpu, wanted: str, loadout: Loadout, span: Span) -> Iterator[Diagnostic]:
    """Rules and estimate were for the GPU that the recipe names: the one here has to be as good."""
    memory, capability = (loadout.context.facts.get(f"gpu.{name}") for name in ("memory_gib", "capability"))
    instead = "Name the GPU that is here, and check the recipe for it."
    # Drivers report a few percent less than the data sheet.
    if gpu.memory_gib is not None and isinstance(memory, int | float) and gpu.memory_gib < 0.9 * memory:
        message = f"`{wanted}` has {memory:g} GiB and this machine's GPU, {gpu.name}, {gpu.memory_gib:.1f} GiB"
        yield _problem("smaller-gpu", message, span, instead)
    if gpu.capability is not None and isinstance(capability, int | float) and gpu.capability < capability:
        message = f"`{wanted}` has compute capability {capability:.1f} and this machine's GPU, {gpu.name}, {gpu.capability:.1f}"
        yield _problem("older-gpu", message, span, instead)


def _room(gpu: Gpu, held: Held, span: Span) -> Iterator[Diagnostic]:
    """What the run holds at every moment has to be free; whether the peak fits, too, is for the estimate's own rules."""
    resting = held.size / GIB
    if gpu.free_gib is None or gpu.memory_gib is None or not gpu.free_gib < resting <= gpu.memory_gib:
        return
    message = f"{held.what} {resting:.1f} GiB, and {gpu.free_gib:.1f} of {gpu.memory_gib:.1f} GiB are free on {gpu.name}"
    yield _problem("gpu-in-use", message, span, "End what holds the rest (`nvidia-smi` lists it), or choose with CUDA_VISIBLE_DEVICES.")


def _torch_without_cuda() -> str:
    """Return the version of a torch that can use no GPU; empty for another, or none."""
    installed = Need("torch", "").installed or ""
    return installed if installed.endswith("+cpu") else ""


def _output(plan: Plan, loadout: Loadout, goes_on: bool, terms: Mapping[str, int]) -> Iterator[Diagnostic]:
    folder = Path(plan.output) if plan.output else Path.cwd()
    span = loadout.span_of("train.output")
    if plan.output and not goes_on and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"the output {folder} exists and is not an empty folder"
        yield _problem("output-taken", message, span, "Name another, or drop `output` for a folder of the run's own.")
        return
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        # Asking for permission bits is not enough: root has them all, and some file systems take no files.
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        message = f"no file can be made in {existing}: {error.strerror}"
        yield _problem("output-not-writable", message, span, "Name another folder in `train.output`.")
        return
    if found := disk_problem(plan, terms, existing):
        yield _problem("disk-too-full", found[0], span, found[1])
