"""What must not hurt: a killed server, many texts, hostile texts, bad settings, a bug in one feature, work that is superseded."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="function")

BROKEN = (Path(__file__).parent.parent.parent / "examples" / "broken-qlora.yaml").read_text()
ERRORS = ["RF1001", "RF3001", "RF2051", "RF4001", "RF5218"]
NEOVIM, CODE = "neovim@0.11.0", "visual_studio_code@1.65.2"


async def test_a_killed_server_is_replaced_and_nothing_is_lost() -> None:
    editor = await Editor.started(NEOVIM)
    uri = "file:///work/kept.recipe.yaml"
    editor.open(uri, BROKEN)
    editor.change(uri, 0, 0, "# typed before the server died\n")
    process = editor.client._server  # type: ignore[attr-defined]
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    text = editor.texts[uri]
    successor = await Editor.started(NEOVIM)
    successor.open(uri, text)  # what a client does: it opens its own texts again
    assert await successor.codes(uri) == ERRORS
    await successor.stop()


async def test_fifty_recipes_are_open() -> None:
    editor = await Editor.started(CODE)
    uris = [f"file:///work/{i}.recipe.yaml" for i in range(50)]
    for uri in uris:
        editor.open(uri, BROKEN)
    for uri in uris:
        assert await editor.codes(uri) == ERRORS
    for uri in uris[::7]:
        editor.change(uri, 0, 0, "# once more\n")
        assert await editor.codes(uri) == ERRORS
    await editor.stop()


REPEATED = "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))
HOSTILE = {
    "deep": "recipeforge: 1\nmodel: " + "[" * 20_000,
    "deep-block": "recipeforge: 1\n" + "".join(f"{' ' * i}a:\n" for i in range(600)),
    "bomb": f"recipeforge: 1\na: &a [x,x,x,x,x,x,x,x,x]\n{REPEATED}",
    "long-line": "recipeforge: 1\nname: " + "x" * 5_000_000,
    "many-keys": "recipeforge: 1\n" + "".join(f"key_{i}: {i}\n" for i in range(30_000)),
    "control": "recipeforge: 1\nname: \x00\x07\n",
    "surrogates": "recipeforge: 1\nname: \ud800\n",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_text_is_refused_politely(name: str) -> None:
    editor = await Editor.started(NEOVIM)
    uri, calm = "file:///work/hostile.recipe.yaml", "file:///work/calm.recipe.yaml"
    editor.open(calm, BROKEN)
    await editor.diagnostics(calm)
    began = time.monotonic()
    editor.open(uri, HOSTILE[name].encode("utf-8", "replace").decode() if name == "surrogates" else HOSTILE[name])
    found = await editor.diagnostics(uri)
    took = time.monotonic() - began
    print(f"{name}: {len(found)} findings in {took:.2f} s")
    assert found
    assert await editor.codes(calm) == ERRORS, "and the other texts go on"
    await editor.stop()


async def test_ten_thousand_lines_stay_responsive() -> None:
    editor = await Editor.started(NEOVIM)
    uri = "file:///work/long.recipe.yaml"
    editor.open(uri, BROKEN + "# a line of notes\n" * 10_000)
    assert await editor.codes(uri) == ERRORS
    for letter in "half-typed":
        editor.change(uri, 2, 2, letter)
    assert await editor.codes(uri) == ERRORS
    await editor.stop()


async def test_bad_settings_are_shown_once_and_left_aside() -> None:
    bad = {
        "gpu": 7,
        "gpus": "two",
        "packages": {"torch": "new"},
        "select": "RF1",
        "ignore": ["RF99999"],
        "inlayHints": "yes",
        "debounceMs": -1,
    }
    editor = await Editor.started(CODE, {"settings": bad})
    uri = "file:///work/a.recipe.yaml"
    editor.open(uri, BROKEN)
    assert await editor.codes(uri) == ERRORS
    editor.change(uri, 0, 0, "#\n")
    await editor.diagnostics(uri)
    told = [m.message for m in editor.client.messages]
    for key in ("gpu", "gpus", "packages", "select", "ignore", "inlayHints", "debounceMs"):
        assert sum(f"recipeforge.{key}`" in message for message in told) == 1, (key, told)
    await editor.stop()


async def test_a_broken_project_file_is_shown_and_left_aside(tmp_path: Path) -> None:
    (tmp_path / "recipeforge.toml").write_text('gpu = "h100"\nselct = []\n')
    editor = await Editor.started(CODE)
    uri = (tmp_path / "a.recipe.yaml").as_uri()
    editor.open(uri, BROKEN)
    assert await editor.codes(uri) == ERRORS
    assert any("did you mean `select`?" in m.message for m in editor.client.messages)
    (tmp_path / "recipeforge.toml").write_text('ignore = ["RF1", "RF3", "RF4", "RF5"]\n')
    changed = types.FileEvent(uri=(tmp_path / "recipeforge.toml").as_uri(), type=types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[changed]))
    editor.change(uri, 0, 0, "#\n")
    assert await editor.codes(uri) == ["RF2051"]
    await editor.stop()


async def test_settings_of_the_client_count() -> None:
    editor = await Editor.started(CODE, {"settings": {"gpu": "a100-40gb", "select": ["RF4", "RF2"]}})
    uri = "file:///work/a.recipe.yaml"
    editor.open(uri, BROKEN)
    assert await editor.codes(uri) == []
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings={"recipeforge": {"gpu": "t4"}}))
    editor.change(uri, 0, 0, "#\n")
    assert await editor.codes(uri) == ERRORS
    await editor.stop()


async def test_the_last_of_many_edits_is_answered_and_older_ones_are_given_up() -> None:
    editor = await Editor.started(CODE)
    uri = "file:///work/a.recipe.yaml"
    editor.open(uri, BROKEN)
    for _ in range(300):
        editor.change(uri, 0, 0, "#\n")
    assert await editor.codes(uri) == ERRORS
    pushed = editor.pushed(uri)
    assert pushed is not None
    assert pushed.version == 301
    whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=320, character=0))
    asked = [asyncio.ensure_future(editor.actions(uri, whole)) for _ in range(5)]
    editor.change(uri, 0, 0, "#\n")
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    codes = {getattr(outcome, "code", None) for outcome in outcomes if isinstance(outcome, BaseException)}
    assert codes <= {-32801}, "what is given up says that the text changed"
    assert await editor.codes(uri) == ERRORS
    await editor.stop()


async def test_a_cancelled_request_is_answered_as_cancelled() -> None:
    editor = await Editor.started(CODE)
    uri = "file:///work/a.recipe.yaml"
    editor.open(uri, BROKEN)
    whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=15, character=0))
    params = types.CodeActionParams(text_document=editor.document(uri), range=whole, context=types.CodeActionContext(diagnostics=[]))
    request = editor.client.protocol.send_request("textDocument/codeAction", params, msg_id="to-cancel")
    editor.client.cancel_request(types.CancelParams(id="to-cancel"))
    with pytest.raises(Exception, match="cancel"):
        await asyncio.wait_for(asyncio.wrap_future(request), 10)
    assert await editor.codes(uri) == ERRORS
    await editor.stop()
