"""The errors that fusegrad raises on purpose."""

from __future__ import annotations

__all__ = ["ArgumentError"]

_LONGEST = 300  # characters of what was given


class ArgumentError(ValueError):
    """A wrong argument: which one, what was expected, what was given.

    Raised before anything is written, so what the call would have changed is as it was.

    Parameters
    ----------
    where : str
        The function that was called.
    argument : str
        The name of its argument.
    expected : str
        What would have been right.
    got : str
        What was given; of a long text the beginning and the end, on one line.

    Examples
    --------
    >>> import fusegrad as fg
    >>> try:
    ...     fg.ops.matmul(fg.ops.ones((2, 3)), fg.ops.ones((4, 2)))
    ... except fg.errors.ArgumentError as error:
    ...     print(type(error.argument).__name__, isinstance(error, ValueError))
    str True
    """

    def __init__(self, where: str, argument: str, expected: str, got: str) -> None:
        got = _one_line(got)
        super().__init__(where, argument, expected, got)
        self.where = where
        self.argument = argument
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        """Return ``where(): argument 'name': expected this, got that``."""
        function = self.where.replace(".", "").isidentifier()
        place = f"{self.where}()" if function else self.where
        prefix = f"{place}: " if place else ""
        return f"{prefix}argument '{self.argument}': expected {self.expected}, got {self.got}"


def _one_line(text: str) -> str:
    """Return a text, such as the repr of an array, as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 100]} ... {line[-95:]}"
