"""A report made by hand, so that golden files do not change with the catalog."""

from recipeforge.documents.lines import LineIndex
from recipeforge.schemas.catalog import Catalog
from recipeforge.schemas.change import Change
from recipeforge.schemas.claim import Claim
from recipeforge.schemas.component import Component
from recipeforge.schemas.diagnostic import Citation, Diagnostic, Fix, Label
from recipeforge.schemas.loadout import Context, Loadout
from recipeforge.schemas.place import Position, Span, TextEdit
from recipeforge.schemas.recipe import Slot
from recipeforge.schemas.report import FileReport, Solution
from recipeforge.schemas.rule import Rule
from recipeforge.schemas.verdict import Conflict, Estimate, Repair, Status, Verdict

TEXT = """\
recipeforge: 1
name: 猫の微調整
model: Qwen/Qwen2.5-1.5B
technique: {use: qlora, rank: 16}
optimizer:
  use: adamw
memory: [optimizer-in-backward]
data: {source: ./猫.jsonl, packing: true}
precision: bf16
batch: {micro: 4, accumulate: 4}
hardware: {gpu: t4}
"""
LINES = LineIndex(TEXT)
GIB = 1 << 30


def span(words: str) -> Span:
    """Return where `words` first stands."""
    start = TEXT.index(words)
    return LINES.span(start, start + len(words))


def at(line: int, column: int) -> Span:
    """Return an empty span; 1-based."""
    return Span(Position(line - 1, column - 1), Position(line - 1, column - 1))


QUOTE = "Require cfg.load_in_4bit to be True for qlora"
LONG_QUOTE = "Gradient accumulation is not supported with optimizer in backward, because the gradients are freed. " * 3
URL = "https://github.com/pytorch/torchtune/blob/abc/recipes/full.py#L192"

