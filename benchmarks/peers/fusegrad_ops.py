"""fusegrad's own functions in place of NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import ops
from peers import Unsupported, fusegrad_
from workloads import AUTODIFF, Prepared

NAME = "fusegrad, ops"
version = fusegrad_.version


def prepare(p: Prepared) -> Callable[[], Any]:
    if p.workload.group != AUTODIFF:
        raise Unsupported("measured as fusegrad")
    return fusegrad_.derivative(p, ops)
