"""Settings: what a compiled step takes as constants, and must not miss a change of."""

from __future__ import annotations

from typing import Any, ClassVar

from fusegrad._spelling import Spelled


class Changes:
    """Counts the changes in this process of anything that steps or calls of a model depend on.

    Where the count is what it was, everything still holds that was found out about a model: its
    structure, its settings, which weights are trained. The elements of weights do not count.
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


#: Whoever sets an attribute of a layer, a weight, an optimizer or `Settings` counts it here.
changes = Changes()


class Settings(Spelled):
    """Base of losses, metrics, regularizers and schedules: counts how often attributes were set."""

    _edits = 0
    #: Attributes that a step does not depend on.
    _state: ClassVar[frozenset[str]] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name not in self._state:
            object.__setattr__(self, "_edits", self._edits + 1)
            changes.count += 1


def edits_of(value: Any) -> int:
    """Return how often attributes of a `Settings` were set; 0 for a function or None."""
    return value._edits if isinstance(value, Settings) else 0