QLORA = Diagnostic(
    code="RF1001",
    slug="qlora-without-4bit-base",
    severity="error",
    message="QLoRA needs a 4-bit base model",
    primary=Label(span("qlora"), "no quantization is named"),
    notes=("QLoRA trains adapters over a base whose weights are stored in 4 bits; without one there is nothing to save memory.",),
    citations=(
        Citation("EV-0001", "T2", QUOTE, "https://example.org/peft.py", title="peft.py", speaks_for="axolotl 0.13"),
        Citation("EV-0002", "T1", "メモリを節約する量子化", "https://example.org/%E7%8C%AB?a=1&b=<2>"),
        Citation("EV-0003", "T3", "third", "https://example.org/3"),
    ),
    fixes=(
        Fix(
            "Add bnb 4-bit",
            "safe",
            (Change("add", slot="quantization", component="bnb-4bit"),),
            (TextEdit(at(5, 1), "quantization: bnb-4bit\n"),),
        ),
        Fix(
            "Call it LoRA",
            "unsafe",
            (Change("replace", slot="technique", component="lora", previous="qlora"),),
            (TextEdit(span("qlora"), "lora"),),
        ),
        Fix("Think again", "display", ()),
    ),
)
ACCUMULATION = Diagnostic(
    code="RF3104",
    slug="in-backward-with-accumulation",
    severity="error",
    message="gradient accumulation with the optimizer in backward",
    primary=Label(LINES.span(TEXT.index("4}\n"), TEXT.index("4}\n") + 1), "needs gradients kept for 4 steps"),
    related=(Label(span("optimizer-in-backward"), "frees each gradient during backward"),),
    citations=(Citation("EV-0017", "T2", LONG_QUOTE, URL, title="torchtune 0.6.1"),),
    fixes=(Fix("Step on every micro-batch", "unsafe", (Change("set", knob="batch.accumulate", value=1),), ()),),
)
HARDWARE = Diagnostic(
    code="RF2051",
    slug="bf16-below-ampere",
    severity="warning",
    message="NVIDIA T4 has no bf16 units: 100% emulated, slower",
    primary=Label(span("bf16"), ""),
    related=(Label(span("t4"), "gpu.capability is 7.5"),),
    help="Pick fp16, or another GPU.",
)
PACKING = Diagnostic(
    code="RF5299",
    slug="packing-of-cats",
    severity="info",
    message="rows of \x1b[31mcats\x1b[0m do not pack\r\nwell",
    primary=Label(span("packing: true"), "here"),
    related=(Label(span("./猫.jsonl"), "cats"),),
)
REPAIR = Repair(
    changes=(Change("add", slot="quantization", component="bnb-4bit"), Change("drop", slot="memory", component="optimizer-in-backward")),
    cost=5,
    safety="unsafe",
    title="Add bnb 4-bit; drop optimizer in backward",
    proved=True,
    estimate=Estimate({"weights": 2 * GIB}),
    context={"memory": "21.3 → 2.0 GiB"},
)
SOLUTION = Solution(
    REPAIR,
    (TextEdit(at(5, 1), "quantization: bnb-4bit\n"), TextEdit(Span(Position(6, 0), Position(7, 0)), "")),
)
LOADOUT = Loadout(
    path="recipe.yaml",
    dialect="recipeforge",
    equipped=(),
    settings=(),
    context=Context({"gpu.id": "t4", "gpu.title": "NVIDIA T4", "gpu.memory_gib": 16.0}),
)
REPORT = FileReport(
    path="recipe.yaml",
    text=TEXT,
    dialect="recipeforge",
    verdict=Verdict(
        "conflicting",
        conflicts=(Conflict(("optimizer-in-backward", "batch.accumulate"), ("RF3104",), minimal=True),),
        unknown=("packages.torch",),
        estimate=Estimate({"weights": 3 * GIB, "activations": GIB // 2}, ("batch.micro 4",)),
    ),
    diagnostics=(QLORA, PACKING, HARDWARE, ACCUMULATION),
    repairs=(SOLUTION,),
    catalog_hash="c0ffee",
    loadout=LOADOUT,
)
CLEAN = FileReport(
    path="clean.yaml",
    text=TEXT,
    dialect="recipeforge",
    verdict=Verdict("valid", estimate=Estimate({"weights": 3 * GIB, "activations": GIB // 2})),
    catalog_hash="c0ffee",
    loadout=LOADOUT,
)
STATUSES = (
    Status("adamw", "equipped"),
    Status("adamw-8bit", "swap", blockers=("adamw",), needs=(Change("set", knob="optimizer.own_param_groups", value=True),)),
    Status("bnb-4bit", "available", wanted=True),
    Status("gptq", "conditional", needs=(Change("add", slot="technique", component="lora"),), rules=("RF1001",)),
    Status("awq", "blocked", rules=("RF1001", "RF0020:quantization"), blockers=("qlora", "batch.accumulate")),
)


def component(id_: str, slot: str) -> Component:
    """Return a component that is only a name."""
    return Component(id_, slot, id_.upper(), f"{id_} does something.", f"https://example.org/{id_}")


def rule(code: str, slug: str) -> Rule:
    """Return a rule that is only a name, a reason and one claim."""
    return Rule(code, slug, "error", f"{slug} happened", "Because.", None, ("EV-0001",), "T2")


COMPONENTS = [component(o, "optimizer") for o in ("adamw", "adamw-8bit")]
COMPONENTS += [component(q, "quantization") for q in ("bnb-4bit", "gptq", "awq")]
CATALOG = Catalog(
    hash="c0ffee",
    slots={s: Slot(s, s, f"Which {s}.", "at-most-one") for s in ("optimizer", "quantization")},
    knobs={},
    components={c.id: c for c in COMPONENTS},
    rules={d.code: rule(d.code, d.slug) for d in REPORT.diagnostics[:3]},
    claims={"EV-0001": Claim("EV-0001", QUOTE, "https://example.org/peft.py", "source-code", "axolotl", "2026-11-21", "00")},
)
