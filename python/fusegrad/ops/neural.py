"""What neural networks need besides NumPy's functions: activations, softmax, dense."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.config import floatx
from fusegrad.ops._call import in_bfloat16, of_one, one

__all__ = [
    "dense",
    "dropout",
    "elu",
    "gelu",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]


def sigmoid(x: Any) -> Tensor:
    """Return ``1 / (1 + e**-x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Computed from ``e**-abs(x)``, which cannot overflow. Within 2 units in the last
    place. The derivative is ``y * (1 - y)``.

    Examples
    --------
    >>> sigmoid([0.0, -1000.0])
    Tensor([0.5, 0. ], dtype=float32)
    """
    return of_one("sigmoid", x)


def log_sigmoid(x: Any) -> Tensor:
    """Return ``log(sigmoid(x)) = -softplus(-x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    It does not become -inf where `sigmoid` underflows to 0. The derivative is ``sigmoid(-x)``.

    Examples
    --------
    >>> log_sigmoid([-1000.0])
    Tensor([-1000.], dtype=float32)
    """
    return of_one("log_sigmoid", x)


def softplus(x: Any) -> Tensor:
    """Return ``log(1 + e**x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Computed as ``max(x, 0) + log1p(e**-abs(x))``, which cannot overflow. Within 2 units in the
    last place. The derivative is ``sigmoid(x)``.

    Examples
    --------
    >>> softplus([1000.0])
    Tensor([1000.], dtype=float32)
    """
    return of_one("softplus", x)


def relu(x: Any) -> Tensor:
    """Return ``max(x, 0)``.

    Parameters
    ----------
    x : array_like
        Any shape; float32 or float64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is not floating.

    Notes
    -----
    The derivative at 0 is 0. NaN stays NaN, and -0 becomes 0.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    Tensor([0., 2.], dtype=float32)
    """
    return of_one("relu", x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Return ``x`` where positive, else ``negative_slope * x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.
    negative_slope : float, default 0.2
        At least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `negative_slope` is negative or NaN.

    Notes
    -----
    The derivative at 0 is `negative_slope`.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], 0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return one("leaky_relu", (x,), scalars=[negative_slope])


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return ``x`` where positive, else ``alpha * (e**x - 1)``.

    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.
    alpha : float, default 1.0
        At least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `alpha` is negative or NaN.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 2 for float64. The derivative at 0 is
    `alpha`.

    Examples
    --------
    >>> elu([-1000.0, 2.0], 0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return one("elu", (x,), scalars=[alpha])


def silu(x: Any) -> Tensor:
    """Return ``x * sigmoid(x)``, also called swish.

    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 107 (2018).

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 1 unit in the last place for float32 and 2 for float64; ``silu(-inf)`` is -0. The
    derivative is ``s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> silu([0.0, 100.0])
    Tensor([  0., 100.], dtype=float32)
    """
    return of_one("silu", x)


def gelu(x: Any) -> Tensor:
    """Return ``x * Phi(x)``, with ``Phi(x) = erfc(-x / sqrt(2)) / 2`` the normal distribution.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415. The
    approximation with tanh is in `fusegrad.activations.gelu`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 3 for float64, also in the tail of negative
    `x`; ``gelu(-inf)`` is -0. The derivative is ``Phi(x) + x * e**(-x**2 / 2) / sqrt(2 * pi)``.

    Examples
    --------
    >>> gelu([0.0, 100.0])
    Tensor([  0., 100.], dtype=float32)
    """
    return of_one("gelu", x)


def dropout(x: Any, position: Any, rate: float, seed: int, stream: int) -> Tensor:
    """Return ``x / (1 - rate)`` with elements set to 0 with probability `rate`.

    Parameters
    ----------
    x : array_like
        Shape (rows, ...); integers and booleans are converted to float64.
    position : array_like
        int64, shape (2,): the epoch, and the number of the first row within it.
    rate : float
        In [0, 1]; 1 sets all to 0.
    seed, stream : int
        The key of the random numbers, at least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `rate` is outside [0, 1], or `position` is not int64 of shape (2,).

    Notes
    -----
    The mask depends on `seed`, `stream`, the epoch, the row's number and the place in the row alone
    (Philox4x32-10), not on batch size or threads; the gradient uses the same mask. `rate` is
    rounded up to a multiple of 2**-24. N. Srivastava et al., "Dropout", JMLR 15 (2014).

    Examples
    --------
    >>> dropout([[1.0, 1.0, 1.0, 1.0]], [0, 0], 0.5, seed=3, stream=0)
    Tensor([[0., 2., 0., 0.]], dtype=float32)
    """
    return one("dropout", (x, position), scalars=[rate], seed=seed, stream=stream)


def one_hot(x: Any, num_classes: int, dtype: Any = None) -> Tensor:
    """Return 1 at each label along a new last axis, 0 elsewhere.

    Parameters
    ----------
    x : array_like
        Labels in [0, num_classes); int32, int64 or uint8.
    num_classes : int
        At least 1.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Shape of `x` and `num_classes`, of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A label is out of range, or `x` is not integer.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]], dtype=float32)
    """
    return one("one_hot", (x,), shape=num_classes, dtype=dtype or floatx())


def dense(
    x: Any,
    kernel: Any,
    bias: Any = None,
    activation: str = "linear",
    negative_slope: float = 0.2,
    compute_dtype: str | None = None,
) -> Tensor:
    """Return ``activation(x @ kernel + bias)``.

    Parameters
    ----------
    x : array_like
        Shape (..., inputs); integers and booleans are converted to float64.
    kernel : array_like
        Shape (inputs, outputs).
    bias : array_like, optional
        Shape (outputs,).
    activation : {"linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"}, default "linear"
    negative_slope : float, default 0.2
        For "leaky_relu", at least 0.
    compute_dtype : {None, "float32", "float64", "bfloat16"}, default None
        "bfloat16" rounds `x` and `kernel`, which must be float32, to bfloat16 as they are
        multiplied, and does so in gradients; the others multiply them as they are.

    Returns
    -------
    Tensor
        Shape (..., outputs), promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not fit, `activation` is another, or `negative_slope` is negative.

    Notes
    -----
    One kernel, with the bits of `matmul`, `add` and the activation one after the other.

    Examples
    --------
    >>> dense([[1.0, 2.0]], [[3.0], [4.0]], [-20.0], "relu")
    Tensor([[0.]], dtype=float32)
    """
    inputs = [x, kernel] if bias is None else [x, kernel, bias]
    return one(
        "dense",
        inputs,
        activation=activation,
        scalars=[negative_slope],
        bfloat16=in_bfloat16("dense", compute_dtype),
    )


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``e**x / sum(e**x)`` along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; integers and booleans are converted to float64.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Computed in double precision around the first largest element m. With s the sum of ``e**(x -
    m)`` over the others it is ``e**(x - m) / (1 + s)``: no overflow, no cancellation. See
    `logsumexp` for the source. Rows of NaN, with +inf, or of -inf only, are NaN.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    Tensor([0.5, 0.5], dtype=float32)
    """
    return one("softmax", (x,), axes=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``x - logsumexp(x)`` along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; integers and booleans are converted to float64.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Computed in double precision around the first largest element m. With s the sum of ``e**(x -
    m)`` over the others it is ``(x - m) - log1p(s)``: no overflow, no cancellation. See `logsumexp`
    for the source. Rows of NaN, with +inf, or of -inf only, are NaN.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    Tensor([   -0., -1000.], dtype=float32)
    """
    return one("log_softmax", (x,), axes=axis)
