"""Standard output: whether someone watches it, how wide it is, what it can show."""

from __future__ import annotations

import os
import sys
from typing import Any

_COLUMNS = 80  # of a terminal that does not say


def is_notebook(stream: Any) -> bool:
    """Whether what is written to the stream appears in a notebook."""
    return type(stream).__module__.startswith("ipykernel")


def is_interactive() -> bool:
    """Whether standard output can draw over a line: a terminal or a notebook."""
    stream = sys.stdout
    if is_notebook(stream):
        return True
    # IDLE's window says that it is a terminal, and shows a carriage return as a character.
    if type(stream).__module__.startswith("idlelib") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # none, a replaced, or a closed stream
        return False


def columns() -> int | None:
    """Return the width of the terminal; None in a notebook, which wraps lines itself."""
    if is_notebook(sys.stdout):
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _COLUMNS
    except (AttributeError, OSError, ValueError):
        return _COLUMNS


def can_show(text: str) -> bool:
    """Whether the encoding of standard output has these characters."""
    return shown(text) == text


def shown(text: str) -> str:
    """Return the text with escapes for characters that standard output cannot encode."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def write_line(line: str) -> None:
    """Write a line to standard output at once."""
    sys.stdout.write(shown(line) + "\n")
    sys.stdout.flush()
