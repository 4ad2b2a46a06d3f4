"""How fast the language server answers over stdio, beside a bare pygls server that only echoes, measured in the same run.

    python benchmarks/lsp.py [--edits 500] [--endurance 20000]

A 200-line recipe is edited as a person types; the clock runs from the end of the debounce (set to 0 here, so from the
notification) to the diagnostics of that very version. Prints p50 and p99 of edit → diagnostics, completion and hover,
the start, the share of parsing, solving and the rest, and with `--endurance` the memory over many edits.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

RECIPE = Path(__file__).parent.parent / "examples" / "broken-qlora.yaml"
LINES = 200
URI = "file:///bench/bench.recipe.yaml"
DOCUMENT = types.TextDocumentIdentifier(uri=URI)

ECHO = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("echo", "1")
@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def opened(ls, params):
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=params.text_document.uri, version=1, diagnostics=[]))
@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(ls, params):
    document = params.text_document
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=document.uri, version=document.version, diagnostics=[]))
@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(params):
    return None
server.start_io()
"""


def recipe_text() -> str:
    """Return a broken recipe of 200 lines: the example, and comments as people keep them."""
    text = RECIPE.read_text(encoding="utf-8")
    missing = LINES - text.count("\n")
    return text + "".join(f"# run {i}: held-out loss noted here, with the date and the commit it was made from\n" for i in range(missing))


class Editor:
    """A client that types."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.client = LanguageClient("bench", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.version = 1
        self.started_s = 0.0

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @self.client.feature(types.WINDOW_SHOW_MESSAGE)
        def _(params: types.ShowMessageParams) -> None:
            print(f"the server says: {params.message}")

    async def open(self, text: str) -> None:
        """Start the server and open the recipe."""
        start = time.perf_counter()
        await self.client.start_io(*self.command)
        related = types.PublishDiagnosticsClientCapabilities(related_information=True)
        capabilities = types.ClientCapabilities(text_document=types.TextDocumentClientCapabilities(publish_diagnostics=related))
        options = {"settings": {"debounceMs": 0}}
        await self.client.initialize_async(types.InitializeParams(capabilities=capabilities, initialization_options=options))
        self.started_s = time.perf_counter() - start
        self.client.initialized(types.InitializedParams())
        item = types.TextDocumentItem(uri=URI, language_id="recipeforge", version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        await self.diagnostics()

    async def edit(self, line: int, column: int, length: int, text: str) -> float:
        """Replace a stretch of one line; return milliseconds until the diagnostics of this version."""
        self.version += 1
        place = types.Range(start=types.Position(line=line, character=column), end=types.Position(line=line, character=column + length))
        change = types.TextDocumentContentChangePartial(range=place, text=text)
        document = types.VersionedTextDocumentIdentifier(uri=URI, version=self.version)
        start = time.perf_counter()
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))
        await self.diagnostics()
        return (time.perf_counter() - start) * 1e3

    async def diagnostics(self) -> types.PublishDiagnosticsParams:
        """Return the diagnostics of the present version."""
        while True:
            found = await asyncio.wait_for(self.published.get(), 30)
            if found.version == self.version:
                return found

    def memory_mib(self) -> float:
        """Return the server's resident memory, MiB (Linux)."""
        process: Any = self.client._server  # pyright: ignore[reportPrivateUsage]
        fields = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in fields if line.startswith("VmRSS")) / 1024

    async def close(self) -> None:
        """Stop the server."""
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()


