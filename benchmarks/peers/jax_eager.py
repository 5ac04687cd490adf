"""JAX without jit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers import Unsupported, jax_
from workloads import AUTODIFF, Prepared

NAME = "JAX eager"
version = jax_.version


def prepare(p: Prepared) -> Callable[[], Any]:
    if p.workload.group != AUTODIFF:
        raise Unsupported("measured under jit")
    return jax_.derivative(p)
