"""What the suites share: the header and the summary of a run, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest

import fusegrad as fg


def pytest_report_header() -> str:
    from fusegrad import _core

    return (
        f"fusegrad {fg.__version__} ({_core.compiler()}), ISA {_core.isa()} of "
        f"{', '.join(_core.isa_levels())}, threads {_core.num_threads()}, numpy {np.__version__}"
    )


_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def summary(pytestconfig: pytest.Config) -> list[str]:
    """Lines that the end of the run shows: what a test has counted or measured."""
    return pytestconfig.stash.setdefault(_LINES, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash.get(_LINES, [])
    checks = sys.modules.get("gradient_checks")
    if checks is not None and checks.TALLY.cases:  # how large the gradient matrix was
        lines = [*checks.TALLY.lines(), *lines]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own answer to SIGINT: a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted(ctrl_c: None) -> Callable[[float], AbstractContextManager[None]]:
    """A context that Ctrl-C reaches after so many seconds, and that soon ends by it."""

    @contextmanager
    def context(after: float) -> Iterator[None]:
        pressed = []

        def press() -> None:
            time.sleep(after)
            pressed.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            yield
        late = time.monotonic() - pressed[0]
        thread.join()
        assert late < 1.0  # 0.1 s on a machine with nothing else to do

    return context
