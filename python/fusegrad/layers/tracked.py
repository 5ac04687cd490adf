"""Lists and dicts that are attributes of a layer: what is put into them later belongs to it too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, SupportsIndex

if TYPE_CHECKING:
    from fusegrad.layers.base import Layer


class TrackedList(list[Any]):
    """A list that tells its layer of new elements."""

    def __init__(self, values: Iterable[Any] = (), owner: Layer | None = None) -> None:
        super().__init__(values)
        self._owner = owner

    def append(self, value: Any) -> None:
        """Append a value."""
        super().append(value)
        _tell(self, value)

    def extend(self, values: Iterable[Any]) -> None:
        """Append several values."""
        added = list(values)
        super().extend(added)
        _tell(self, added)

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Insert a value."""
        super().insert(index, value)
        _tell(self, value)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        _tell(self, value)

    def __iadd__(self, values: Iterable[Any]) -> TrackedList:  # type: ignore[misc]
        self.extend(values)
        return self

    def __reduce__(self) -> Any:
        return TrackedList, (list(self), self.__dict__.get("_owner"))


class TrackedDict(dict[Any, Any]):
    """A dict that tells its layer of new values."""

    def __init__(self, values: Any = (), owner: Layer | None = None) -> None:
        super().__init__(values)
        self._owner = owner

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        _tell(self, value)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take over the entries of another dict."""
        super().update(*args, **kwargs)
        _tell(self, dict(*args, **kwargs))

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key, which is set where it is missing."""
        value = super().setdefault(key, default)
        _tell(self, value)
        return value

    def __reduce__(self) -> Any:
        return TrackedDict, (dict(self), self.__dict__.get("_owner"))


def _tell(container: TrackedList | TrackedDict, value: Any) -> None:
    owner = container._owner
    if owner is not None and "_own_weights" in owner.__dict__:
        owner._track(value)
        owner._note_edit()
