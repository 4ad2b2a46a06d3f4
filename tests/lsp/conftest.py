from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

pytest.importorskip("pygls", reason="the language server needs the `lsp` extra")
pytest.importorskip("pytest_lsp", reason="pytest-lsp drives the server in these tests")

from tests.lsp.editor import CLIENTS, Editor


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=CLIENTS)
async def editor(request: pytest.FixtureRequest) -> AsyncIterator[Editor]:
    """A client of each kind with a server of its own, for all tests of a module."""
    started = await Editor.started(request.param)
    yield started
    await started.stop()
    errors = [m.message for m in started.client.messages if "failed" in m.message]
    assert not errors, errors
