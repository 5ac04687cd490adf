"""What other libraries call it: hints for names that fusegrad does not have."""

from __future__ import annotations

import sys

_DATA = "write fusegrad.Tensor(data), or fusegrad.Variable(data) for what is updated"
_RECORDS = (
    "nothing is recorded outside of grad, value_and_grad, vjp and GradientTape; within, x.detach()"
    " and fusegrad.stop_gradient(x) are constants"
)
_GRADIENTS = (
    "gradients are of functions. Write fusegrad.grad(f)(x), or fusegrad.value_and_grad(f)(x) for"
    " f(x) and its gradient"
)
_CAST = "write x.astype(dtype)"
_CPU = "all is on the CPU"

#: Attributes of the package, and what to write instead.
PACKAGE = {
    "Module": "write a subclass of fusegrad.Model or fusegrad.Layer",
    "array": _DATA,
    "asarray": _DATA,
    "backward": _GRADIENTS,
    "constant": _DATA,
    "enable_grad": _RECORDS,
    "from_numpy": _DATA,
    "function": "write fusegrad.jit",
    "gradient": "write fusegrad.grad(f), or tape.gradient of a GradientTape",
    "gradients": "write fusegrad.grad(f), or tape.gradient of a GradientTape",
    "inference_mode": _RECORDS,
    "manual_seed": "write fusegrad.utils.set_random_seed(seed)",
    "nn": "layers are in fusegrad.layers, functions in fusegrad.ops, models are fusegrad.Sequential"
    " and fusegrad.Model",
    "no_autodiff": _RECORDS,
    "no_grad": _RECORDS,
    "numpy": "NumPy's functions take Tensors, and fusegrad.ops has them too",
    "optim": "write fusegrad.optimizers",
    "set_grad_enabled": _RECORDS,
    "tensor": _DATA,
}

#: Functions of `fusegrad.ops`.
FUNCTIONS = {
    "array": _DATA,
    "asarray": _DATA,
    "as_tensor": _DATA,
    "cat": "write concatenate",
    "convert_to_tensor": _DATA,
    "mm": "write matmul",
    "tensor": _DATA,
    "unsqueeze": "write expand_dims",
}

_TENSOR = {
    "backward": _GRADIENTS,
    "clear_graph": _RECORDS,
    "clone": "write x.copy()",
    "constant": _GRADIENTS,
    "cpu": _CPU,
    "creator": _GRADIENTS,
    "cuda": _CPU,
    "data": "write x.numpy() for the elements, x.detach() for a Tensor that is constant",
    "device": _CPU,
    "dim": "write x.ndim",
    "double": _CAST,
    "float": _CAST,
    "grad": _GRADIENTS,
    "grad_fn": _GRADIENTS,
    "int": _CAST,
    "is_leaf": _GRADIENTS,
    "long": _CAST,
    "null_grad": _RECORDS,
    "numel": "write x.size",
    "permute": "write x.transpose(axes)",
    "requires_grad": _GRADIENTS,
    "requires_grad_": _GRADIENTS,
    "retain_grad": _GRADIENTS,
    "to": _CAST,
    "type": _CAST,
    "unsqueeze": "write x[..., None], or fusegrad.ops.expand_dims(x, axis)",
    "view": "write x.reshape(shape)",
    "zero_grad": _GRADIENTS,
}


def of_tensor(name: str) -> str:
    """Return what to write for an attribute that a Tensor does not have; "" where unknown."""
    hint = _TENSOR.get(name, "")
    if hint:
        return hint
    if name.endswith("_"):
        return "the elements of a Tensor never change: write x = x + 1, x = x.at[key].set(value)"
    # Not imported for this: objects of all kinds are asked for attributes of all kinds.
    functions = getattr(sys.modules.get("fusegrad.ops"), "__all__", ())
    return f"write fusegrad.ops.{name}(x)" if name in functions else ""
