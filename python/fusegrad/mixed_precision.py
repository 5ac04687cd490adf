"""Mixed precision under the older names of Keras: see `fusegrad.dtype_policies`.

Examples
--------
>>> from fusegrad import mixed_precision
>>> mixed_precision.Policy("mixed_bfloat16").variable_dtype
'float32'
"""

from __future__ import annotations

from fusegrad._spelling import missing
from fusegrad.config import dtype_policy, set_dtype_policy
from fusegrad.dtype_policies import DTypePolicy

__all__ = [
    "DTypePolicy",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

_HINTS = {"LossScaleOptimizer": "'mixed_bfloat16' needs no loss scaling"}

__getattr__ = missing(__name__, __all__, _HINTS)

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
