"""Completion as a person meets it: what is offered, in which order, what it writes."""

from pathlib import Path

import pytest
from lsprotocol import types

from recipeforge.api.config import Config
from recipeforge.documents.parse import parse
from recipeforge.lsp.abilities import Abilities
from recipeforge.lsp.analysis import Analysis, analyse
from recipeforge.lsp.features.completion import completion, resolve
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.settings import ClientSettings
from recipeforge.lsp.text import Encoding, Text

MARK = "¦"
HEAD = "recipeforge: 1\nname: x\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: qlora\nprecision: bf16\nhardware: {gpu: t4}\n"
EXAMPLES = Path(__file__).parents[3] / "examples"


def known(text: str, *, snippets: bool = True, encoding: Encoding = "utf-16") -> Analysis:
    """Return what is known about a text."""
    client = ClientSettings(abilities=Abilities(snippets=snippets, markdown_items=True))
    return analyse(OpenFile("file:///r/x.recipe.yaml", 1, "recipeforge", Text(text, encoding)), Config(), client)


def items_at(analysis: Analysis, offset: int) -> list[types.CompletionItem]:
    """Return what is offered at an offset."""
    line, character = analysis.file.text.at(offset)
    where = types.Position(line=line, character=character)
    document = types.TextDocumentIdentifier(uri=analysis.file.uri)
    return list(completion(analysis, types.CompletionParams(text_document=document, position=where)).items)


def offered(text: str, *, snippets: bool = True) -> tuple[Analysis, list[types.CompletionItem]]:
    """Return what is offered at the mark."""
    offset = text.index(MARK)
    analysis = known(text.replace(MARK, ""), snippets=snippets)
    return analysis, items_at(analysis, offset)


def labels(text: str) -> list[str]:
    """Return the labels offered at the mark, in the order of their sort texts."""
    return [item.label for item in sorted(offered(text)[1], key=lambda item: item.sort_text or "")]


def chosen(text: str, label: str, *, snippets: bool = True) -> str:
    """Return the text after one of the offers was taken, with all that it brings."""
    analysis, items = offered(text, snippets=snippets)
    item = resolve(analysis, next(item for item in items if item.label == label))
    assert isinstance(item.text_edit, types.TextEdit)
    edits = [item.text_edit, *(item.additional_text_edits or ())]
    after = analysis.document.text
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
        start, end = analysis.offset(edit.range.start), analysis.offset(edit.range.end)
        after = after[:start] + edit.new_text + after[end:]
    return after


def told(item: types.CompletionItem) -> str:
    """Return what stands at the right edge."""
    return (item.label_details.description if item.label_details else "") or ""


def one(items: list[types.CompletionItem], label: str) -> types.CompletionItem:
    """Return the item with a label."""
    return next(item for item in items if item.label == label)


# -- what is offered -----------------------------------------------------------------------------------------


def test_missing_keys_come_first() -> None:
    assert labels(f"recipeforge: 1\n{MARK}")[:3] == ["model", "technique", "name"]
    assert labels(f"{MARK}\nmodel: x")[0] == "recipeforge"


def test_a_slot_that_the_recipe_asks_for_comes_next_and_present_keys_do_not() -> None:
    found = labels(f"{HEAD}{MARK}")
    assert found[0] == "quantization"
    assert not {"technique", "hardware", "model"} & set(found)


def test_components_are_sorted_by_status_with_reasons() -> None:
    _, items = offered(f"{HEAD}quantization: {MARK}")
    first, last = one(items, "bnb-4bit"), one(items, "bnb-8bit")
    assert items[0] is first
    assert told(first) == "wanted"
    assert first.detail == "cures RF1001: QLoRA needs a 4-bit base model"
    assert told(last) == "blocked by RF1001"
    assert last.detail == "blocked while the recipe has QLoRA (RF1001: QLoRA needs a 4-bit base model)"
    assert last.tags == [types.CompletionItemTag.Deprecated]
    blocked = [item.tags is not None for item in items]
    assert blocked == sorted(blocked)


