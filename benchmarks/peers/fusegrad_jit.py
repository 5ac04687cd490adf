"""fusegrad with the derivative under jit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fusegrad as fg
from peers import Unsupported, fusegrad_
from workloads import AUTODIFF, Prepared

NAME = "fusegrad, jit"
version = fusegrad_.version


def prepare(p: Prepared) -> Callable[[], Any]:
    if p.workload.group != AUTODIFF:
        raise Unsupported("measured as fusegrad")
    return fusegrad_.derivative(p, np, fg.jit)
