"""Names to objects: the closed tables that strings such as ``"relu"`` and ``"adam"`` resolve in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Generic, TypeVar

from fusegrad._spelling import nearest
from fusegrad.errors import ArgumentError

T = TypeVar("T")


class Registry(Generic[T]):
    """One table of named objects of a kind, such as the losses.

    The error for an unknown name tells its nearest match, whatever the case.

    Parameters
    ----------
    where : str
        The function that error messages name, such as ``"losses.get"``.
    kind : str
        What the table holds, as error messages call it: ``"loss"``.
    any_case : bool, default False
        Whether names are looked up whatever their case, as Keras does for optimizers only.
    """

    def __init__(self, where: str, kind: str, any_case: bool = False) -> None:
        self.where = where
        self.kind = kind
        self.any_case = any_case
        self._objects: dict[str, T] = {}
        self._first: dict[str, None] = {}  # the first name of each object
        self._suggestions: dict[str, str] = {}  # what to write, by lower-case names

    def add(self, value: T, *names: str) -> T:
        """Register `value` under each of `names`; the first is the one that messages list."""
        self._first[names[0]] = None
        for name in names:
            self._objects[self._key(name)] = value
            self._suggestions.setdefault(name.lower(), names[0] if self.any_case else name)
        return value

    def find(self, name: str) -> T | None:
        """Return what `name` stands for, or None."""
        return self._objects.get(self._key(name))

    def resolve(self, name: str, argument: str = "identifier", where: str | None = None) -> T:
        """Return what `name` stands for, or raise ArgumentError naming the nearest match."""
        found = self.find(name)
        if found is None:
            raise ArgumentError(
                where or self.where,
                argument,
                f"the name of {_article(self.kind)} {self.kind}{self._suggest(name)}",
                repr(name),
            )
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def _key(self, name: str) -> str:
        return name.lower() if self.any_case else name

    def _suggest(self, name: str) -> str:
        near = nearest(name, self._suggestions, cutoff=0.5)
        if near:
            return f" (did you mean '{self._suggestions[near.lower()]}'?)"
        return " among " + ", ".join(f"'{known}'" for known in sorted(self))


@contextmanager
def named(where: str, argument: str) -> Iterator[None]:
    """Let an error about an identifier name the argument that it was given for."""
    try:
        yield
    except ArgumentError as error:
        if error.argument != "identifier":
            raise
        raise ArgumentError(where, argument, error.expected, error.got) from None


def looked_up(table: Mapping[Any, T], function: Any) -> T | None:
    """Return what a table holds for one of our functions; one of the user's may have no hash."""
    return table.get(function) if isinstance(function, FunctionType) else None


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeiou" else "a"


def snake_case(name: str) -> str:
    """Return a class name in snake case, as Keras names layers and losses.

    Examples
    --------
    >>> snake_case("MeanSquaredError")
    'mean_squared_error'
    """
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()


def config_of(identifier: Any, where: str) -> tuple[str, dict[str, Any]]:
    """Split ``{"class_name": ..., "config": {...}}`` into its two parts, or raise ArgumentError."""
    expected = "a dict with the keys 'class_name' and 'config'"
    if not isinstance(identifier, dict) or not isinstance(identifier.get("class_name"), str):
        raise ArgumentError(where, "identifier", expected, repr(identifier))
    config = identifier.get("config", {})
    if not isinstance(config, dict):
        raise ArgumentError(where, "identifier", expected, repr(identifier))
    return identifier["class_name"], config
