"""Training from the editor: `recipeforge run` as a process of its own, with progress, cancel, and a log the client opens."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import from_fs_path

from recipeforge.catalog.cache import cache_dir
from recipeforge.lsp.registry import command

if TYPE_CHECKING:
    from recipeforge.lsp.server import ForgeServer

STATES = {0: "finished", 1: "refused or failed", 2: "refused", 3: "undecided", 130: "interrupted", -2: "interrupted"}
"""Exit codes of `recipeforge run`, where its own answer does not say more."""


@command("forge.run")
async def run(server: ForgeServer, uri: str) -> dict[str, Any] | None:
    """Train a recipe; return its log and how it ended. The file on disk is what runs, so it has to be saved."""
    file = server.files.get(uri)
    path = Path(file.path) if file is not None else None
    if file is None or path is None or not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != file.text.content:
        _say(server, "save the recipe first: what runs is the file on disk")
        return None
    log = _log_of(path)
    progress = await _Progress.begun(server, f"Training {path.name}")
    await _show(server, log)
    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "recipeforge", "run", str(path), "--format", "json"),
            cwd=path.parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        progress.stops(process)
        try:
            answer = await _follow(process, sink, progress)
        finally:
            if process.returncode is None:  # the server leaves while it runs
                process.send_signal(signal.SIGINT)
    row = _row(answer)
    code = process.returncode if process.returncode is not None else -1
    state = str(row.get("state") or STATES.get(code, f"ended with exit code {code}"))
    progress.end(state)
    _say(server, f"{path.name}: {state}" + (f", run {row['id']}" if row.get("id") else f"; the reasons are in {log}"))
    return {"log": from_fs_path(str(log)), "state": state, "id": row.get("id")}


async def _follow(process: asyncio.subprocess.Process, sink: Any, progress: _Progress) -> bytes:
    """Write what a run says to its log, line by line, and return its answer."""
    assert process.stdout is not None
    assert process.stderr is not None
    answer = asyncio.ensure_future(process.stdout.read())
    while line := await process.stderr.readline():
        sink.write(line)
        sink.flush()
        progress.report(line.decode(errors="replace").strip())
    told = await answer
    await process.wait()
    sink.write(told)
    return told


def _row(answer: bytes) -> dict[str, Any]:
    """Return the ledger's row; a recipe that was refused has none."""
    try:
        told = json.loads(answer)
    except ValueError:
        return {}
    row = told.get("run") if isinstance(told, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return row if isinstance(row, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _log_of(path: Path) -> Path:
    folder = cache_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}.log"


async def _show(server: ForgeServer, log: Path) -> None:
    """Open the log beside the recipe, where the client can."""
    window, uri = server.client_capabilities.window, from_fs_path(str(log))
    log.touch()
    if uri and window is not None and window.show_document is not None and window.show_document.support:
        await server.window_show_document_async(types.ShowDocumentParams(uri=uri, external=False, take_focus=False))


def _say(server: ForgeServer, message: str) -> None:
    server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=message))


class _Progress:
    """A progress bar with a cancel button, for clients that have one."""

    def __init__(self, server: ForgeServer, token: str, shown: bool) -> None:
        self._server, self._token, self._shown = server, token, shown

    @classmethod
    async def begun(cls, server: ForgeServer, title: str) -> _Progress:
        """Show the bar."""
        window, token = server.client_capabilities.window, str(uuid.uuid4())
        shown = window is not None and bool(window.work_done_progress)
        if shown:
            await server.work_done_progress.create_async(token)
            begin = types.WorkDoneProgressBegin(title=title, cancellable=True)
            server.work_done_progress.begin(token, begin)
        return cls(server, token, shown)

    def stops(self, process: asyncio.subprocess.Process) -> None:
        """Let the cancel button stop a process: like Ctrl-C, so that a checkpoint is left."""
        if not self._shown:
            return

        def stop(_: object) -> None:
            if process.returncode is None and self._server.work_done_progress.tokens[self._token].cancelled():
                process.send_signal(signal.SIGINT)

        self._server.work_done_progress.tokens[self._token].add_done_callback(stop)

    def report(self, line: str) -> None:
        """Show the last line."""
        if self._shown and line:
            self._server.work_done_progress.report(self._token, types.WorkDoneProgressReport(message=line))

    def end(self, state: str) -> None:
        """Take the bar away."""
        if self._shown:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=state))
