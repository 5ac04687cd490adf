"""Entries of the gradient matrix for ops that move elements: shapes, joins, keys and indices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._tensor import as_tensor
from gradient_entries import Entry, Shape, entry, fixed
from op_cases.table import draw, internal, normal
from references import slice_grad, take_grad


def shape_forms() -> Iterator[Entry]:
    for shape, new in [
        ((), (1,)),
        ((), (1, 1)),
        ((1,), ()),
        ((6,), (2, 3)),
        ((6,), (1, 6, 1)),
        ((3, 10), (-1,)),
        ((3, 10), (5, 6)),
        ((2, 3, 4), (4, 6)),
        ((2, 3, 4), (3, -1)),
        ((0,), (0, 3)),
        ((0, 3), (3, 0)),
        ((2, 0, 3), (0,)),
    ]:
        yield entry(
            "reshape",
            f"{shape} to {new}",
            draw(normal(*shape)),
            lambda x, n=new: ops.reshape(x, n),
            lambda x, n=new: x.reshape(n),
        )
    for axis in (0, 1, -1):
        yield entry(
            "reshape",
            f"expand_dims {axis}",
            draw(normal(3, 5)),
            lambda x, a=axis: ops.expand_dims(x, a),
            lambda x, a=axis: np.expand_dims(x, a),
        )
    for shape, axis in [((1, 3, 1), None), ((1, 3, 1), 0), ((3, 1), -1), ((1, 1), (0, 1))]:
        yield entry(
            "reshape",
            f"squeeze {shape} axis {axis}",
            draw(normal(*shape)),
            lambda x, a=axis: ops.squeeze(x, a),
            lambda x, a=axis: np.squeeze(x, a),
        )
    for shape in [(2, 3, 4), (2, 0, 3), (1, 3), (5, 7), (2, 1, 3, 2), ()]:
        for axes in [None, *permutations(range(len(shape)))]:
            yield entry(
                "transpose",
                f"{shape} axes {axes}",
                draw(normal(*shape)),
                lambda x, a=axes: ops.transpose(x, a),
                lambda x, a=axes: np.transpose(x, a),
            )
    for shape, wide in [
        ((), ()),
        ((), (3, 5)),
        ((), (0, 3)),
        ((1,), (7,)),
        ((1,), (0,)),
        ((5,), (3, 5)),
        ((3, 1), (3, 5)),
        ((3, 1), (3, 0)),
        ((1, 1), (4, 6)),
        ((2, 1, 3), (2, 4, 3)),
        ((3, 1), (2, 3, 4)),
        ((0, 3), (2, 0, 3)),
        ((3, 5), (3, 5)),
    ]:
        yield entry(
            "broadcast_to",
            f"{shape} to {wide}",
            draw(normal(*shape)),
            lambda x, w=wide: ops.broadcast_to(x, w),
            lambda x, w=wide: np.broadcast_to(x, w),
        )


def join_forms() -> Iterator[Entry]:
    joined: list[tuple[list[Shape], int]] = [
        ([(3,)], 0),
        ([(3,), (1,)], 0),
        ([(3,), (0,)], 0),
        ([(0,), (0,)], 0),
        ([(2, 3), (1, 3), (4, 3)], 0),
        ([(3, 2), (3, 4), (3, 1), (3, 3)], -1),
        ([(0, 3), (2, 3)], 0),
        ([(0, 3), (0, 2)], 1),
        ([(2, 1, 3), (2, 4, 3)], 1),
        ([(2, 3, 1), (2, 3, 17)], 2),
    ]
    for shapes, axis in joined:
        yield entry(
            "concatenate",
            f"{shapes} axis {axis}",
            draw(*(normal(*shape) for shape in shapes)),
            lambda *xs, a=axis: ops.concatenate(xs, axis=a),
            lambda *xs, a=axis: np.concatenate(xs, axis=a),
            tuple(range(len(shapes))),
        )
    for shape in [(), (1,), (5,), (3, 2), (0, 3), (2, 3, 4)]:
        for count in (1, 2, 4):
            for axis in range(-1, len(shape) + 1):
                yield entry(
                    "stack",
                    f"{count} of {shape} axis {axis}",
                    draw(*[normal(*shape)] * count),
                    lambda *xs, a=axis: ops.stack(xs, axis=a),
                    lambda *xs, a=axis: np.stack(xs, axis=a),
                    tuple(range(count)),
                )
    for name, function, reference in [
        ("concatenate", ops.concatenate, np.concatenate),
        ("stack", ops.stack, np.stack),
    ]:
        for axis in (0, 1):
            yield entry(
                name,
                f"one array three times axis {axis}",
                draw(normal(3, 2)),
                lambda x, f=function, a=axis: f((x, x, x), axis=a),
                lambda x, f=reference, a=axis: f((x, x, x), axis=a),
            )


class Key:
    """Writes down what stands between the brackets."""

    def __getitem__(self, key: Any) -> Any:
        return key


key = Key()
KEYS: list[tuple[Shape, list[Any]]] = [
    ((7,), [key[:], key[2:], key[:-2], key[::2], key[::-1], key[5:1:-2], key[3], key[-1]]),
    ((7,), [key[3:3], key[None], key[..., None], key[6:], key[::10]]),
    ((4, 7), [key[2], key[:, 3], key[1:, ::-2], key[::2, ::3], key[-1, 2:5], key[3:0:-1, -1]]),
    ((4, 7), [key[..., 0], key[:, None, 1:], key[0, 0], key[4:, :], key[:, :0]]),
    ((2, 3, 4), [key[1], key[:, 1], key[..., 2], key[::-1, 1:, ::3], key[0, :, -1], key[1, 2, 3]]),
    ((0, 3), [key[:, 1], key[:, ::-1], key[1:]]),
    ((1, 1), [key[0], key[0, 0], key[:, ::-1]]),
]


def index_forms() -> Iterator[Entry]:
    for shape, keys in KEYS:
        for k in keys:
            yield entry(
                "slice",
                f"{shape} [{k}]",
                draw(normal(*shape)),
                lambda x, k=k: as_tensor(x)[k],
                lambda x, k=k: x[k],
            )
    for small, shape, start, step in [
        ((3,), (7,), (1,), (2,)),
        ((3,), (7,), (6,), (-3,)),
        ((0,), (7,), (0,), (1,)),
        ((1, 1), (1, 1), (0, 0), (1, 1)),
        ((2, 3), (4, 5), (1, 0), (2, 1)),
        ((2, 2, 3), (2, 3, 4), (1, 0, 3), (-1, 2, -1)),
        ((0, 3), (0, 5), (0, 1), (1, 1)),
    ]:
        yield entry(
            "slice_grad",
            f"{small} into {shape} from {start} by {step}",
            draw(normal(*small)),
            internal("slice_grad", shape=shape, start=start, step=step),
            lambda g, o=(shape, start, step): slice_grad(g, *o),
        )
    indices: list[Any] = [[0], [2, 0, 1], [1, 1, 1, 1], [-1, 0, -3], [[0, 2], [2, 2]], [], 1, -1]
    for shape in [(3,), (3, 3), (3, 4, 3), (3, 0)]:
        for axis in [None, *(a for a in range(-1, len(shape)) if shape[a] == 3)]:
            for places in indices:
                if axis is None and not np.prod(shape) and places != []:
                    continue  # there is no element to take
                yield entry(
                    "take",
                    f"{shape} at {places} axis {axis}",
                    fixed(normal(*shape), places),
                    lambda x, i, a=axis: ops.take(x, i, axis=a),
                    lambda x, i, a=axis: np.take(x, i, axis=a),
                )
    for shape, axis in [((3,), 0), ((3, 4), 0), ((4, 3), 1), ((2, 3, 2), 1), ((3, 0), 0)]:
        for places in indices:
            picked_shape = (*shape[:axis], *np.shape(places), *shape[axis + 1 :])
            yield entry(
                "take_grad",
                f"into {shape} at {places} axis {axis}",
                fixed(normal(*picked_shape), places),
                internal("take_grad", shape=shape, axes=(axis,)),
                lambda g, i, o=(shape, axis): take_grad(g, i, *o),
            )


def cast_forms() -> Iterator[Entry]:
    """Through float32 and back, where the gradient goes the same way."""
    yield entry(
        "cast",
        "to float32 and back",
        draw(normal(5, 7)),
        lambda x: ops.cast(ops.cast(x, "float32"), "float64"),
        lambda x: x,
    )


FORMS = [shape_forms, join_forms, index_forms, cast_forms]
