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
from functools import wraps
from typing import Any

import numpy as np

from fusegrad import _core, config, ops, random
from fusegrad._checks import array_shape, number
from fusegrad._registry import Registry, config_of, snake_case
from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import Tensor, as_tensor, from_numpy
from fusegrad.errors import ArgumentError

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]

_TRUNCATED_STDDEV = 0.87962566103423978  # of a normal law of stddev 1, cut off at -2 and 2
_STREAM = 2  # of the Philox generator: initial values share no numbers with shuffles or dropout


def _checked(call: Callable[..., Any]) -> Callable[..., Any]:
    """Give an initializer's `__call__` a checked shape: a tuple of integers of at least 0."""

    @wraps(call)
    def checked(self: Initializer, shape: Any, *args: Any, **kwargs: Any) -> Any:
        dtype = args[0] if args else kwargs.get("dtype")
        sizes = array_shape(type(self).__name__, shape, dtype or config.floatx())
        return call(self, sizes, *args, **kwargs)

    return checked


class Initializer(Spelled):
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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__:
            cls.__call__ = _checked(cls.__call__)  # type: ignore[method-assign]

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
    """All ones.

    Examples
    --------
    >>> Ones()((3,)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return ones of this shape and dtype."""
        return from_numpy(np.ones(tuple(shape), dtype or config.floatx()))


class Constant(Initializer):
    """The same number everywhere.

    Parameters
    ----------
    value : float, default 0.0

    Raises
    ------
    fusegrad.errors.ArgumentError
        `value` is not a finite number.

    Examples
    --------
    >>> Constant(0.5)((2,)).tolist()
    [0.5, 0.5]
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = number("Constant", "value", value)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return the value in this shape and dtype."""
        return from_numpy(np.full(tuple(shape), self.value, dtype or config.floatx()))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"value": self.value}


class Identity(Initializer):
    """``gain`` times the identity matrix: `gain` on the diagonal, zeros elsewhere.

    Parameters
    ----------
    gain : float, default 1.0

    Raises
    ------
    fusegrad.errors.ArgumentError
        `gain` is not a finite number, or, when called, the shape has not two axes.

    Examples
    --------
    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = number("Identity", "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return the matrix of this shape and dtype."""
        sizes = tuple(shape)
        if len(sizes) != 2:
            raise ArgumentError("Identity", "shape", "two axes, (rows, columns)", repr(sizes))
        return from_numpy(np.eye(*sizes, dtype=dtype or config.floatx()) * self.gain)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain}


class _Random(Initializer):
    """Base class of those with a seed."""

    def __init__(self, seed: int | None) -> None:
        self._given_seed = seed
        self.seed = seed_of(type(self).__name__, seed, "weights")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self._given_seed}

    def _normal(
        self, shape: Sequence[int], dtype: str | None, mean: float, stddev: float, truncated: bool
    ) -> Tensor:
        return _core.fill_normal(
            tuple(shape), dtype or config.floatx(), self.seed, _STREAM, mean, stddev, truncated
        )

    def _uniform(self, shape: Sequence[int], dtype: str | None, low: float, high: float) -> Tensor:
        return _core.fill_uniform(
            tuple(shape), dtype or config.floatx(), self.seed, _STREAM, low, high
        )


class RandomNormal(_Random):
    """Normal numbers.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        The standard deviation, at least 0.
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `mean` is not finite, `stddev` is negative or not finite, or `seed` is not a non-negative
        integer.

    Examples
    --------
    >>> RandomNormal(mean=3.0, stddev=0.0)((2,)).tolist()
    [3.0, 3.0]
    """

    _truncated = False

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        where = type(self).__name__
        self.mean = number(where, "mean", mean)
        self.stddev = number(where, "stddev", stddev, 0.0)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return random values of this shape and dtype."""
        return self._normal(shape, dtype, self.mean, self.stddev, self._truncated)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal numbers within two standard deviations of the mean.

    The distribution is that of `RandomNormal` values of which those further away are drawn again.

    Parameters
    ----------
    mean : float, default 0.0
    stddev : float, default 0.05
        The standard deviation before truncation, at least 0.
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `mean` is not finite, `stddev` is negative or not finite, or `seed` is not a non-negative
        integer.

    Examples
    --------
    >>> values = TruncatedNormal(stddev=0.5, seed=1)((300,)).numpy()
    >>> bool((abs(values) <= 1.0).all())
    True
    """

    _truncated = True


