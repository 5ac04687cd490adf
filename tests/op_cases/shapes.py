"""Shapes and indices."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from fusegrad._tensor import as_tensor
from op_cases.table import F32, case, draw, internal, ints, normal
from references import one_hot, slice_grad, take_grad

case(
    "reshape",
    lambda x: ops.reshape(x, (5, -1)),
    draw(normal(3, 10)),
    lambda x: x.reshape(5, 6),
    grad=(0,),
    bad=((lambda: ops.reshape(np.ones((2, 3), F32), (4, 2)), "shape"),),
)
case("transpose", ops.transpose, draw(normal(3, 5)), np.transpose, grad=(0,))
case(
    "transpose",
    lambda x: ops.transpose(x, (2, 0, 1)),
    draw(normal(2, 3, 4)),
    lambda x: np.transpose(x, (2, 0, 1)),
    grad=(0,),
    label="axes",
    bad=((lambda: ops.transpose(np.ones((2, 3), F32), (0, 0)), "axes"),),
)
case(
    "broadcast_to",
    lambda x: ops.broadcast_to(x, (4, 3, 5)),
    draw(normal(3, 1)),
    lambda x: np.broadcast_to(x, (4, 3, 5)),
    grad=(0,),
    bad=((lambda: ops.broadcast_to(np.ones((2, 3), F32), (4, 4)), "shape"),),
)
case(
    "concatenate",
    lambda a, b: ops.concatenate((a, b), axis=1),
    draw(normal(3, 2), normal(3, 4)),
    lambda a, b: np.concatenate((a, b), axis=1),
    grad=(0, 1),
    bad=((lambda: ops.concatenate((np.ones((2, 3), F32), np.ones((3, 3), F32)), axis=1), "shape"),),
)
case(
    "stack",
    lambda a, b: ops.stack((a, b), axis=-1),
    draw(normal(3, 2), normal(3, 2)),
    lambda a, b: np.stack((a, b), axis=-1),
    grad=(0, 1),
)
case(
    "slice", lambda x: as_tensor(x)[1:, ::-2], draw(normal(4, 7)), lambda x: x[1:, ::-2], grad=(0,)
)
case("slice", lambda x: as_tensor(x)[2], draw(normal(4, 7)), lambda x: x[2], grad=(0,), label="row")
case(
    "slice_grad",
    internal("slice_grad", shape=(4, 5), start=(1, 0), step=(2, 1)),
    draw(normal(2, 3)),
    lambda g: slice_grad(g, (4, 5), (1, 0), (2, 1)),
    grad=(0,),
)
case(
    "take",
    lambda x, i: ops.take(x, i, axis=1),
    draw(normal(3, 6), lambda rng: np.array([5, 0, 0, -2])),
    lambda x, i: np.take(x, i, axis=1),
    grad=(0,),
    bad=((lambda: ops.take(np.ones((2, 3), F32), np.array([3]), axis=1), "indices"),),
)
case(
    "take_grad",
    internal("take_grad", shape=(3, 6), axes=(1,)),
    draw(normal(3, 4), lambda rng: np.array([5, 0, 0, 2])),
    lambda g, i: take_grad(g, i, (3, 6), 1),
    grad=(0,),
)
case(
    "one_hot",
    lambda i: ops.one_hot(i, 4, "float64"),
    draw(ints(4, 5)),
    lambda i: one_hot(i, 4),
)
case(
    "ravel_multi_index",
    lambda i, j: ops.ravel_multi_index((i, j), (4, 5)),
    draw(ints(4, 3, 1), ints(5, 6)),
    lambda i, j: np.ravel_multi_index(np.broadcast_arrays(i, j), (4, 5)),
    bad=(
        (lambda: ops.ravel_multi_index(([0], [5]), (4, 5)), r"multi_index\[1\]"),
        (lambda: ops.ravel_multi_index(([-1], [0]), (4, 5)), r"multi_index\[0\]"),
        (lambda: ops.ravel_multi_index(([0],), (4, 5)), "dims"),
        (lambda: ops.ravel_multi_index(([0], [0]), (-1, 5)), "dims"),
        (lambda: ops.ravel_multi_index(([2**62 - 1], [3], [0]), (2**62, 4, 0)), "dims"),
        (lambda: ops.ravel_multi_index(([0.5], [0]), (4, 5)), "multi_index"),
        (lambda: ops.ravel_multi_index(([0, 1], [0, 1, 2]), (4, 5)), "operands"),
    ),
)
case(
    "ravel_multi_index",
    internal("ravel_multi_index", shape=(4, 5), flag=True),
    draw(lambda rng: np.array([[-1], [3]], np.int32), lambda rng: np.array([-5, 4])),
    lambda i, j: np.ravel_multi_index(np.broadcast_arrays(i % 4, j % 5), (4, 5)),
    label="from-the-end",
)
