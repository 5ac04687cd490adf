"""Factorizations, and functions outside the core.

Matrices are stacked: an array that is repeated along its first axis is then no singular matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import ops
from fusegrad.ops import linalg
from op_cases.table import F32, RNG, Maker, case, draw, internal, normal
from references import (
    cholesky,
    cofactor,
    leibniz_det,
    log_abs_det,
    matrix_exp,
    polar_factor,
    pseudoinverse,
    qr_positive,
    transposed,
)


def regular(*shape: int) -> Maker:
    """Square matrices far from singular, of either sign of the determinant."""

    def make(rng: RNG) -> np.ndarray:
        sign = rng.choice([-1.0, 1.0], size=(*shape[:-1], 1))
        return (rng.uniform(-0.4, 0.4, size=shape) + 1.5 * np.eye(shape[-1])) * sign

    return make


def positive_definite(*shape: int) -> Maker:
    """Symmetric but for what is taken out, with eigenvalues that are far apart."""

    def make(rng: RNG) -> np.ndarray:
        spread = np.diag(np.arange(1.0, shape[-1] + 1))
        return rng.uniform(-0.3, 0.3, size=shape) + spread

    return make


def tall(*shape: int) -> Maker:
    """Matrices of full rank, with singular values that are far apart."""

    def make(rng: RNG) -> np.ndarray:
        spread = np.zeros(shape[-2:])
        np.fill_diagonal(spread, np.arange(1.0, min(shape[-2:]) + 1))
        return rng.uniform(-0.3, 0.3, size=shape) + spread

    return make


def one_singular(*shape: int) -> Maker:
    """The first matrix is singular, the others are not."""

    def make(rng: RNG) -> np.ndarray:
        x = rng.normal(size=shape)
        x[0, -1] = np.sum(x[0, :-1], axis=0)
        return x

    return make


def exp_by_eigh(a: Any) -> Any:
    w, v = linalg.eigh(a)
    return ops.matmul(v * ops.exp(ops.expand_dims(w, -2)), linalg.matrix_transpose(v))


def polar_by_svd(a: Any) -> Any:
    u, _, vh = linalg.svd(a, full_matrices=False)
    return ops.matmul(u, vh)


def qr_signed(a: Any) -> tuple[Any, Any]:
    """With positive elements on the diagonal of R, which make the factors unique."""
    q, r = linalg.qr(a)
    size = r.shape[-2]
    signs = ops.sign(ops.einsum("...ii->...i", r[..., :size]))
    return q * ops.expand_dims(signs, -2), r * ops.expand_dims(signs, -1)


def wide(*arrays: Any) -> list[Any]:
    """Operands of a factorization, which is one of float64."""
    return [ops.cast(x, "float64") for x in arrays]


RECTANGLE = np.ones((2, 3), F32)

case(
    "solve",
    linalg.solve,
    draw(regular(2, 4, 4), normal(2, 4, 3)),
    np.linalg.solve,
    grad=(0, 1),
    bad=(
        (lambda: linalg.solve(RECTANGLE, RECTANGLE), "square"),
        (lambda: linalg.solve(np.eye(3, dtype=F32), RECTANGLE), "3 rows"),
        (lambda: linalg.solve(np.ones((2, 3, 3)), np.ones((4, 3, 1))), "broadcast"),
        (lambda: linalg.solve(np.eye(3), 1.0), "2 dimensions"),
    ),
)
case(
    "solve",
    linalg.solve,
    draw(regular(2, 4, 4), normal(4)),
    np.linalg.solve,
    grad=(0, 1),
    label="vector",
)
case(
    "solve",
    linalg.solve,
    draw(regular(2, 1, 3, 3), normal(4, 3, 2)),
    np.linalg.solve,
    grad=(0, 1),
    label="broadcast",
)
case(
    "solve",
    lambda a, b: ops.cast(internal("solve", transpose_a=True)(*wide(a, b)), a.dtype),
    draw(regular(2, 4, 4), normal(2, 4, 3)),
    lambda a, b: np.linalg.solve(transposed(a), b),
    grad=(0, 1),
    label="transposed",
)
case(
    "solve",
    linalg.inv,
    draw(regular(2, 4, 4)),
    np.linalg.inv,
    grad=(0,),
    label="inv",
    bad=((lambda: linalg.inv(RECTANGLE), "square"),),
)
case(
    "cholesky",
    linalg.cholesky,
    draw(positive_definite(2, 4, 4)),
    cholesky,
    grad=(0,),
    bad=((lambda: linalg.cholesky(RECTANGLE), "square"),),
)
case(
    "cholesky",
    lambda a: linalg.cholesky(a, upper=True),
    draw(positive_definite(2, 3, 3)),
    lambda a: transposed(cholesky(a)),
    grad=(0,),
    label="upper",
)
case(
    "det",
    linalg.det,
    draw(regular(2, 4, 4)),
    np.linalg.det,
    grad=(0,),
    bad=((lambda: linalg.det(np.ones(3)), "2 dimensions"),),
)
case(
    "det",
    linalg.det,
    draw(one_singular(2, 3, 3)),
    leibniz_det,
    grad=(0,),
    label="singular",
    second=False,
)
case(
    "cofactor",
    lambda a: ops.cast(internal("cofactor")(*wide(a)), a.dtype),
    draw(regular(2, 4, 4)),
    cofactor,
    grad=(0,),
)
case(
    "slogdet",
    linalg.slogdet,
    draw(regular(5, 3, 3)),
    lambda a: tuple(np.linalg.slogdet(a)),
    label="both",
    bad=((lambda: linalg.slogdet(RECTANGLE), "square"),),
)
case(
    "slogdet",
    lambda a: linalg.slogdet(a).logabsdet,
    draw(regular(2, 4, 4)),
    log_abs_det,
    grad=(0,),
)
case(
    "eigh",
    linalg.eigvalsh,
    draw(positive_definite(2, 4, 4)),
    lambda a: np.linalg.eigvalsh((a + transposed(a)) / 2),
    grad=(0,),
    analytic=False,
    bad=((lambda: linalg.eigh(RECTANGLE), "square"),),
)
case(
    "eigh",
    exp_by_eigh,
    draw(positive_definite(2, 3, 3)),
    lambda a: matrix_exp((a + transposed(a)) / 2),
    grad=(0,),
    label="exp",
)
case(
    "svd",
    linalg.svdvals,
    draw(tall(2, 4, 3)),
    lambda a: np.linalg.svd(a, compute_uv=False),
    grad=(0,),
    analytic=False,
    bad=((lambda: linalg.svd(np.ones(3)), "2 dimensions"),),
)
for _label, _shape in [("tall", (2, 4, 3)), ("wide", (2, 3, 4)), ("square", (2, 3, 3))]:
    case(
        "svd",
        polar_by_svd,
        draw(tall(*_shape)),
        polar_factor,
        grad=(0,),
        label=f"polar-{_label}",
        rtol64=1e-12,
    )
    case(
        "pinv",
        linalg.pinv,
        draw(tall(*_shape)),
        pseudoinverse,
        grad=(0,),
        label=_label,
        bad=((lambda: linalg.pinv(np.eye(2), rcond=-1.0), "rcond"),) if _label == "tall" else (),
    )
    case(
        "qr",
        lambda a: qr_signed(a)[0],
        draw(tall(*_shape)),
        lambda a: qr_positive(a)[0],
        grad=(0,),
        label=f"q-{_label}",
        bad=((lambda: linalg.qr(np.eye(2), "complete"), "mode"),) if _label == "tall" else (),
    )
    case(
        "qr",
        lambda a: qr_signed(a)[1],
        draw(tall(*_shape)),
        lambda a: qr_positive(a)[1],
        grad=(0,),
        label=f"r-{_label}",
    )
case(
    "pinv",
    lambda b, c: linalg.pinv(ops.matmul(b, c), rcond=1e-6),
    draw(tall(2, 5, 2), tall(2, 2, 4)),
    lambda b, c: pseudoinverse(c) @ pseudoinverse(b),
    grad=(0, 1),
    label="low-rank",
    rtol32=4e-6,
)
case(
    "callback",
    lambda x, y: fg.pure_callback(lambda a, b: a * 2 + b, x, x, y),
    draw(normal(3, 4), normal(4)),
    lambda x, y: x * 2 + y,
    bad=(
        (lambda: fg.pure_callback(lambda a: a, fg.ShapeDtypeStruct(3, F32), RECTANGLE), "shape"),
        (
            lambda: fg.pure_callback(lambda a: a, fg.ShapeDtypeStruct((2, 3), "int32"), RECTANGLE),
            "32",
        ),
        (lambda: fg.pure_callback(lambda a: a, (), RECTANGLE), "at least one"),
        (lambda: fg.pure_callback(3, RECTANGLE, RECTANGLE), "a function"),
    ),
)
