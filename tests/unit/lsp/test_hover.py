"""Hover: read aloud, it has to make sense to someone at eleven at night."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from lsprotocol import types

from recipeforge.catalog.load import load
from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.cards.evidence import evidence
from recipeforge.lsp.features.hover import hover
from recipeforge.lsp.markdown import code, escaped, link, prose
from tests.unit.lsp.reading import DOCUMENT, known, place, popup

BROKEN = (Path(__file__).parent.parent.parent.parent / "examples" / "broken-qlora.yaml").read_text()
VALID = (Path(__file__).parent.parent.parent.parent / "examples" / "smollm2-lora.yaml").read_text()


def test_a_finding_comes_first_with_its_page_the_words_of_its_source_and_why() -> None:
    text = popup(known(BROKEN), "bf16")
    finding, component = text.split("\n\n---\n\n")
    head, quote, *_, why = finding.split("\n\n")
    told = "NVIDIA T4 has no bf16 units; bf16 is emulated, slower than fp16"
    assert re.fullmatch(rf"\*\*warning\*\* \[RF2051\]\(file:[^)]+\.md\) `bf16-below-ampere`: {told}", head)
    assert "Ampere" in why
    assert quote.startswith("> `bf16 requested, but AMP is not supported")
    assert re.search(r"\*\*T2\*\* official source code · \[[^]]+\]\(https://github\.com/", quote)
    assert component.startswith("**bf16 mixed precision** `bf16` · precision · [its authors' page](https://")


def test_the_owners_word_bears_its_tier() -> None:
    assert "> **T1** the owner's own note · Chaos-injection trainer notes" in popup(known(BROKEN), "per-layer")


def test_a_claim_says_for_whom_it_speaks() -> None:
    assert "speaks for axolotl" in popup(known("# EV-0380\nrecipeforge: 1\n"), "EV-0380")


def test_a_component_tells_standing_memory_effects_and_what_it_can_break() -> None:
    text = popup(known(BROKEN), "gradient-checkpointing")
    assert "Each layer keeps only its input and is computed again in backward." in text
    assert re.search(r"Equipped\. Memory: 10\.5 → 2\d\.\d GiB without it\.", text)
    assert "[RF1017](file:" in text
    assert "if technique is prefix-tuning" in text
    assert "“" in text
    assert re.search(r"and \d+ more on \[the page of gradient checkpointing\]\(file:", text) or text.count("\n- ") <= 3


def test_what_takes_part_in_a_finding_elsewhere_says_so() -> None:
    text = popup(known(BROKEN), "adamw-8bit")
    assert re.match(r"Takes part in \[RF3001\]\(file:[^)]+\), line 7: Per-layer learning-rate rotation", text)
    assert text.count("RF3001]") == 1, "what is told once is not told again"
    assert "Measured: 2.05 bytes a parameter with bitsandbytes 0.50.2." in text


def test_rules_that_could_fire_name_no_values_that_are_not_here() -> None:
    text = popup(known("recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: dora\nquantization: bnb-4bit\n"), "dora")
    assert "DoRA cannot read GPTQ or AWQ or AQLM or EETQ weights, if quantization is gptq" in text
    assert "‹" not in text


def test_a_knob_tells_what_its_neighbours_cost() -> None:
    text = popup(known(BROKEN), "micro: 4", 7)
    assert text.startswith("**batch.micro** · whole number · 1 to 65,536 · sequences\n\nSequences a device takes at once.")
    assert "Usually 1, 2, 4, 8, 16 or 32; default `1`." in text
    assert re.search(r"\*\*Memory:\*\* 4 → 2 saves \d\.\d GiB, 4 → 8 takes \d\.\d GiB more\.", text)


def test_memory_is_told_only_where_the_model_is_known() -> None:
    assert "**Memory:**" not in popup(known("recipeforge: 1\nmodel: some/unknown\ntechnique: lora\nbatch: {micro: 4}\n"), "micro")


def test_a_knob_that_nothing_reads_says_who_would() -> None:
    assert "Not read here. It is read by lora, " in popup(known("recipeforge: 1\ntechnique: {use: full, rank: 8}\n"), "rank")


def test_a_slot_tells_what_it_decides_and_what_fits() -> None:
    text = popup(known(BROKEN), "optimizer:")
    assert "How gradients become updates and what state that needs.\n\nHere: AdamW 8-bit (`adamw-8bit`)." in text
    assert re.search(r"Others: \d+ fit in place of what stands here, \d+ blocked\.", text)
    assert "These fit: `adamw`, " in text
    empty = popup(known("recipeforge: 1\ntechnique: lora\nobjective:\n"), "objective")
    assert "By default: supervised fine-tuning (`sft`)." in empty
    assert "These fit: `dpo`, " in empty


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Qwen/", "1.54 billion parameters, stored in bf16.\n\n28 layers, 1,536 wide, 12 heads, 2 key-value heads"),
        ("t4,", "15 GiB, turing, compute capability 7.5, 320 GB/s.\n\nComputes in fp32, fp16, int8.\n\nThis recipe: ≈ 10.5 of 15 GiB."),
        ("recipeforge:", "**✗ conflicting · 4 errors, 1 warning**\n\nNot judged: what hangs on package versions"),
        ("hardware:", "- `gpu`: Id of the GPU, or `cpu`."),
    ],
)
def test_facts_and_groups(word: str, said: str) -> None:
    assert said in popup(known(BROKEN), word)


def test_facts_come_with_source_and_date() -> None:
    assert re.search(r"From \[www\.techpowerup\.com/[^]]+\]\(https://[^)]+\), read 20\d\d-\d\d-\d\d\.", popup(known(BROKEN), "t4,"))


def test_comments_lead_to_rules_and_claims() -> None:
    judged = known("# RF1001 rests on EV-0130  # no: RF9999\nrecipeforge: 1\nprecision: bf16  # forge: ignore[bf16-below-ampere]\n")
    assert popup(judged, "RF1001").startswith("**error** [RF1001](file:")
    assert "`EV-0130`, read 20" in popup(judged, "EV-0130")
    assert "`bf16-below-ampere`" in popup(judged, "bf16-below")
    assert hover(judged, types.HoverParams(text_document=DOCUMENT, position=place(judged, "RF9999"))) is None


def test_an_alias_stands_for_what_it_repeats() -> None:
    text = popup(known("recipeforge: 1\ntechnique: &it lora\nprecision: bf16\nattention: *it\n"), "*it")
    assert "`*it` repeats what line 2 anchors as `&it`." in text
    assert "**LoRA** `lora`" in text


def test_half_typed_files_still_answer() -> None:
    judged = known("recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: {use: lora, ra\noptimizer: adamw_8bit\n")
    assert judged.document.gaps
    assert "**AdamW 8-bit** `adamw-8bit`" in popup(judged, "adamw_8bit")


def test_clients_without_markdown_read_plain_text() -> None:
    judged = known(BROKEN, Abilities())
    found = hover(judged, types.HoverParams(text_document=DOCUMENT, position=place(judged, "bf16")))
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert found.contents.kind == types.MarkupKind.PlainText
    text = found.contents.value
    assert text.startswith("warning RF2051 `bf16-below-ampere`: ")
    assert "**" not in text
    assert "](" not in text
    assert "<https://github.com/" in text


def test_the_range_is_the_word_itself() -> None:
    judged = known("recipeforge: 1\nname: 😀\noptimizer: {use: adamw-8bit}  # 😀\n")
    found = hover(judged, types.HoverParams(text_document=DOCUMENT, position=place(judged, "8bit")))
    assert found is not None
    assert found.range is not None
    assert (found.range.start.character, found.range.end.character) == (17, 27)


def test_no_popup_is_a_wall() -> None:
    for text in (BROKEN, VALID):
        judged = known(text)
        for offset in range(0, len(text), 4):
            at = judged.range_between(offset, offset).start
            found = hover(judged, types.HoverParams(text_document=DOCUMENT, position=at))
            if found is None:
                continue
            assert isinstance(found.contents, types.MarkupContent)
            shown = re.sub(r"\]\([^)]*\)", "]", found.contents.value)
            assert len(shown) < 2600
            assert max(map(len, shown.split("\n"))) < 420


def test_a_withdrawn_claim_stands_beside_those_that_count_with_the_reason() -> None:
    catalog = load()
    rule = catalog.rules["RF2051"]
    gone = replace(catalog.claims[rule.evidence[-1]], withdrawn="The source was corrected.")
    blocks = evidence(replace(catalog, claims={**catalog.claims, gone.id: gone}), rule)
    assert len(blocks) == len(rule.evidence)
    assert blocks[-1].startswith("> ")
    assert blocks[-1].endswith("Withdrawn: The source was corrected.")


def test_text_from_elsewhere_stays_text() -> None:
    assert escaped("a *b* `c` <d> [e](f) __g__ snake_case") == r"a \*b\* \`c\` \<d> \[e](f) \_\_g\_\_ snake_case"
    assert prose("write `a*b` or *c*") == r"write `a*b` or \*c\*"
    assert code("a ` b") == "`` a ` b ``"
    assert link("x", "javascript:alert(1)") == "x"
