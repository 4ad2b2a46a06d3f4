"""What suites saw, told at the end of the run: counts of random cases, shares of reports, kinds of examples.

A suite says it through the fixture `saw`. Processes of a parallel run hand theirs to the one that prints.
"""

import pytest

SAID = pytest.StashKey[list[str]]()
HANDED = "said"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SAID] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    node.config.stash[SAID] += getattr(node, "workeroutput", {}).get(HANDED, [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[HANDED] = session.config.stash[SAID]


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if told := config.stash[SAID]:
        terminalreporter.section("what the suites saw")
        for text in told:
            terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def saw(pytestconfig: pytest.Config):
    """Say what a suite saw."""
    return pytestconfig.stash[SAID].append
