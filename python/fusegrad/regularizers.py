"""Regularizers: penalties on weights and outputs that are added to the loss.

Names, defaults and formulas are Keras's. The penalty is part of the reported loss, in training and
in evaluation.

Examples
--------
>>> from fusegrad import regularizers
>>> regularizers.L2(0.5)([1.0, 2.0]).item()
2.5
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import ops
from fusegrad._checks import number
from fusegrad._registry import Registry, config_of
from fusegrad._settings import Settings
from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

__all__ = ["L1", "L1L2", "L2", "Regularizer", "deserialize", "get", "serialize"]

RegularizerLike = Callable[[Any], Any]


class Regularizer(Settings):
    """Base class: `__call__(x)` returns the penalty on `x`, one number.

    Examples
    --------
    >>> from fusegrad import ops
    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return ops.max(ops.abs(x))
    >>> Largest()([-3.0, 2.0]).item()
    3.0
    """

    def __call__(self, x: Any) -> Any:
        """Return the penalty on `x`."""
        raise TypeError(f"{type(self).__name__} must define __call__(x)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Build a regularizer from the result of `get_config`."""
        return cls(**config)


class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x**2)``, without a factor 1/2.

    Parameters
    ----------
    l1 : float, default 0.0
    l2 : float, default 0.0

    Raises
    ------
    fusegrad.errors.ArgumentError
        A factor is negative, NaN or infinite.

    Examples
    --------
    >>> L1L2(l1=1.0, l2=0.5)([-2.0]).item()
    4.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = number(type(self).__name__, "l1", l1, 0.0)
        self.l2 = number(type(self).__name__, "l2", l2, 0.0)

    def __call__(self, x: Any) -> Tensor:
        """Return the penalty on `x`, 0-d."""
        x = as_tensor(x)
        parts = []
        if self.l1:
            parts.append(ops.multiply(ops.sum(ops.abs(x)), self.l1))
        if self.l2:
            parts.append(ops.multiply(ops.sum(ops.square(x)), self.l2))
        if not parts:
            return ops.zeros((), x.dtype)
        return parts[0] if len(parts) == 1 else ops.add(*parts)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """``l1 * sum(abs(x))``.

    Parameters
    ----------
    l1 : float, default 0.01

    Raises
    ------
    fusegrad.errors.ArgumentError
        `l1` is negative, NaN or infinite.

    Examples
    --------
    >>> L1(0.5)([-2.0, 4.0]).item()
    3.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1}


class L2(L1L2):
    """``l2 * sum(x**2)``, without a factor 1/2.

    Parameters
    ----------
    l2 : float, default 0.01

    Raises
    ------
    fusegrad.errors.ArgumentError
        `l2` is negative, NaN or infinite.

    Examples
    --------
    >>> L2(0.5)([-2.0, 4.0]).item()
    10.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l2": self.l2}


# As older code writes them.
l1 = L1
l2 = L2
l1_l2 = L1L2

__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Regularizer]] = Registry("regularizers.get", "regularizer")
_REGISTRY.add(L1, "l1", "L1")
_REGISTRY.add(L2, "l2", "L2")
_REGISTRY.add(L1L2, "l1_l2", "L1L2", "l1l2")


def get(identifier: Any) -> RegularizerLike | None:
    """Return the regularizer that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Regularizer, class, callable or None
        ``"l1"``, ``"l2"``, ``"l1_l2"``, the result of `serialize`, a regularizer or its class, or a
        function of one array that returns one number. None stays None.

    Returns
    -------
    callable or None

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no regularizer of this name; the message names the nearest one.

    Examples
    --------
    >>> get("l2").get_config()
    {'l2': 0.01}
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        return _REGISTRY.resolve(identifier)()
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "regularizers.get")
        return _REGISTRY.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Regularizer):
        return identifier()
    if isinstance(identifier, Regularizer):
        return identifier
    if callable(identifier) and not isinstance(identifier, type | Spelled):
        function: RegularizerLike = identifier
        return function
    raise ArgumentError(
        "regularizers.get",
        "identifier",
        "a name, a Regularizer, a function of an array, or None",
        repr(identifier),
    )


def serialize(regularizer: RegularizerLike | None) -> dict[str, Any] | None:
    """Return ``{"class_name": ..., "config": {...}}`` of a regularizer; None stays None.

    Parameters
    ----------
    regularizer : Regularizer or None

    Returns
    -------
    dict or None

    Raises
    ------
    fusegrad.errors.ArgumentError
        It is a function, which has no name to be found by.

    Examples
    --------
    >>> serialize(L1(0.5))
    {'class_name': 'L1', 'config': {'l1': 0.5}}
    """
    if regularizer is None:
        return None
    if not isinstance(regularizer, Regularizer):
        raise ArgumentError(
            "regularizers.serialize", "regularizer", "a Regularizer", repr(regularizer)
        )
    return {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}


def deserialize(config: dict[str, Any] | None) -> RegularizerLike | None:
    """Return the regularizer of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict or None

    Returns
    -------
    callable or None

    Examples
    --------
    >>> deserialize({"class_name": "L2", "config": {"l2": 0.5}})([2.0]).item()
    2.0
    """
    return get(config)
