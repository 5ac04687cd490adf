"""Transforms of functions, with JAX's names and meanings, and TensorFlow's `GradientTape`.

Arguments and results may be nested tuples, lists and dicts of arrays.

Examples
--------
>>> import fusegrad as fg
>>> fg.grad(lambda x: x**3)(2.0)
Tensor(12., dtype=float32)
>>> fg.grad(fg.grad(lambda x: x**3))(2.0)
Tensor(12., dtype=float32)
"""

from __future__ import annotations

from fusegrad._spelling import missing
from fusegrad.transforms.checkpointing import checkpoint, remat
from fusegrad.transforms.compilation import Jitted, Lowered, jit
from fusegrad.transforms.custom import custom_gradient, custom_vjp
from fusegrad.transforms.gradients import grad, value_and_grad
from fusegrad.transforms.jacobians import hessian, jacfwd, jacobian, jacrev
from fusegrad.transforms.products import hvp, jvp, vjp
from fusegrad.transforms.tape import GradientTape
from fusegrad.transforms.vectorize import vmap

__all__ = [
    "GradientTape",
    "Jitted",
    "Lowered",
    "checkpoint",
    "custom_gradient",
    "custom_vjp",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "remat",
    "value_and_grad",
    "vjp",
    "vmap",
]

__getattr__ = missing(__name__, __all__)
