"""Where questions are worked on: off the event loop, each version of a text judged once, older ones given up.

Two threads: quick answers (findings, hover, completion) never wait for searches (repairs). When a text changes, what is
still asked about its older version raises `GivenUp`, also in the middle of a search.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recipeforge.lsp.analysis import Analysis, analyse
from recipeforge.lsp.open_files import OpenFile
from recipeforge.lsp.settings import ProjectSettings
from recipeforge.schemas.record import record
from recipeforge.solver.patience import GivenUp, Patience, asked_by

T = TypeVar("T")


@record
class _Case:
    """One version of one text under the settings of one moment."""

    file: OpenFile
    generation: int
    patience: Patience
    analysis: asyncio.Future[Analysis]


class Desk:
    """Answers questions about texts."""

    def __init__(self, settings: ProjectSettings) -> None:
        self._settings = settings
        self._quick = ThreadPoolExecutor(1, "forge-quick")
        self._deep = ThreadPoolExecutor(1, "forge-deep")
        self._cases: dict[str, _Case] = {}

    async def analysis(self, file: OpenFile) -> Analysis:
        """Return what is known about a version of a text.

        Raises:
            GivenUp: a newer version has come meanwhile.
        """
        return await asyncio.shield(self._case(file).analysis)

    async def ask(self, file: OpenFile, question: Callable[[Analysis], T], *, deep: bool = False) -> T:
        """Return the answer to a question about a version of a text.

        Raises:
            GivenUp: a newer version has come meanwhile.
        """
        case = self._case(file)
        known = await asyncio.shield(case.analysis)

        def work() -> T:
            with asked_by(case.patience):
                return question(known)

        return await asyncio.get_running_loop().run_in_executor(self._deep if deep else self._quick, work)

    def give_up(self, uri: str) -> None:
        """Stop all work on the text as it was."""
        case = self._cases.pop(uri, None)
        if case is not None:
            case.patience.give_up()

    def close(self) -> None:
        """Stop all work."""
        for uri in tuple(self._cases):
            self.give_up(uri)
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._deep.shutdown(wait=False, cancel_futures=True)

    def _case(self, file: OpenFile) -> _Case:
        """Return the work on this version, begun now if it is new."""
        now = self._cases.get(file.uri)
        if now is not None and now.file is file and now.generation == self._settings.generation:
            return now
        self.give_up(file.uri)
        patience = Patience()
        config, _ = self._settings.for_file(file.path)
        client = self._settings.client

        def work() -> Analysis:
            if patience.over:
                raise GivenUp
            with asked_by(patience):
                return analyse(file, config, client)

        loop = asyncio.get_running_loop()
        found = asyncio.ensure_future(loop.run_in_executor(self._quick, work))
        found.add_done_callback(_seen)
        self._cases[file.uri] = case = _Case(file, self._settings.generation, patience, found)
        return case


def _seen(done: asyncio.Future[Analysis]) -> None:
    """Look at an outcome that perhaps nobody awaits, so that asyncio does not complain about it."""
    if not done.cancelled():
        done.exception()