def test_a_reason_speaks_of_this_recipe() -> None:
    _, items = offered(f"{HEAD}attention: {MARK}")
    assert "NVIDIA T4 has compute capability 7.5" in (one(items, "flash-attention-2").detail or "")
    assert told(one(items, "sdpa")) == "default"
    _, items = offered(f"{HEAD}quantization: {MARK}")
    assert "(RF2015: AWQ reads checkpoints that were quantized beforehand" in (one(items, "awq").detail or "")


def test_what_is_replaced_is_said() -> None:
    _, items = offered(f"{HEAD}optimizer: adam{MARK}w")
    assert told(one(items, "lion")) == "replaces AdamW"
    assert told(one(items, "adamw")) == "equipped"


def test_another_word_finds_a_component() -> None:
    _, items = offered(f"{HEAD}quantization: {MARK}")
    words = (one(items, "bnb-4bit").filter_text or "").split()
    assert words[0] == "bnb-4bit"
    assert {"load_in_4bit", "bitsandbytes"} <= set(words)


def test_a_list_offers_what_it_lacks() -> None:
    assert "liger" not in labels(f"{HEAD}kernels: [liger, {MARK}]")
    assert "unsloth" in labels(f"{HEAD}kernels: [liger, {MARK}]")
    assert "liger" not in labels(f"{HEAD}kernels:\n  - use_liger_kernel\n  - {MARK}")


def test_only_knobs_that_the_component_reads() -> None:
    assert "momentum" in labels(f"{HEAD}optimizer: {{use: muon, {MARK}}}")
    assert "momentum" not in labels(f"{HEAD}optimizer: {{use: adamw, {MARK}}}")
    assert "beta1" not in labels(f"{HEAD}optimizer: {{use: adamw, {MARK}, beta1: 0.9}}")
    assert labels(f"{HEAD}optimizer:\n  {MARK}")[0] == "use"
    assert labels(f"{HEAD}kernels:\n  - use: torch-compile\n    {MARK}") == ["mode"]


def test_values_of_knobs() -> None:
    assert labels(f"{HEAD}data: {{packing: {MARK}}}") == ["true", "false"]
    assert labels(f"{HEAD}data:\n  format: {MARK}")[:2] == ["text", "chat"]
    assert "16" in labels(f"{HEAD}batch: {{micro: {MARK}}}")
    assert told(one(offered(f"{HEAD}batch: {{micro: {MARK}}}")[1], "1")) == "default"
    assert labels(f"{HEAD}budget: {{memory_gib: {MARK}}}") == ["15"]
    assert labels(f"{HEAD}eval: {{strategy: '{MARK}'}}") == ["none", "steps", "epoch"]


def test_facts_that_the_catalog_knows() -> None:
    _, items = offered(f"recipeforge: 1\nhardware: {{gpu: {MARK}")
    assert told(one(items, "rtx-4090")) == "24 GiB"
    assert "Qwen/Qwen2.5-1.5B" in labels(f"recipeforge: 1\nmodel: {MARK}")
    assert "torchtune" in labels(f"recipeforge: 1\nframework: {MARK}")
    assert "torch" not in labels(f"{HEAD}packages: {{torch: '2.6', {MARK}}}")
    assert labels(f"recipeforge: {MARK}") == ["1"]


def test_ignores_offer_what_fires_on_their_line() -> None:
    assert labels(f"{HEAD}attention: flash-attention-2  # forge: ignore[{MARK}]")[0] == "RF4001"
    assert labels(f"{HEAD}# forge: ignore[{MARK}]\nattention: flash-attention-2\n")[0] == "RF4001"
    assert "RF4001" not in labels(f"{HEAD}attention: flash-attention-2  # forge: ignore[RF4001, {MARK}]")
    assert labels(f"{HEAD}attention: flash-attention-2  # fo{MARK}") == ["forge: ignore[RF4001]"]


