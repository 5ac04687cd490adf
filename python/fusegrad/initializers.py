"""Initial values of weights.

An initializer is called with a shape and returns a Tensor. The values of a random one depend on
its seed alone, so that an initializer gives the same values at each call, as in Keras; without a
seed it takes its own from the global one (`fusegrad.utils.set_random_seed`) when it is created.

Examples
--------
>>> from fusegrad import initializers
>>> initializers.Zeros()((2, 2)).tolist()
[[0.0, 0.0], [0.0, 0.0]]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fusegrad import _core, config, random
from fusegrad._registry import Registry, config_of, snake_case
from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, as_tensor, from_numpy
from fusegrad.errors import ArgumentError

__all__ = ["GlorotUniform", "Initializer", "Ones", "Zeros", "deserialize", "get", "serialize"]

_STREAM = 2  # of the Philox generator: initial values share no numbers with shuffles or dropout


class Initializer:
    """Base class: `__call__(shape, dtype=None)` returns the initial values.

    Examples
    --------
    >>> import numpy as np
    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.full(shape, 0.5, dtype or "float32")
    >>> Halves()((2,)).tolist()
    [0.5, 0.5]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Any:
        """Return values of this shape and dtype (by default `fusegrad.config.floatx()`)."""
        raise TypeError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Build an initializer from the result of `get_config`."""
        return cls(**config)


class Zeros(Initializer):
    """All zeros, the default of biases.

    Examples
    --------
    >>> Zeros()((3,)).tolist()
    [0.0, 0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return zeros of this shape and dtype."""
        return from_numpy(np.zeros(tuple(shape), dtype or config.floatx()))


class Ones(Initializer):
    """All ones, the default of scales.

    Examples
    --------
    >>> Ones()((3,)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return ones of this shape and dtype."""
        return from_numpy(np.ones(tuple(shape), dtype or config.floatx()))


class GlorotUniform(Initializer):
    """Uniform in [-limit, limit) with ``limit = sqrt(6 / (fan_in + fan_out))``.

    The default of kernels. For a matrix the fans are its two sizes. X. Glorot and Y. Bengio,
    "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.

    Parameters
    ----------
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is not a non-negative integer.

    Examples
    --------
    >>> values = GlorotUniform(seed=1)((3, 3))
    >>> bool((abs(values.numpy()) <= 1.0).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        self._given_seed = seed
        self.seed = seed_of("GlorotUniform", seed, "weights")

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return random values of this shape and dtype."""
        fan_in, fan_out = fans(shape)
        limit = math.sqrt(6.0 / max(1, fan_in + fan_out))
        return _core.fill_uniform(
            tuple(shape), dtype or config.floatx(), self.seed, _STREAM, -limit, limit
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self._given_seed}


def seed_of(where: str, seed: Any, purpose: str) -> int:
    """Return `seed` checked, or the next one of the process's sequence where it is None."""
    if seed is None:
        return random.next_seed(purpose)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise ArgumentError(where, "seed", "an integer in [0, 2**64), or None", repr(seed))
    return int(seed)


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight: for kernels (..., in, out) times the leading sizes."""
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return int(shape[0]), int(shape[0])
    field = math.prod(int(size) for size in shape[:-2])
    return field * int(shape[-2]), field * int(shape[-1])


__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Initializer]] = Registry("initializers.get", "initializer")
for _class in (GlorotUniform, Ones, Zeros):
    _REGISTRY.add(_class, snake_case(_class.__name__), _class.__name__)

InitializerLike = Callable[..., Any]


def get(identifier: Any) -> InitializerLike:
    """Return the initializer that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Initializer, class, callable or array
        A name (``"glorot_uniform"`` or ``"GlorotUniform"``), the result of `serialize`, an
        initializer or its class, a function ``f(shape, dtype=None)``, or the values themselves.

    Returns
    -------
    callable

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no initializer of this name; the message names the nearest one.

    Examples
    --------
    >>> type(get("zeros")).__name__
    'Zeros'
    """
    if identifier is None or isinstance(identifier, str):
        return _REGISTRY.resolve(identifier or "None")()
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "initializers.get")
        return _REGISTRY.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if isinstance(identifier, np.ndarray | Tensor):
        return _Values(identifier)
    if callable(identifier):
        function: InitializerLike = identifier
        return function
    raise ArgumentError(
        "initializers.get",
        "identifier",
        "a name, an Initializer, a function f(shape, dtype=None) or an array",
        repr(identifier),
    )


class _Values(Initializer):
    """The initializer that stands for an array of given values."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        if self.values.shape != tuple(shape):
            raise ArgumentError(
                "initializers.get", "identifier", f"values of shape {tuple(shape)}",
                f"values of shape {self.values.shape}",
            )  # fmt: skip
        return as_tensor(self.values, dtype or config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"values": self.values.tolist()}


def serialize(initializer: InitializerLike) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of an initializer.

    Parameters
    ----------
    initializer : Initializer

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(Zeros())
    {'class_name': 'Zeros', 'config': {}}
    """
    if not isinstance(initializer, Initializer):
        raise ArgumentError(
            "initializers.serialize", "initializer", "an Initializer", repr(initializer)
        )
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


def deserialize(config: dict[str, Any]) -> InitializerLike:
    """Return the initializer of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict

    Returns
    -------
    Initializer

    Examples
    --------
    >>> type(deserialize({"class_name": "Zeros", "config": {}})).__name__
    'Zeros'
    """
    return get(config)
