"""Gradients by computing again: `checkpoint`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, current_builder
from fusegrad.transforms.trees import checked_function, leaves

__all__ = ["checkpoint", "remat"]

__getattr__ = missing(__name__, __all__)


def checkpoint(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fun` such that its gradient computes it again instead of keeping what it computed.

    Only what it reads and what it returns is kept until gradients are taken: memory for time. The
    numbers are the same. `remat` is another name of it.

    Parameters
    ----------
    fun : callable
        Any function of Tensors, also a layer or a model, whose Variables are read and
        differentiated as ever.

    Returns
    -------
    callable
        With the arguments and results of `fun`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `fun` is no function.

    Examples
    --------
    >>> from fusegrad import grad, ops
    >>> grad(checkpoint(lambda x: ops.exp(x) ** 2))(0.0)
    Tensor(2., dtype=float32)
    """
    checked_function("checkpoint", fun)

    @functools.wraps(fun)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        recorder = current_builder()
        if recorder is None:
            return fun(*args, **kwargs)
        first = recorder.num_nodes()
        result = fun(*args, **kwargs)
        recorder.checkpoint(first, [leaf for leaf in leaves(result) if isinstance(leaf, Tensor)])
        return result

    return wrapped


remat = checkpoint
