"""The server: it knows the open texts and the settings, hands requests to the features, and survives what they get wrong."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.lsp.server import LanguageServer

import recipeforge.lsp.features  # noqa: F401  (registers them)
from recipeforge import __version__
from recipeforge.lsp.analysis import Analysis
from recipeforge.lsp.desk import Desk
from recipeforge.lsp.open_files import OpenFile, OpenFiles
from recipeforge.lsp.protocol import CONTENT_MODIFIED, SERVER_CANCELLED, ForgeProtocol
from recipeforge.lsp.registry import COMMANDS, FEATURES, Act, Feature
from recipeforge.lsp.settings import ProjectSettings
from recipeforge.solver.patience import GivenUp

log = logging.getLogger("recipeforge.lsp")

ISSUE_HINT = "the server goes on without it; `recipeforge check FILE` shows the same findings on the command line"


class ForgeServer(LanguageServer):
    """One client's server."""

    def __init__(self) -> None:
        super().__init__("recipeforge", __version__, protocol_cls=ForgeProtocol)
        self.files = OpenFiles()
        self.settings = ProjectSettings()
        self.desk = Desk(self.settings)
        self.pulls_diagnostics = False
        self.wants_status = False
        """Whether the client asked for `recipeforge/status` notifications."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self._told: set[str] = set()
        for feature in FEATURES.values():
            self.feature(feature.method, feature.options)(self._answering(feature))
        for name, act in COMMANDS.items():
            self.command(name)(self._acting(name, act))

    # -- talking to the client ------------------------------------------------------------------------------

    def tell_once(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """Show a message, once in the life of the server."""
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(type=kind, message=f"recipeforge: {message}"))

    def crashed(self, what: str, error: BaseException) -> None:
        """Log a bug of ours, and show it once."""
        log.error("%s failed", what, exc_info=error)
        self.tell_once(f"{what} failed ({type(error).__name__}: {error}); {ISSUE_HINT}", types.MessageType.Error)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what pygls caught, and show it once instead of at every keystroke; a request's own answer tells its error."""
        if source is not FeatureRequestError:
            self.crashed("handling a message", error)

    def spawn(self, work: Awaitable[Any], what: str) -> asyncio.Task[Any]:
        """Start work that nobody awaits; a crash in it is told like any other."""

        async def guarded() -> Any:
            try:
                return await work
            except (GivenUp, asyncio.CancelledError):
                return None
            except JsonRpcException as refused:  # the client's own business; all that is asked of it can be done without
                log.info("%s: the client refused: %s", what, refused)
                return None
            except Exception as error:
                self.crashed(what, error)
                return None

        task = asyncio.get_running_loop().create_task(guarded())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    # -- answering ------------------------------------------------------------------------------------------

    def recipe(self, uri: str) -> OpenFile | None:
        """Return the open text if it is a recipe; all other texts are left alone."""
        file = self.files.get(uri)
        return file if file is not None and file.is_recipe else None

    async def analysis(self, uri: str) -> Analysis | None:
        """Return what is known about an open recipe; `None` for any other text.

        Raises:
            GivenUp: it changed meanwhile.
        """
        file = self.recipe(uri)
        return await self.desk.analysis(file) if file is not None else None

    def _answering(self, feature: Feature) -> Callable[[Any], Awaitable[Any]]:
        async def answer(params: Any) -> Any:
            uri = feature.text_of(params)
            file = self.recipe(uri) if uri else None
            if file is None:
                return feature.otherwise(params)
            try:
                return await self.desk.ask(file, lambda known: feature.answered(known, params), deep=feature.deep)
            except GivenUp:
                raise JsonRpcException("the text changed meanwhile", CONTENT_MODIFIED) from None
            except Exception as error:
                self.crashed(feature.method, error)
                return feature.otherwise(params)

        return answer

    def _acting(self, name: str, act: Act) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any) -> Any:
            try:
                return await act(self, *arguments)
            except GivenUp:
                raise JsonRpcException("the text changed meanwhile", CONTENT_MODIFIED) from None
            except Exception as error:
                self.crashed(name, error)
                return None

        return run


def _expected(record: logging.LogRecord) -> bool:
    """Keep out of the log what is no fault: an answer that came too late, since the text had changed."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, JsonRpcException) and error.code in (CONTENT_MODIFIED, SERVER_CANCELLED))


def serve() -> None:
    """Serve one client on standard input and output until it leaves."""
    from recipeforge.catalog.load import load
    from recipeforge.lsp.lifecycle import install

    logging.getLogger("pygls.protocol.json_rpc").addFilter(_expected)
    server = ForgeServer()
    install(server)
    load()
    # Modules and catalog stay for good: kept out of later collections, which otherwise halt typing for tens of milliseconds.
    gc.collect()
    gc.freeze()
    server.start_io()
