"""Functions to differentiate, in NumPy's style: `xp` is NumPy or what stands for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workloads import CHAIN


def logistic_cost(xp: Any, w: Any, b: Any, x: Any, y: Any) -> Any:
    p = 1 / (1 + xp.exp(-(xp.matmul(x, w) + b)))
    return -xp.mean(y * xp.log(p) + (1 - y) * xp.log(1 - p))


def chain(xp: Any, a: Any) -> Any:
    """Return the last of CHAIN functions of each other, which come near to 0.567."""
    for _ in range(CHAIN // 2):
        a = xp.exp(-a)
    return a


def functions(xp: Any) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Return the cost of (w, b, x, y), the cost of (w, x, y), and the sum of the chain of (a)."""
    return (
        lambda w, b, x, y: logistic_cost(xp, w, b, x, y),
        lambda w, x, y: logistic_cost(xp, w, 0.0, x, y),
        lambda a: xp.sum(chain(xp, a)),
    )