@pytest.mark.parametrize(
    "place",
    [
        "name: my {0}",
        "# a word {0}",
        "optimizer: adamw {0}",
        "optimizer: adamw # {0}",
        "data: {{source: {0}}}",
        "unknown: {0}",
        "unknown: {{{0}}}",
        "train: {{epochs: {{{0}}}}}",
        "seed: {0}",
        "- {0}",
        "optimizer: {0}{{use: lion}}",
        "optimizer:{0} {{use: lion}}",
        "optimizer: {0}&o lion",
        "memory: {0} [gradient-checkpointing]",
        "memory: [{0}{{use: gradient-checkpointing}}]",
    ],
)
def test_nothing_is_offered_where_nothing_is_ours(place: str) -> None:
    assert labels(HEAD + place.format(MARK)) == []


# -- what it writes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "label", "after"),
    [
        ("opt¦", "optimizer", "optimizer: "),
        ("opt¦im: adamw", "optimizer", "optimizer: adamw"),
        ("optimizer:¦", "lion", "optimizer: lion"),
        ("optimizer: ada¦mw-8bit  # why", "lion", "optimizer: lion  # why"),
        ("optimizer: ¦ adamw", "lion", "optimizer: lion"),
        ("optimizer: ¦# why", "lion", "optimizer: lion # why"),
        ('optimizer: "li¦"', "lion", 'optimizer: "lion"'),
        ('optimizer: "li¦', "lion", 'optimizer: "lion"'),
        ("optimizer: {use: li¦, beta1: 0.9}", "lion", "optimizer: {use: lion, beta1: 0.9}"),
        ("optimizer: {use: lion,¦}", "beta1", "optimizer: {use: lion, beta1: }"),
        ("optimizer: {use: lion, be¦: 0.9}", "beta1", "optimizer: {use: lion, beta1: 0.9}"),
        ("kernels: [lig¦, tf32]", "liger", "kernels: [liger, tf32]"),
        ("kernels: [¦ tf32]", "liger", "kernels: [liger, tf32]"),
        ("kernels: [unsloth,¦ tf32]", "liger", "kernels: [unsloth, liger, tf32]"),
        ("kernels:\n  -¦", "liger", "kernels:\n  - liger"),
        ("kernels:\n  ¦", "- liger", "kernels:\n  - liger"),
        ("kernels:\n  - tf32\n  lig¦", "liger", "kernels:\n  - tf32\n  - liger"),
        ("batch: ¦", "{micro: …}", "batch: {micro: $0}"),
        ("packages: {torch: ¦}", '"2.15.0"', 'packages: {torch: "2.15.0"}'),
        ("# forge: ignore[RF10¦", "RF1001", "# forge: ignore[RF1001]"),
        ("# forge: ignore[RF1001, RF20¦02]", "RF2001", "# forge: ignore[RF1001, RF2001]"),
    ],
)
def test_the_word_is_replaced_whole(line: str, label: str, after: str) -> None:
    head = HEAD if "torch:" not in line else "recipeforge: 1\n"
    if label == '"2.15.0"':
        label = labels(head + line)[0]
        after = after.replace('"2.15.0"', label)
    assert chosen(head + line, label) == head + after


def test_a_client_without_snippets_gets_plain_text() -> None:
    assert chosen(f"{HEAD}batch: {MARK}", "{micro: …}", snippets=False) == f"{HEAD}batch: {{micro: "