class RandomUniform(_Random):
    """Uniform in [minval, maxval).

    Parameters
    ----------
    minval : float, default -0.05
    maxval : float, default 0.05
        At least `minval`.
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A bound is not finite, `minval` > `maxval`, or `seed` is not a non-negative integer.

    Examples
    --------
    >>> values = RandomUniform(1.0, 2.0, seed=1)((300,)).numpy()
    >>> bool(((values >= 1.0) & (values < 2.0)).all())
    True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        self.minval = number("RandomUniform", "minval", minval)
        self.maxval = number("RandomUniform", "maxval", maxval, self.minval)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return random values of this shape and dtype."""
        return self._uniform(shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class VarianceScaling(_Random):
    """Random numbers whose variance is ``scale / n``, n the fan of the weight.

    ``n`` is ``fan_in``, ``fan_out`` or their mean, at least 1. For kernels (..., in, out) the fans
    are ``in`` and ``out`` times the product of the leading sizes; both are the size of a vector.

    Parameters
    ----------
    scale : float, default 1.0
        Above 0.
    mode : {"fan_in", "fan_out", "fan_avg"}, default "fan_in"
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        By default "truncated_normal": normal, cut off at two standard deviations, of such a
        standard deviation before the cut that the variance is right after it. "normal" is another
        name of it. "uniform" is uniform in [-limit, limit) with ``limit = sqrt(3 scale / n)``.
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `scale` is not a finite number above 0, `mode` or `distribution` is none of those above, or
        `seed` is not a non-negative integer.

    Examples
    --------
    >>> values = VarianceScaling(2.0, mode="fan_out", distribution="uniform", seed=1)((5, 6))
    >>> bool((abs(values.numpy()) <= 1.0).all())
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        where = type(self).__name__
        self.scale = number(where, "scale", scale, 0.0)
        if self.scale == 0.0:
            raise ArgumentError(where, "scale", "a finite number > 0", repr(scale))
        self.mode = _one_of(where, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        name = str(distribution).lower()
        self.distribution = _one_of(
            where,
            "distribution",
            "truncated_normal" if name == "normal" else name,
            ("truncated_normal", "untruncated_normal", "uniform"),
        )
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return random values of this shape and dtype."""
        fan_in, fan_out = fans(shape)
        mean = (fan_in + fan_out) / 2
        n = max(1.0, {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": mean}[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * self.scale / n)
            return self._uniform(shape, dtype, -limit, limit)
        stddev = math.sqrt(self.scale / n)
        if self.distribution == "untruncated_normal":
            return self._normal(shape, dtype, 0.0, stddev, truncated=False)
        return self._normal(shape, dtype, 0.0, stddev / _TRUNCATED_STDDEV, truncated=True)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **super().get_config(),
        }


class _Scaled(VarianceScaling):
    """Base class of variance scaling under a name of its own: only the seed is open."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self._given_seed}


class GlorotUniform(_Scaled):
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
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(_Scaled):
    """Truncated normal of variance ``2 / (fan_in + fan_out)``.

    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

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
    >>> values = GlorotNormal(seed=1)((30, 20)).numpy()
    >>> bool((abs(values) <= 2 * 0.2 / 0.87962566).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(_Scaled):
    """Uniform in [-limit, limit) with ``limit = sqrt(6 / fan_in)``.

    For layers with `relu`. K. He et al., "Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification", ICCV 2015.

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
    >>> values = HeUniform(seed=1)((24, 20)).numpy()
    >>> bool((abs(values) <= 0.5).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(_Scaled):
    """Truncated normal of variance ``2 / fan_in``.

    For layers with `relu`. K. He et al., "Delving deep into rectifiers: surpassing human-level
    performance on ImageNet classification", ICCV 2015.

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
    >>> values = HeNormal(seed=1)((32, 20)).numpy()
    >>> bool((abs(values) <= 2 * 0.25 / 0.87962566).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(_Scaled):
    """Uniform in [-limit, limit) with ``limit = sqrt(3 / fan_in)``.

    The companion of `selu`. Y. LeCun et al., "Efficient backprop", in Neural Networks: Tricks of
    the Trade, 1998.

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
    >>> values = LecunUniform(seed=1)((12, 20)).numpy()
    >>> bool((abs(values) <= 0.5).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(_Scaled):
    """Truncated normal of variance ``1 / fan_in``.

    The companion of `selu`. Y. LeCun et al., "Efficient backprop", in Neural Networks: Tricks of
    the Trade, 1998.

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
    >>> values = LecunNormal(seed=1)((16, 20)).numpy()
    >>> bool((abs(values) <= 2 * 0.25 / 0.87962566).all())
    True
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(_Random):
    """``gain`` times a random matrix with orthonormal rows or columns, whichever are fewer.

    Q of the QR decomposition of a matrix of normal numbers, with the signs for which the diagonal
    of R is positive, so that Q is uniformly distributed (F. Mezzadri, "How to generate random
    matrices from the classical compact groups", Notices of the AMS 54, 2007). A. Saxe et al.,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR
    2014. With more than two axes the leading ones are the rows.

    Parameters
    ----------
    gain : float, default 1.0
    seed : int, optional
        The same seed gives the same values at each call. By default a seed is taken from the
        global one when the initializer is created.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `gain` is not a finite number, `seed` is not a non-negative integer, or, when called, the
        shape has fewer than two axes.

    Examples
    --------
    >>> import numpy as np
    >>> q = Orthogonal(seed=1)((3, 2)).numpy()
    >>> np.allclose(q.T @ q, np.eye(2), atol=1e-6)
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = number("Orthogonal", "gain", gain)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: str | None = None) -> Tensor:
        """Return the matrix in this shape and dtype."""
        sizes = tuple(shape)
        if len(sizes) < 2:
            raise ArgumentError("Orthogonal", "shape", "at least two axes", repr(sizes))
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        tall = (max(rows, columns), min(rows, columns))
        q = orthonormal(self._normal(tall, "float64", 0.0, 1.0, truncated=False).numpy())
        q = self.gain * (q.T if rows < columns else q)
        return as_tensor(q.reshape(sizes), dtype or config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"gain": self.gain, **super().get_config()}


def orthonormal(matrix: Any) -> Any:
    """Return Q of ``matrix = Q R`` with R's diagonal positive, by Householder reflections.

    The matrix is float64 and has no fewer rows than columns. NumPy does what is correctly rounded,
    `ops.matmul` what is summed, so that no bit depends on a LAPACK.
    """
    remainder = np.array(matrix)
    columns = remainder.shape[1]
    signs = np.ones(columns)
    reflections = []
    for j in range(columns):
        v = remainder[j:, j].copy()
        norm = np.sqrt(ops.matmul(v, v).numpy())
        signs[j] = -1.0 if v[0] >= 0.0 else 1.0  # of R's diagonal; v[0] grows, nothing cancels
        v[0] -= signs[j] * norm
        square = ops.matmul(v, v).numpy()
        scaled = v * (2.0 / square) if square > 0.0 else v
        reflections.append((v, scaled))
        _reflect(remainder[j:, j:], v, scaled)
    q = np.zeros_like(remainder)
    np.fill_diagonal(q, signs)
    for j in reversed(range(columns)):
        _reflect(q[j:, j:], *reflections[j])
    return q


def _reflect(block: Any, v: Any, scaled: Any) -> None:
    """Apply ``I - scaled v^T`` to the columns of `block`, in place."""
    block -= np.multiply.outer(scaled, ops.matmul(v, block).numpy())


def _one_of(where: str, argument: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ArgumentError(
            where, argument, " or ".join(repr(name) for name in allowed), repr(value)
        )
    return str(value)


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


# As older code writes them.
zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
orthogonal = Orthogonal

__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Initializer]] = Registry("initializers.get", "initializer")
_ALIASES: dict[type[Initializer], tuple[str, ...]] = {
    Zeros: ("zero",),
    Ones: ("one",),
    Constant: (),
    Identity: ("IdentityInitializer",),
    RandomNormal: ("normal",),
    TruncatedNormal: (),
    RandomUniform: ("uniform",),
    VarianceScaling: (),
    GlorotUniform: (),
    GlorotNormal: (),
    HeUniform: (),
    HeNormal: (),
    LecunUniform: (),
    LecunNormal: (),
    Orthogonal: ("OrthogonalInitializer",),
}
for _class, _names in _ALIASES.items():
    _REGISTRY.add(_class, snake_case(_class.__name__), _class.__name__, *_names)

InitializerLike = Callable[..., Any]


def get(identifier: Any) -> InitializerLike:
    """Return the initializer that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Initializer, class, callable or array
        A name as Keras spells it (``"he_normal"`` or ``"HeNormal"``), the result of `serialize`, an
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
    numbers = not isinstance(identifier, np.ndarray) or identifier.dtype.kind in "fiub"
    if isinstance(identifier, np.ndarray | Tensor) and numbers:
        return _Values(identifier)
    if isinstance(identifier, Initializer):
        return identifier
    if callable(identifier) and not isinstance(identifier, Spelled):
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
