"""What the suites share: the header and the summary of a run, and Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import fusegrad as fg


def pytest_report_header() -> str:
    from fusegrad import _core

    return (
        f"fusegrad {fg.__version__} ({_core.compiler()}), ISA {_core.isa()} of "
        f"{', '.join(_core.isa_levels())}, threads {_core.num_threads()}, numpy {np.__version__}"
    )


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own answer to SIGINT: a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How large the gradient matrix was, where it ran."""
    checks = sys.modules.get("gradient_checks")
    if checks is not None and checks.TALLY.cases:
        for line in checks.TALLY.lines():
            terminalreporter.write_line(line)
