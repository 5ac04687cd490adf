"""Functions of arrays: NumPy's names and signatures, and what neural networks need besides.

Every function takes Tensors, Variables, NumPy arrays, numbers and nested lists, broadcasts by
NumPy's rules and returns a Tensor. All can be traced by `fusegrad.jit`, and differentiated by
`fusegrad.grad` where they have a derivative.

All raise `fusegrad.errors.ArgumentError`, a ValueError, for what is no array, and for dtypes and
shapes that they are not defined for. A Python integer that does not fit the dtype of the array it
meets raises OverflowError.

Notes
-----
There are six dtypes: float32, float64, int32, int64, uint8, bool. Operands of several dtypes are
promoted as in NumPy: Python numbers adapt to the arrays they meet (NEP 50), and float32 with int32
or int64 gives float64. A list is an array: of `config.floatx()`, int64 or bool. Where a result is
not an integer, arrays of integers and booleans become float64, a lone number `config.floatx()`.

Unlike in NumPy, uint8 and bool have no arithmetic (cast them first), and `matmul`, `relu` and
`power` take no integers alone, but for the exponent 2.

Examples
--------
>>> from fusegrad import ops
>>> ops.maximum([1.0, -2.0], 0.0)
Tensor([1., 0.], dtype=float32)
"""

from __future__ import annotations

from fusegrad._spelling import missing
from fusegrad.ops.binary import (
    add,
    clip,
    divide,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_or,
    maximum,
    minimum,
    multiply,
    not_equal,
    power,
    subtract,
    where,
)
from fusegrad.ops.creation import (
    arange,
    full,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from fusegrad.ops.indexing import (
    slice,
    take,
)
from fusegrad.ops.losses import (
    binary_cross_entropy,
    categorical_cross_entropy,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    sparse_categorical_cross_entropy,
    sparse_softmax_cross_entropy,
)
from fusegrad.ops.neural import (
    dense,
    dropout,
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    one_hot,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from fusegrad.ops.products import (
    dot,
    matmul,
)
from fusegrad.ops.reductions import (
    argmax,
    argmin,
    logsumexp,
    max,
    mean,
    min,
    std,
    sum,
    var,
)
from fusegrad.ops.shapes import (
    broadcast_to,
    concatenate,
    expand_dims,
    reshape,
    squeeze,
    stack,
    transpose,
)
from fusegrad.ops.unary import (
    abs,
    cast,
    erf,
    erfc,
    exp,
    expm1,
    identity,
    log,
    log1p,
    logical_not,
    negative,
    reciprocal,
    sign,
    sqrt,
    square,
    tanh,
)

__all__ = [
    "abs",
    "add",
    "arange",
    "argmax",
    "argmin",
    "binary_cross_entropy",
    "broadcast_to",
    "cast",
    "categorical_cross_entropy",
    "clip",
    "concatenate",
    "dense",
    "divide",
    "dot",
    "dropout",
    "elu",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expand_dims",
    "expm1",
    "full",
    "gelu",
    "greater",
    "greater_equal",
    "identity",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "mean_squared_error",
    "min",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "power",
    "reciprocal",
    "relu",
    "reshape",
    "sigmoid",
    "sigmoid_cross_entropy",
    "sign",
    "silu",
    "slice",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sparse_categorical_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "tanh",
    "transpose",
    "var",
    "where",
    "zeros",
    "zeros_like",
]

__getattr__ = missing(__name__, __all__)
