"""Every method, with the recorded capabilities of VS Code, Neovim and Emacs."""

from pathlib import Path

import pytest
from lsprotocol import types

from recipeforge.api import check
from tests.lsp.editor import Editor, offset_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROKEN = (Path(__file__).parent.parent.parent / "examples" / "broken-qlora.yaml").read_text()
ERRORS = ["RF1001", "RF3001", "RF2051", "RF4001", "RF5218"]
URI = "file:///work/broken.recipe.yaml"


async def opened(editor: Editor, text: str = BROKEN, uri: str = URI) -> str:
    editor.open(uri, text)
    return uri


async def test_findings_come_once_with_place_source_and_page(editor: Editor) -> None:
    uri = await opened(editor)
    found = await editor.diagnostics(uri)
    assert [d.code for d in found] == ERRORS
    first = found[0]
    assert first.source == "recipeforge"
    assert first.severity == types.DiagnosticSeverity.Error
    start, end = (offset_of(BROKEN, place, editor.encoding) for place in (first.range.start, first.range.end))
    assert BROKEN[start:end] == "qlora"
    assert "T2 “" in first.message
    assert first.code_description is not None
    page = Path(first.code_description.href.removeprefix("file://"))
    assert "RF1001" in page.read_text()
    if found[3].related_information is None:  # a client that cannot show other places is told them in words
        assert "line 15: gpu.capability is 7.5" in found[3].message
    else:
        assert "gpu.capability is 7.5" in found[3].related_information[0].message
    assert editor.pulls == (editor.capabilities.text_document.diagnostic is not None)
    if editor.pulls:
        assert editor.pushed(uri) is None, "a client that pulls must not be pushed to as well"


async def test_a_quick_fix_cures_its_finding_and_keeps_every_comment(editor: Editor) -> None:
    uri = await opened(editor)
    for _ in range(10):
        found = [d for d in await editor.diagnostics(uri) if d.severity in (1, 2)]
        if not found:
            break
        actions = await editor.actions(uri, found[0].range)
        fixes = [a for a in actions if a.edit and a.diagnostics and a.diagnostics[0].code == found[0].code]
        editor.apply(fixes[0].edit)
    text = editor.texts[uri]
    assert check(text).verdict.kind == "valid"
    assert text.startswith("# Eleven at night, one T4 left")


async def test_safe_fixes_are_preferred_and_the_others_say_what_they_do(editor: Editor) -> None:
    uri = await opened(editor)
    found = await editor.diagnostics(uri)
    actions = await editor.actions(uri, found[0].range)
    assert actions[0].title == "Add bnb 4-bit"
    assert actions[0].is_preferred
    assert all(not a.is_preferred for a in actions[1:])
    assert any(a.title.endswith("(changes the run)") for a in actions)
    assert any(a.title.startswith("Make it run: ") for a in actions)
    assert any(a.title == "Ignore RF1001 on this line" for a in actions)
    assert any("forge.openEvidence" in str(a.command) for a in actions)


async def test_ignoring_silences_the_line(editor: Editor) -> None:
    uri = await opened(editor)
    found = await editor.diagnostics(uri)
    action = next(a for a in await editor.actions(uri, found[1].range) if a.title == "Ignore RF3001 on this line")
    editor.apply(action.edit)
    assert "per-layer-lr-rotation  # forge: ignore[RF3001]\n" in editor.texts[uri]
    assert await editor.codes(uri) == [code for code in ERRORS if code != "RF3001"]


async def test_fix_all_makes_only_what_is_safe(editor: Editor) -> None:
    uri = await opened(editor)
    whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=15, character=0))
    (action,) = await editor.actions(uri, whole, "source.fixAll.recipeforge")
    assert action.kind == "source.fixAll.recipeforge"
    editor.apply(action.edit)
    text = editor.texts[uri]
    assert "quantization: bnb-4bit" in text
    assert "precision: bf16" in text, "another precision changes the run"
    assert sorted(await editor.codes(uri)) == ["RF2051", "RF5218"], "to evaluate takes rows from the training"


async def test_make_it_run_applies_the_best_repair(editor: Editor) -> None:
    uri = await opened(editor)
    await editor.diagnostics(uri)
    answer = await editor.execute("forge.makeItRun", uri)
    assert check(editor.texts[uri]).verdict.kind == "valid"
    assert "bnb 4-bit" in str(answer)
    assert not [d for d in await editor.diagnostics(uri) if d.severity == 1]


async def test_verdict_estimate_and_pages(editor: Editor) -> None:
    uri = await opened(editor)
    verdict = await editor.execute("forge.verdict", uri)
    assert "conflicting" in str(verdict)
    estimate = await editor.execute("forge.estimate", uri)
    assert "activations" in str(estimate)
    assert "# RF1001" in str(await editor.execute("forge.explain", "RF1001"))
    assert await editor.execute("forge.explain", "no-such-thing") is None


async def test_other_yaml_is_never_touched(editor: Editor) -> None:
    uri = "file:///work/docker-compose.yaml"
    editor.open(uri, "services:\n  web: {image: nginx}\n optimizer: [\n", "yaml")
    if editor.pulls:
        assert await editor.codes(uri) == []
    marker = "file:///work/after.recipe.yaml"
    editor.open(marker, "recipeforge: 1\n")
    await editor.diagnostics(marker)
    assert editor.pushed(uri) is None
    nowhere = types.Range(start=types.Position(line=2, character=0), end=types.Position(line=2, character=3))
    assert not await editor.actions(uri, nowhere)
    editor.close(uri)


async def test_a_text_becomes_a_recipe_when_it_says_so(editor: Editor) -> None:
    uri = "file:///work/config.yaml"
    editor.open(uri, "model: x\n", "yaml")
    editor.change(uri, 0, 0, "recipeforge: 1\n")
    assert "RF0021" in await editor.codes(uri)
    editor.close(uri)


async def test_closing_takes_the_findings_back(editor: Editor) -> None:
    uri = await opened(editor, uri="file:///work/closing.recipe.yaml")
    await editor.diagnostics(uri)
    editor.close(uri)
    marker = await opened(editor)
    await editor.diagnostics(marker)
    if not editor.pulls:
        last = editor.pushed(uri)
        assert last is not None
        assert list(last.diagnostics) == []


async def test_an_untitled_text_is_checked(editor: Editor) -> None:
    uri = "untitled:Untitled-1"
    editor.open(uri, BROKEN)
    assert await editor.codes(uri) == ERRORS
    editor.close(uri)


async def test_unknown_texts_and_commands_are_answered(editor: Editor) -> None:
    nowhere = types.Range(start=types.Position(line=99, character=99), end=types.Position(line=99, character=99))
    assert not await editor.actions("file:///work/never-opened.recipe.yaml", nowhere)
    assert await editor.execute("forge.makeItRun", "file:///work/never-opened.recipe.yaml") is None
    uri = await opened(editor)
    assert not await editor.actions(uri, nowhere)


async def test_what_nothing_reads_is_faded(editor: Editor) -> None:
    uri = "file:///work/faded.recipe.yaml"
    editor.open(uri, "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: {use: full, rank: 8}\nprecision: fp16\nhardware: {gpu: cpu}\n")
    tags = {d.code: d.tags for d in await editor.diagnostics(uri)}
    assert list(tags["RF0015"]) == [types.DiagnosticTag.Unnecessary]
    assert list(tags["RF2056"]) == [types.DiagnosticTag.Unnecessary]
    assert not any(tags[code] for code in tags if code not in ("RF0015", "RF2056"))
    editor.close(uri)
