"""PyTorch with the network and its loss under torch.compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from peers import Unsupported, torch_eager
from workloads import Prepared, Training

NAME = "PyTorch compile"
FORMS = ("float32", "uint8")
version = torch_eager.version


def prepare(p: Prepared) -> Callable[[], Any]:
    if not isinstance(p.workload, Training):
        raise Unsupported("single calls are measured eagerly")
    return torch_eager.training(p, p.workload, torch.compile)