def keystrokes(text: str, count: int) -> list[tuple[int, int, int, str]]:
    """Return edits as a person makes them: digits of numbers, names typed letter by letter, comments, keys begun and finished."""
    lines = text.splitlines()
    rate = next(i for i, line in enumerate(lines) if "learning_rate" in line)
    digit = lines[rate].index("2.0e-4")
    batch = next(i for i, line in enumerate(lines) if line.startswith("batch:"))
    micro = lines[batch].index("micro: ") + len("micro: ")
    cycle = [
        *((rate, digit, 1, str(number)) for number in range(1, 10)),
        *((batch, micro, 1, str(number)) for number in (8, 2, 1, 4)),
        (0, 2, 0, "x"),
        (0, 2, 1, ""),
        *typed(2, len(lines[2]), " v2"),
        *typed(len(lines), 0, "logging: [jso"),
    ]
    return cycle * -(-count // len(cycle))  # whole cycles, which leave the text as it was


def typed(line: int, column: int, word: str) -> list[tuple[int, int, int, str]]:
    """Return the edits that type a word on one line and take it back."""
    forth = [(line, column + i, 0, letter) for i, letter in enumerate(word)]
    back = [(line, column + i, 1, "") for i in range(len(word) - 1, -1, -1)]
    return [*forth, *back]


def row(name: str, times: list[float]) -> None:
    """Print one line of the table."""
    ordered = sorted(times)
    print(f"{name:<44}{statistics.median(ordered):>9.2f}{ordered[int(len(ordered) * 0.99)]:>9.2f}{len(ordered):>9}")


async def timed(ask: Callable[[], Awaitable[Any]], count: int) -> list[float]:
    """Return milliseconds of each request."""
    found: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        await ask()
        found.append((time.perf_counter() - start) * 1e3)
    return found


async def typing(editor: Editor, text: str, count: int) -> list[float]:
    """Return milliseconds from each edit to its diagnostics."""
    return [await editor.edit(*edit) for edit in keystrokes(text, count)]


def shares(text: str) -> None:
    """Print where the time goes inside the server, measured in this process."""
    from recipeforge.api.checking import check_document
    from recipeforge.api.config import Config
    from recipeforge.catalog.load import load
    from recipeforge.documents.mend import parse_half_typed
    from recipeforge.lsp.analysis import Analysis
    from recipeforge.lsp.convert import diagnostics
    from recipeforge.lsp.open_files import OpenFile
    from recipeforge.lsp.settings import ClientSettings
    from recipeforge.lsp.text import Text

    spent = {"parse": [], "read and solve": [], "convert": []}  # type: dict[str, list[float]]
    for i in range(200):
        version = text.replace("2.0e-4", f"{i % 9 + 1}.{i % 10}e-4")
        at = [time.perf_counter()]
        document = parse_half_typed(version, "bench.recipe.yaml")
        at.append(time.perf_counter())
        report = check_document(document, {}, fixes=False)
        at.append(time.perf_counter())
        diagnostics(Analysis(OpenFile(URI, i, "recipeforge", Text(version)), document, report, load(), Config(), ClientSettings()), True)
        at.append(time.perf_counter())
        for name, before, after in zip(spent, at, at[1:], strict=False):
            spent[name].append((after - before) * 1e3)
    print("inside the server: " + ", ".join(f"{name} {statistics.median(times):.2f} ms" for name, times in spent.items()))


async def endure(editor: Editor, text: str, count: int) -> None:
    """Print the server's memory over many edits."""
    edits = keystrokes(text, count)
    marks: list[float] = []
    for index, edit in enumerate(edits):
        await editor.edit(*edit)
        if index % max(count // 10, 1) == 0:
            marks.append(editor.memory_mib())
    marks.append(editor.memory_mib())
    settled = marks[1:]
    spread = (max(settled) - min(settled)) / settled[0] * 100
    print(f"memory over {count:,} edits: {' '.join(f'{m:.0f}' for m in marks)} MiB; spread after the first tenth {spread:.1f} %")


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=500)
    parser.add_argument("--endurance", type=int, default=0, metavar="N")
    args = parser.parse_args()
    text = recipe_text()
    forge, echo = Editor(sys.executable, "-m", "recipeforge", "lsp"), Editor(sys.executable, "-c", ECHO)
    await echo.open(text)
    await forge.open(text)
    print(f"start to initialized: {forge.started_s:.2f} s (bare pygls {echo.started_s:.2f} s)")
    print(f"{'milliseconds over stdio':<44}{'p50':>9}{'p99':>9}{'calls':>9}")
    bare = await typing(echo, text, args.edits)
    ours = await typing(forge, text, args.edits)
    row("edit → diagnostics, bare pygls", bare)
    row("edit → diagnostics", ours)
    lines = text.splitlines()
    optimizer = next(i for i, line in enumerate(lines) if line.startswith("optimizer:"))
    place = types.Position(line=optimizer, character=lines[optimizer].index("adamw") + 2)
    bare_hover = await timed(lambda: echo.client.text_document_hover_async(types.HoverParams(text_document=DOCUMENT, position=place)), 200)
    hover = await timed(lambda: forge.client.text_document_hover_async(types.HoverParams(text_document=DOCUMENT, position=place)), 200)
    asked = types.CompletionParams(text_document=DOCUMENT, position=place)
    completion = await timed(lambda: forge.client.text_document_completion_async(asked), 200)
    row("hover, bare pygls", bare_hover)
    row("hover", hover)
    row("completion", completion)
    ratio = statistics.median(ours) / statistics.median(bare)
    print(f"edit → diagnostics: {ratio:.1f} times a bare pygls server")
    shares(text)
    if args.endurance:
        await endure(forge, text, args.endurance)
    await forge.close()
    await echo.close()


if __name__ == "__main__":
    asyncio.run(main())
