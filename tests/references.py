"""Naive float64 formulas that the fast ones are held against. NumPy and math, no package code.

They take complex numbers too, and branch on real parts only: ``imag(f(x + 1e-30j)) / 1e-30`` is
then the derivative of the branch that the real part takes, to the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Arr = Any


def sigmoid(x: Arr) -> Arr:
    return 1.0 / (1.0 + np.exp(-x))


def magnitude(x: Arr) -> Arr:
    """|x|; of a complex number not the modulus."""
    return np.where(np.real(x) < 0, -x, x)


def softplus(x: Arr) -> Arr:
    return np.log1p(np.exp(-magnitude(x))) + np.where(np.real(x) > 0, x, 0)


def logsumexp(x: Arr, axis: Any = None, keepdims: bool = False) -> Arr:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def continued(value: Callable[[float], float], slope: Callable[[Arr], Arr]) -> Callable[[Arr], Arr]:
    """A function of real numbers that steps off the real axis, a complex step far, by its slope."""
    on_arrays = np.vectorize(value, otypes=[np.float64])

    def function(x: Arr) -> Arr:
        real = on_arrays(np.real(x))
        return real + 1j * np.imag(x) * slope(np.real(x)) if np.iscomplexobj(x) else real

    return function


erf = continued(math.erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x))
erfc = continued(math.erfc, lambda x: -2 / math.sqrt(math.pi) * np.exp(-x * x))


def normal_density(x: Arr) -> Arr:
    return np.exp(-0.5 * np.square(x)) / math.sqrt(2 * math.pi)


def gelu(x: Arr) -> Arr:
    return 0.5 * x * erfc(-x / math.sqrt(2))


def gelu_slope(x: Arr) -> Arr:
    return 0.5 * erfc(-x / math.sqrt(2)) + x * normal_density(x)


def silu(x: Arr) -> Arr:
    return x * sigmoid(x)


def silu_slope(x: Arr) -> Arr:
    return sigmoid(x) * (1 + x * sigmoid(-x))


def elu(x: Arr, alpha: float = 1.0) -> Arr:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def arctan2(y: Arr, x: Arr) -> Arr:
    """The angle, and off the real axis its differential."""
    angle = np.arctan2(np.real(y), np.real(x))
    if not (np.iscomplexobj(y) or np.iscomplexobj(x)):
        return angle
    turn = np.imag(y) * np.real(x) - np.imag(x) * np.real(y)
    return angle + 1j * turn / (np.real(x) ** 2 + np.real(y) ** 2)


def remainder(x: Arr, y: Arr) -> Arr:
    return x - np.floor(np.real(x) / np.real(y)) * y


def softmax(x: Arr, axis: int = -1) -> Arr:
    e = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Arr, axis: int = -1) -> Arr:
    d = x - np.max(np.real(x), axis=axis, keepdims=True)
    return d - np.log(np.sum(np.exp(d), axis=axis, keepdims=True))


def softmax_grad(dy: Arr, y: Arr, axis: int = -1) -> Arr:
    return y * (dy - np.sum(dy * y, axis=axis, keepdims=True))


def log_softmax_grad(dy: Arr, y: Arr, axis: int = -1) -> Arr:
    return dy - np.exp(y) * np.sum(dy, axis=axis, keepdims=True)


def variance(x: Arr, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Arr:
    squares = (x - np.mean(x, axis=axis, keepdims=True)) ** 2
    count = np.sum(np.ones(np.shape(x)), axis=axis, keepdims=keepdims)
    return np.sum(squares, axis=axis, keepdims=keepdims) / (count - ddof)


def largest(x: Arr, axis: Any = None, keepdims: bool = False) -> Arr:
    """The largest element, as the mean of those that are equal to it: they share its slope."""
    ties = np.real(x) == np.max(np.real(x), axis=axis, keepdims=True)
    total = np.sum(np.where(ties, x, 0), axis=axis, keepdims=keepdims)
    return total / np.sum(ties, axis=axis, keepdims=keepdims)


def smallest(x: Arr, axis: Any = None, keepdims: bool = False) -> Arr:
    return -largest(-x, axis, keepdims)


def picked(x: Arr, label: Arr) -> Arr:
    """x[..., label] of each row."""
    return np.take_along_axis(x, np.asarray(label)[..., None], -1)[..., 0]


def slice_grad(g: Arr, shape: tuple[int, ...], start: Arr, step: Arr) -> Arr:
    """Zeros with g at start + step * i along each axis."""
    out = np.zeros(shape, g.dtype)
    places = [s + k * np.arange(n) for s, k, n in zip(start, step, g.shape, strict=True)]
    out[np.ix_(*places)] = g
    return out


def take_grad(g: Arr, indices: Arr, shape: tuple[int, ...], axis: int) -> Arr:
    """Zeros with each slice of g added where `indices` says."""
    out = np.zeros(shape, g.dtype)
    np.add.at(out, (*[slice(None)] * axis, indices), g)
    return out


def take_along_axis_grad(g: Arr, indices: Arr, shape: tuple[int, ...], axis: int) -> Arr:
    """Zeros with each element of g added where its index says."""
    out = np.zeros(shape, g.dtype)
    places = list(np.indices(indices.shape))
    places[axis] = indices
    np.add.at(out, tuple(places), g)
    return out


def linear_recurrence(a: Arr, b: Arr, axis: int, reverse: bool = False) -> Arr:
    """y_i = b_i + a_i y_(i-1) along an axis; the adjoint map where reversed."""
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    out: list[Any] = []
    for i in reversed(range(len(b))) if reverse else range(len(b)):
        before = a[i + reverse] * out[-1] if out else 0.0
        out.append(b[i] + before)
    stacked = np.array(out[::-1] if reverse else out).reshape(b.shape)
    return np.moveaxis(stacked, 0, axis)


def segment_sum(x: Arr, ids: Arr, count: int) -> Arr:
    out = np.zeros((count, *x.shape[1:]), x.dtype)
    np.add.at(out, ids, x)
    return out


def segment_max(x: Arr, ids: Arr, count: int) -> Arr:
    """The mean of the largest rows of each segment, element by element: they share its slope.

    -9 for no rows.
    """
    rows = [x[ids == k] for k in range(count)]
    return np.array([largest(r, axis=0) if len(r) else np.full(x.shape[1:], -9.0) for r in rows])


def one_hot(label: Arr, classes: int) -> Arr:
    return np.eye(classes)[label]


def sigmoid_cross_entropy(z: Arr, t: Arr) -> Arr:
    return (1 - t) * softplus(z) + t * softplus(-z)


def categorical_cross_entropy(p: Arr, t: Arr) -> Arr:
    """Keras's: probabilities divided by their sum, clipped to [1e-7, 1 - 1e-7]."""
    p = np.clip(p / np.sum(p, axis=-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -np.sum(t * np.log(p), axis=-1)


def clipped_bce(p: Arr, t: Arr) -> Arr:
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def rmsprop_update(w: Arr, v: Arr, *rest: Arr, centered: bool, momentum: float) -> tuple[Arr, ...]:
    """One step with rho 0.9 and epsilon 1e-7; state (w, v, [a], [b]), then gradient and rate."""
    *state, g, lr = rest
    v = 0.9 * v + 0.1 * g * g
    out = [v]
    denominator = v + 1e-7
    if centered:
        a = 0.9 * state.pop(0) + 0.1 * g
        out.append(a)
        denominator = v - a * a + 1e-7
    step = lr * g / np.sqrt(denominator)
    if momentum > 0:
        step = momentum * state.pop(0) + step
        out.append(step)
    return (w - step, *out)


# ---- matrices ------------------------------------------------------------------------------------


def transposed(a: Arr) -> Arr:
    return np.swapaxes(a, -1, -2)


def cholesky(a: Arr) -> Arr:
    """The lower factor of the symmetric part, column by column."""
    a = (a + transposed(a)) / 2
    lower = np.zeros_like(a)
    for j in range(a.shape[-1]):
        rest = a[..., j:, j] - np.sum(lower[..., j:, :j] * lower[..., j : j + 1, :j], axis=-1)
        lower[..., j:, j] = rest / np.sqrt(rest[..., :1])
    return lower


def leibniz_det(a: Arr) -> Arr:
    """The determinant of 3 x 3 matrices, written out."""
    return np.sum(a[..., 0, :] * np.cross(a[..., 1, :], a[..., 2, :]), axis=-1)


def cofactor(a: Arr) -> Arr:
    return np.linalg.det(a)[..., None, None] * transposed(np.linalg.inv(a))


def log_abs_det(a: Arr) -> Arr:
    det = np.linalg.det(a)
    return np.log(np.where(np.real(det) < 0, -det, det))


def matrix_exp(a: Arr) -> Arr:
    """Of matrices with eigenvalues up to 4: a Taylor series, after halving thrice."""
    term = total = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    for k in range(1, 24):
        term = term @ (a / 8) / k
        total = total + term
    for _ in range(3):
        total = total @ total
    return total


def inverse_root(a: Arr) -> Arr:
    """a^(-1/2), by the iteration of Denman and Beavers."""
    y, z = a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    for _ in range(12):
        y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
    return z


def polar_factor(a: Arr) -> Arr:
    """The nearest matrix with orthonormal rows or columns."""
    if a.shape[-2] < a.shape[-1]:
        return transposed(polar_factor(transposed(a)))
    return a @ inverse_root(transposed(a) @ a)


def pseudoinverse(a: Arr) -> Arr:
    """Of matrices of full rank."""
    if a.shape[-2] < a.shape[-1]:
        return transposed(pseudoinverse(transposed(a)))
    return np.linalg.solve(transposed(a) @ a, transposed(a))


def qr_positive(a: Arr) -> tuple[Arr, Arr]:
    """QR factors with a positive diagonal of R."""
    square = a[..., : a.shape[-2]]
    upper = transposed(cholesky(transposed(square) @ square))
    q = transposed(np.linalg.solve(transposed(upper), transposed(square)))
    return q, transposed(q) @ a