BARE = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"{BARE}technique: ql¦\nprecision: bf16\n", f"{BARE}technique: qlora\nquantization: bnb-4bit\nprecision: bf16\n"),
        (f"{BARE}technique: {{use: ¦\nseed: 1\n", f"{BARE}quantization: bnb-4bit\ntechnique: {{use: qlora\nseed: 1\n"),
        (f"{BARE}technique: {{use: ¦}}\nseed: 1\n", f"{BARE}technique: {{use: qlora}}\nquantization: bnb-4bit\nseed: 1\n"),
        (f"{BARE}technique: ¦", f"{BARE}quantization: bnb-4bit\ntechnique: qlora"),
        (f"{BARE}technique: qlor¦\n", f"{BARE}technique: qlora\nquantization: bnb-4bit\n"),
    ],
)
def test_what_it_needs_comes_along(text: str, after: str) -> None:
    assert chosen(text, "qlora") == after


def test_what_it_needs_on_its_own_line_is_only_said() -> None:
    analysis, items = offered(f"{HEAD}scheduler: {{use: {MARK}}}\n")
    item = one(items, "cosine-min-lr")
    assert told(item).startswith("needs scheduler.min_lr")
    assert resolve(analysis, item).additional_text_edits is None


def test_documentation_is_filled_in_and_lost_data_does_no_harm() -> None:
    analysis, items = offered(f"{HEAD}quantization: {MARK}")
    item = resolve(analysis, one(items, "bnb-4bit"))
    assert isinstance(item.documentation, types.MarkupContent)
    assert "bnb 4-bit" in item.documentation.value
    for place in ("", "batch: {¦}", "hardware: {gpu: ¦}", "packages: {¦}", "optimizer: {¦}", "# forge: ignore[¦]"):
        analysis, items = offered(HEAD + (place or MARK))
        assert all(resolve(analysis, item).documentation for item in items[:3]), place


# -- every state of a text -----------------------------------------------------------------------------------


def _recipes() -> list[str]:
    blocks = (
        "recipeforge: 1\r\nmodel: 'x y'\r\ntechnique:\r\n  use: lora\r\n  rank: 8 # 🦊 forge: ignore[RF1001]\r\nkernels:\r\n- liger\r\n"
        "-   use: torch-compile\r\n    mode: default\r\nmemory: [\r\n  gradient-checkpointing, "
        "{use: x}\r\n]\r\nname: |\r\n  text: {\r\nseed: 3"
    )
    return [(EXAMPLES / "broken-qlora.yaml").read_text(encoding="utf-8"), blocks]


@pytest.mark.parametrize("text", _recipes(), ids=["flow", "block"])
@pytest.mark.parametrize("rest", [False, True], ids=["cut", "kept"])
def test_at_every_character_it_answers_sanely(text: str, rest: bool) -> None:
    answered = 0
    whole = known(text) if rest else None
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue
        analysis = whole or known(text[:offset])
        line, _ = analysis.file.text.at(offset)
        items = items_at(analysis, offset)
        answered += bool(items)
        for item in items:
            assert isinstance(item.text_edit, types.TextEdit)
            where = item.text_edit.range
            assert where.start.line == where.end.line == line
            start, end = analysis.offset(where.start), analysis.offset(where.end)
            assert start <= offset <= end <= len(analysis.document.text)
            assert analysis.range_between(start, end) == where
            assert "\n" not in item.text_edit.new_text
        if items and offset % 5 == 0:
            assert resolve(analysis, items[-1])
    assert answered > len(text) // 4


def test_taking_an_offer_leaves_yaml_that_reads() -> None:
    text = (EXAMPLES / "broken-qlora.yaml").read_text(encoding="utf-8")
    analysis, tried = known(text), 0
    for offset in range(0, len(text), 3):
        for item in items_at(analysis, offset)[:1]:
            if not isinstance(item.text_edit, types.TextEdit) or item.text_edit.new_text.endswith((": ", "$0}")):
                continue
            start, end = (analysis.offset(at) for at in (item.text_edit.range.start, item.text_edit.range.end))
            assert parse(text[:start] + item.text_edit.new_text + text[end:]).complete, text[start - 20 : end + 20]
            tried += 1
    assert tried > 20
