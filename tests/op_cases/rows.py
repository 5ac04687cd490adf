"""Rows: softmax and the losses."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import (
    F32,
    case,
    draw,
    internal,
    ints,
    labels,
    normal,
    probabilities,
    row_values,
    unit,
)
from references import (
    categorical_cross_entropy,
    clipped_bce,
    log_softmax,
    log_softmax_grad,
    one_hot,
    picked,
    sigmoid,
    sigmoid_cross_entropy,
    softmax,
    softmax_grad,
)

for _axis in (-1, 0):
    case(
        "softmax",
        lambda x, a=_axis: ops.softmax(x, axis=a),
        draw(normal(4, 11)),
        lambda x, a=_axis: softmax(x, a),
        grad=(0,),
        label=f"axis{_axis}",
        bench=((32, 10), (128, 1000)) if _axis == -1 else (),
    )
    case(
        "log_softmax",
        lambda x, a=_axis: ops.log_softmax(x, axis=a),
        draw(normal(4, 11)),
        lambda x, a=_axis: log_softmax(x, a),
        grad=(0,),
        label=f"axis{_axis}",
    )
case(
    "softmax_grad",
    internal("softmax_grad", axes=(1,)),
    draw(normal(4, 5), probabilities(4, 5)),
    softmax_grad,
    grad=(0, 1),
)
case(
    "log_softmax_grad",
    internal("log_softmax_grad", axes=(1,)),
    draw(normal(4, 5), lambda rng: np.log(softmax(rng.normal(size=(4, 5))))),
    log_softmax_grad,
    grad=(0, 1),
)
case(
    "sparse_softmax_cross_entropy",
    lambda z, y: ops.sparse_softmax_cross_entropy(y, z),
    draw(normal(6, 10), ints(10, 6)),
    lambda z, y: -picked(log_softmax(z), y),
    grad=(0,),
    domains=(normal, labels),
    shapes="rows",
    bench=((32, 10), (128, 1000)),
    bad=(
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([3]), np.ones((1, 3), F32)),
            r"\[0, 3\)",
        ),
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([-1]), np.ones((1, 3), F32)),
            r"\[0, 3\)",
        ),
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([1, 1]), np.ones((1, 3), F32)),
            "labels",
        ),
    ),
)
case(
    "sparse_softmax_cross_entropy_grad",
    internal("sparse_softmax_cross_entropy_grad"),
    draw(normal(6, 10), ints(10, 6), normal(6)),
    lambda z, y, g: (softmax(z) - one_hot(y, z.shape[-1])) * g[..., None],
    grad=(0, 2),
    domains=(normal, labels, row_values),
    shapes="rows",
    rtol64=1e-12,
)
case(
    "sparse_softmax_cross_entropy_with_grad",
    internal("sparse_softmax_cross_entropy_with_grad"),
    draw(normal(6, 10), ints(10, 6), normal(6)),
    lambda z, y, g: (
        (softmax(z) - one_hot(y, z.shape[-1])) * g[..., None],
        -np.take_along_axis(log_softmax(z), y[..., None], axis=-1)[..., 0],
    ),
    rtol64=1e-12,
)
case(
    "softmax_cross_entropy",
    lambda z, t: ops.softmax_cross_entropy(t, z),
    draw(normal(6, 10), probabilities(6, 10)),
    lambda z, t: -np.sum(t * log_softmax(z), axis=-1),
    grad=(0, 1),
    domains=(normal, probabilities),
    shapes="rows",
    bad=(
        (lambda: ops.softmax_cross_entropy(np.ones((1, 4), F32), np.ones((1, 3), F32)), "labels"),
    ),
)
case(
    "softmax_cross_entropy_grad",
    internal("softmax_cross_entropy_grad"),
    draw(normal(6, 10), probabilities(6, 10), normal(6)),
    lambda z, t, g: (softmax(z) * np.sum(t, axis=-1, keepdims=True) - t) * g[..., None],
    grad=(0, 1, 2),
    domains=(normal, probabilities, row_values),
    shapes="rows",
    rtol64=1e-12,
)
case(
    "softmax_cross_entropy_with_grad",
    internal("softmax_cross_entropy_with_grad"),
    draw(normal(6, 10), probabilities(6, 10), normal(6)),
    lambda z, t, g: (
        (softmax(z) * np.sum(t, axis=-1, keepdims=True) - t) * g[..., None],
        -np.sum(t * log_softmax(z), axis=-1),
    ),
    rtol64=1e-12,
)
case(
    "sigmoid_cross_entropy",
    lambda z, t: ops.sigmoid_cross_entropy(t, z),
    draw(normal(6, 3), unit(6, 3)),
    sigmoid_cross_entropy,
    grad=(0, 1),
    domains=(normal, unit),
    bench=((32, 10),),
    bad=(
        (lambda: ops.sigmoid_cross_entropy(np.ones((4, 1), F32), np.ones((4, 3), F32)), "labels"),
    ),
)
case(
    "sigmoid_cross_entropy_grad",
    internal("sigmoid_cross_entropy_grad"),
    draw(normal(6, 3), unit(6, 3), normal(6, 3)),
    lambda z, t, g: (sigmoid(z) - t) * g,
    grad=(0, 1, 2),
    domains=(normal, unit, normal),
    rtol64=1e-12,
)
case(
    "sigmoid_cross_entropy_with_grad",
    internal("sigmoid_cross_entropy_with_grad"),
    draw(normal(6, 3), unit(6, 3), normal(6, 3)),
    lambda z, t, g: ((sigmoid(z) - t) * g, sigmoid_cross_entropy(z, t)),
    rtol64=1e-12,
)
case(
    "categorical_cross_entropy",
    lambda p, t: ops.categorical_cross_entropy(t, p),
    draw(unit(6, 4), probabilities(6, 4)),
    categorical_cross_entropy,
    grad=(0, 1),
    domains=(unit, probabilities),
    shapes="rows",
)
case(
    "sparse_categorical_cross_entropy",
    lambda p, y: ops.sparse_categorical_cross_entropy(y, p),
    draw(unit(6, 4), ints(4, 6)),
    lambda p, y: categorical_cross_entropy(p, one_hot(y, p.shape[-1])),
    grad=(0,),
    domains=(unit, labels),
    shapes="rows",
)
case(
    "binary_cross_entropy",
    lambda p, t: ops.binary_cross_entropy(t, p),
    draw(unit(6, 4), unit(6, 4)),
    clipped_bce,
    grad=(0, 1),
    domains=(unit, unit),
)
case(
    "mean_squared_error",
    lambda p, t: ops.mean_squared_error(t, p),
    draw(normal(6, 4), normal(6, 4)),
    lambda p, t: np.mean((p - t) ** 2, axis=-1),
    grad=(0, 1),
    domains=(normal, normal),
    shapes="rows",
    bad=((lambda: ops.mean_squared_error(np.ones((4,), F32), np.ones((4, 1), F32)), "y_true"),),
)
