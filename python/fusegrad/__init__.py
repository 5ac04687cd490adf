"""fusegrad: neural networks on CPUs, and derivatives of NumPy-style code.

Everything public is an attribute of this package and is imported when it is first used.

Examples
--------
>>> import fusegrad as fg
>>> fg.grad(lambda x: x * x)(3.0)
Tensor(6., dtype=float32)
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers take it for true; importing typing costs as much as all else
if TYPE_CHECKING:
    from typing import Any

    import fusegrad as keras
    from fusegrad import (
        activations,
        callbacks,
        config,
        datasets,
        dtype_policies,
        errors,
        extending,
        initializers,
        layers,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        random,
        regularizers,
        testing,
        transforms,
        utils,
    )
    from fusegrad._tensor import Tensor, from_dlpack
    from fusegrad.config import get_num_threads, set_num_threads
    from fusegrad.dtype_policies import DTypePolicy
    from fusegrad.errors import ArgumentError
    from fusegrad.extending import (
        ShapeDtypeStruct,
        get_cmake_dir,
        get_include,
        get_library_dir,
        pure_callback,
    )
    from fusegrad.initializers import Initializer
    from fusegrad.layers import Input, Layer
    from fusegrad.losses import Loss
    from fusegrad.metrics import Metric
    from fusegrad.models import Model, Sequential
    from fusegrad.ops import stop_gradient
    from fusegrad.optimizers import Optimizer
    from fusegrad.regularizers import Regularizer
    from fusegrad.transforms import (
        GradientTape,
        checkpoint,
        custom_gradient,
        custom_vjp,
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jit,
        jvp,
        remat,
        value_and_grad,
        vjp,
        vmap,
    )
    from fusegrad.variable import Variable

    __version__: str

__all__ = [
    "ArgumentError",
    "DTypePolicy",
    "GradientTape",
    "Initializer",
    "Input",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "ShapeDtypeStruct",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "callbacks",
    "checkpoint",
    "config",
    "custom_gradient",
    "custom_vjp",
    "datasets",
    "dtype_policies",
    "errors",
    "extending",
    "from_dlpack",
    "get_cmake_dir",
    "get_include",
    "get_library_dir",
    "get_num_threads",
    "grad",
    "hessian",
    "hvp",
    "initializers",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "keras",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "ops",
    "optimizers",
    "pure_callback",
    "random",
    "regularizers",
    "remat",
    "set_num_threads",
    "stop_gradient",
    "testing",
    "transforms",
    "utils",
    "value_and_grad",
    "vjp",
    "vmap",
]

_HOMES = {
    "ArgumentError": "fusegrad.errors",
    "DTypePolicy": "fusegrad.dtype_policies",
    "GradientTape": "fusegrad.transforms",
    "Initializer": "fusegrad.initializers",
    "Input": "fusegrad.layers",
    "Layer": "fusegrad.layers",
    "Loss": "fusegrad.losses",
    "Metric": "fusegrad.metrics",
    "Model": "fusegrad.models",
    "Optimizer": "fusegrad.optimizers",
    "Regularizer": "fusegrad.regularizers",
    "Sequential": "fusegrad.models",
    "ShapeDtypeStruct": "fusegrad.extending",
    "Tensor": "fusegrad._tensor",
    "Variable": "fusegrad.variable",
    "checkpoint": "fusegrad.transforms",
    "custom_gradient": "fusegrad.transforms",
    "custom_vjp": "fusegrad.transforms",
    "from_dlpack": "fusegrad._tensor",
    "get_cmake_dir": "fusegrad.extending",
    "get_include": "fusegrad.extending",
    "get_library_dir": "fusegrad.extending",
    "get_num_threads": "fusegrad.config",
    "grad": "fusegrad.transforms",
    "hessian": "fusegrad.transforms",
    "hvp": "fusegrad.transforms",
    "jacfwd": "fusegrad.transforms",
    "jacobian": "fusegrad.transforms",
    "jacrev": "fusegrad.transforms",
    "jit": "fusegrad.transforms",
    "jvp": "fusegrad.transforms",
    "pure_callback": "fusegrad.extending",
    "remat": "fusegrad.transforms",
    "set_num_threads": "fusegrad.config",
    "stop_gradient": "fusegrad.ops",
    "value_and_grad": "fusegrad.transforms",
    "vjp": "fusegrad.transforms",
    "vmap": "fusegrad.transforms",
}
#: Submodules whose names are asked for as if they were here: `from fusegrad import Dense`.
_INSIDE = ("layers", "losses", "optimizers", "metrics", "callbacks", "activations", "ops")
_SPECIAL = ("__version__", "keras")
_SUBMODULES = frozenset(__all__) - _HOMES.keys() - set(_SPECIAL)


def __getattr__(name: str) -> Any:
    """Import what `name` is; raise AttributeError with the nearest name for what there is not."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            value: Any = version("fusegrad")
        except PackageNotFoundError:  # a build tree that is not installed
            value = _imported("fusegrad._core").version()
    elif name == "keras":  # so that `from fusegrad import keras` reads like Keras
        value = sys.modules[__name__]
    elif name in _SUBMODULES or name in ("_core", "_tensor"):
        value = _imported(f"{__name__}.{name}")
    elif name in _HOMES:
        value = getattr(_imported(_HOMES[name]), name)
    else:
        from fusegrad._elsewhere import PACKAGE
        from fusegrad._spelling import missing

        value = missing(__name__, __all__, PACKAGE, depth=2, inside=_INSIDE)(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)


def _imported(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        if isinstance(error.__cause__, ValueError):  # a setting that the native modules refuse
            raise error.__cause__ from None
        if error.name in ("fusegrad._tensor", "fusegrad._core"):
            error.add_note(
                "fusegrad's native modules are not built, or not for this Python: run"
                " `pip install .` in the source tree, and start Python elsewhere than in `python/`"
            )
        raise
