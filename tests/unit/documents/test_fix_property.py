"""Every fix that the reader offers cures its finding and adds no other kind of error, on recipes broken at random."""

import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_catalog import CATALOG

from recipeforge.documents.edit import apply_edits
from recipeforge.documents.ignores import apply_ignores
from recipeforge.documents.parse import parse
from recipeforge.documents.read import read
from recipeforge.schemas.diagnostic import Diagnostic

_GOOD = """\
recipeforge: 1
name: 'a b'
model: tiny  # hub id
technique: {use: qlora, rank: 16, alpha: 32}
quantization:
  use: bnb-4bit
  # nested
  double_quant: true
optimizer: {use: muon, learning_rate: 2e-4, auxiliary: adamw}
attention: sdpa  # forge: ignore[RF0015]
memory: [gradient-checkpointing, activation-offloading]
kernels:
  - liger
  - use: torch-compile
    mode: default
data: {source: ./x.jsonl, packing: yes, sequence_length: 512}
batch: &b {micro: 4}
train:
  epochs: 3
hardware: {gpu: rtx-4090, count: 1}
budget: {memory_gib: 24, wall_clock: 2h}
packages: {torch: "2.6"}
seed: 17
"""
_SWAPS = (
    ("learning_rate", "lr"),
    ("optimizer:", "optimzer:"),
    ("technique:", "adapter:"),
    ("muon", "MUON"),
    ("sdpa", "liger"),
    ("liger", "bf16"),
    ("16", "'16'"),
    ("512", "512.0"),
    ("train:", "precision:"),
    ("  epochs", "  batch_size"),
    ("data:", "epochs: 3\ndata:"),
    ("seed: 17", "load_in_4bit: true\nseed: 017"),
    ("muon", "adafactor"),
    ("use: ", "name: "),
    ("yes", "'yes'"),
    ("24,", "24GB,"),
    ("batch:", "seed: 17\nbatch:"),
    ("model: tiny", "model_name: tiny"),
    ("recipeforge: 1\n", ""),
    ("    mode", "\tmode"),
    ("rtx-4090", "rtx-4900"),
    ("RF0015", "RF0016, knob-not-raed"),
    ("gradient-checkpointing,", "gradient-checkpointing, gradient-checkpointing,"),
    ("bnb-4bit", "none"),
    ("{micro: 4}", "4"),
    ("torch:", "pytorch:"),
    (": ", " : "),
    ("\n", "\r\n"),
)


def _broken(chance: random.Random) -> str:
    text = _GOOD
    for old, new in chance.sample(_SWAPS, chance.randint(1, 6)):
        text = text.replace(old, new, 1 if old != "\n" else -1)
    if chance.random() < 0.3:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice("ab:{}[],'\"#&*\n\t é") + text[at + chance.randint(0, 1) :]
    return text


def _findings(text: str) -> tuple[Diagnostic, ...]:
    document = parse(text)
    return apply_ignores(document, CATALOG, read(document, CATALOG).diagnostics)


seen = Counter[str]()


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 10**9))
def test_a_fix_cures_what_it_is_offered_for(seed: int) -> None:
    text = _broken(random.Random(seed))
    found = _findings(text)
    for diagnostic in found:
        for fix in diagnostic.fixes:
            fixed = apply_edits(text, fix.edits)
            assert fixed != text
            after = _findings(fixed)
            same = [(d.code, d.message) for d in after].count((diagnostic.code, diagnostic.message))
            had = [(d.code, d.message) for d in found].count((diagnostic.code, diagnostic.message))
            assert same < had, (text, fix.title, fixed)
            seen[diagnostic.code] += 1


def test_fixes_of_many_kinds_were_tried() -> None:
    assert sum(seen.values()) > 500
    assert len(seen) >= 10, seen
