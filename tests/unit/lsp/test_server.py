"""The server around the features: a bug in one is logged, shown once and survived; "undecided" is said."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest
from lsprotocol import types

from recipeforge.lsp import registry
from recipeforge.lsp.analysis import analyse
from recipeforge.lsp.convert import diagnostics
from recipeforge.lsp.features import hover
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.registry import answers, command
from recipeforge.lsp.server import ForgeServer
from recipeforge.lsp.settings import ClientSettings
from recipeforge.lsp.text import Text
from recipeforge.schemas.verdict import Verdict

URI = "file:///work/a.recipe.yaml"
RECIPE = "recipeforge: 1\nmodel: Qwen/Qwen2.5-1.5B\ntechnique: lora\n"


def asked() -> types.HoverParams:
    return types.HoverParams(text_document=types.TextDocumentIdentifier(uri=URI), position=types.Position(line=2, character=12))


def test_a_bug_in_a_feature_is_survived(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(known: Any, params: Any) -> None:
        raise ZeroDivisionError("a bug")

    method = types.TEXT_DOCUMENT_HOVER
    monkeypatch.setitem(registry.FEATURES, method, replace(registry.FEATURES[method], answer=broken))
    server = ForgeServer()
    shown: list[str] = []
    monkeypatch.setattr(server, "window_show_message", lambda params: shown.append(params.message))
    server.files.open(types.TextDocumentItem(uri=URI, language_id="yaml", version=1, text=RECIPE))

    async def twice() -> list[Any]:
        return [await server.protocol.fm.features[method](asked()) for _ in range(2)]

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(twice()) == [None, None]
    assert len(shown) == 1, "shown once"
    assert "textDocument/hover failed (ZeroDivisionError: a bug)" in shown[0]
    assert sum("hover failed" in record.message for record in caplog.records) == 2, "logged every time"
    server.desk.close()


def test_two_answers_for_one_request_are_refused() -> None:
    assert hover is not None
    with pytest.raises(ValueError, match="answered twice"):
        answers(types.TEXT_DOCUMENT_HOVER)(lambda known, params: None)
    with pytest.raises(ValueError, match="there twice"):
        command("forge.makeItRun")(lambda server: asyncio.sleep(0))


def test_undecided_is_said() -> None:
    known = analyse(OpenFile(URI, 1, "yaml", Text(RECIPE)), replace(ClientSettings().target), ClientSettings())
    report = replace(known.report, verdict=Verdict("undecided", spent="no answer within 5 s"))
    (told,) = [d for d in diagnostics(replace(known, report=report), True) if d.code == "undecided"]
    assert told.message == "undecided: no answer within 5 s"
