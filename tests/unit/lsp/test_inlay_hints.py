from pathlib import Path

from lsprotocol import types

from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.features.inlay_hints import inlay_hints
from tests.unit.lsp.reading import DOCUMENT, known

BROKEN = (Path(__file__).parent.parent.parent.parent / "examples" / "broken-qlora.yaml").read_text()
HEAD = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: {use: lora, rank: 8}\n"


def hinted(judged: Analysis, first: int = 0, last: int = 10_000) -> list[str]:
    """Return the lines that bear a hint, with it written in."""
    start, end = types.Position(line=first, character=0), types.Position(line=last, character=0)
    found = inlay_hints(judged, types.InlayHintParams(text_document=DOCUMENT, range=types.Range(start=start, end=end)))
    shown: list[str] = []
    for hint in found:
        line = judged.file.text.line(hint.position.line)
        at = judged.offset(hint.position) - judged.offset(types.Position(line=hint.position.line, character=0))
        shown.append(f"{line[:at]}⟦{hint.label}⟧{line[at:]}")
    assert len({hint.position.line for hint in found}) == len(found), "one a line at most"
    return shown


def test_memory_and_batch() -> None:
    assert hinted(known(BROKEN)) == [
        "batch: {micro: 4, accumulate: 8}⟦= 32 sequences a step⟧",
        "hardware: {gpu: t4, count: 1}⟦≈ 10.5 of 15 GiB⟧",
    ]


def test_only_the_lines_asked_for() -> None:
    assert hinted(known(BROKEN), 0, 10) == []


def test_devices_count_where_each_takes_its_own_rows() -> None:
    batch = "batch: {micro: 4}\ndistributed: [{}]\nhardware: {{count: 4}}\n"
    assert "batch: {micro: 4}⟦= 16 sequences a step⟧" in hinted(
        known(HEAD + batch.replace("{{", "{").replace("}}", "}").replace("[{}]", "[ddp]"))
    )
    split = "batch: {micro: 4}\ndistributed: [{use: tensor-parallel, degree: 4}]\nhardware: {count: 4}\n"
    assert not any("sequences a step" in line for line in hinted(known(HEAD + split)))


def test_other_names_show_their_id() -> None:
    found = hinted(
        known(
            "recipeforge: 1\nmodel: qwen/qwen2.5-1.5b\nkernels:\n  - liger_kernel # x\noptimizer: {use: adamw_8bit, learning_rate: 1e-4}\n"
        )
    )
    assert "model: qwen/qwen2.5-1.5b⟦→ Qwen/Qwen2.5-1.5B⟧" in found
    assert "optimizer: {use: adamw_8bit, learning_rate: 1e-4}⟦→ adamw-8bit⟧" in found


def test_defaults_that_decide_much() -> None:
    found = hinted(known("recipeforge: 1\nmodel: x/y\ntechnique: lora\noptimizer:\n  use: adamw  # plain\ndata:\n  format: chat\n"))
    assert found == [
        "technique: lora⟦rank 8 by default⟧",
        "  use: adamw⟦learning rate 0.0002 by default⟧  # plain",
        "data:⟦1024 tokens by default⟧",
    ]
    assert hinted(known("recipeforge: 1\nmodel: x/y\ntechnique: full\n")) == []


def test_a_budget_has_its_own_limit() -> None:
    text = HEAD + "budget:\n  memory_gib: 12  # mine\nhardware:\n  gpu: NVIDIA T4\n"
    found = hinted(known(text))
    assert any(line.startswith("  memory_gib: 12⟦≈ ") and line.endswith(" of 12 GiB⟧  # mine") for line in found)
    assert any(line.startswith("  gpu: NVIDIA T4⟦→ t4 · ≈ ") and line.endswith(" of 15 GiB⟧") for line in found)


def test_the_tooltip_has_the_terms() -> None:
    judged = known(BROKEN)
    whole = types.Range(start=types.Position(line=14, character=0), end=types.Position(line=14, character=0))
    (hint,) = inlay_hints(judged, types.InlayHintParams(text_document=DOCUMENT, range=whole))
    assert isinstance(hint.tooltip, types.MarkupContent)
    assert "| weights | 2.88 |" in hint.tooltip.value


def test_the_setting_turns_hints_off() -> None:
    assert hinted(known(BROKEN, inlay_hints=False)) == []
