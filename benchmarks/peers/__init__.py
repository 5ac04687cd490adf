"""Who takes part in a comparison, one module each, fusegrad among them.

A contender is a module with

    NAME                what tables call it
    version()           of the package, as a string
    prepare(prepared)   -> a function without arguments that finishes one turn of the workload

and, where it has a choice, FORMS, the element types in which it can take rows that are uint8. A
turn of a `Training` trains its number of epochs, goes on from the last turn, and returns the mean
loss of its last epoch; a turn of a `Call` returns what the function returns. `prepare` raises
`Unsupported` where the package has no such thing, or no sensible one.

A module imports its package when it is imported, in a process of its own that serves nothing else.
`processes.py` sets the number of threads from outside before that.
"""

from __future__ import annotations

OURS = "fusegrad"
MODULES = (
    "fusegrad_",
    "jax_",
    "keras_jax",
    "keras_tensorflow",
    "tensorflow_",
    "torch_eager",
    "torch_compile",
    "scikit_learn",
    "hips_autograd",
    "mygrad_",
    "numpy_by_hand",
)
# Other ways to use the same packages, which start only where derivatives are compared.
AUTODIFF_MODULES = ("fusegrad_ops", "fusegrad_jit", "jax_eager", "tensorflow_eager")


class Unsupported(Exception):
    """This contender does not take part in this workload."""
