"""Settings of the whole process: the default dtype, epsilon, threads; and how this build is made.

Examples
--------
>>> from fusegrad import config
>>> config.floatx()
'float32'
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from fusegrad._spelling import missing
from fusegrad.errors import ArgumentError

if TYPE_CHECKING:
    from fusegrad.dtype_policies import DTypePolicy

__all__ = [
    "dtype_policy",
    "epsilon",
    "floatx",
    "get_num_threads",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_num_threads",
    "show",
]

__getattr__ = missing(__name__, __all__)

_state: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "dtype_policy": None}


def floatx() -> str:
    """Return the dtype of new weights and of Tensors made from Python floats.

    Returns
    -------
    str
        "float32" (the default) or "float64".

    Examples
    --------
    >>> floatx()
    'float32'
    """
    return str(_state["floatx"])


def set_floatx(value: str) -> None:
    """Set the dtype of new weights and of Tensors made from Python floats.

    Parameters
    ----------
    value : str
        "float32" or "float64".

    Raises
    ------
    fusegrad.errors.ArgumentError
        `value` is another dtype.

    Examples
    --------
    >>> set_floatx("float64")
    >>> floatx()
    'float64'
    >>> set_floatx("float32")
    """
    if value not in ("float32", "float64"):
        raise ArgumentError("set_floatx", "value", "'float32' or 'float64'", repr(value))
    _state["floatx"] = value
    native = sys.modules.get("fusegrad._tensor")
    if native is not None:
        native._set_default_float(value)


def dtype_policy() -> DTypePolicy:
    """Return the policy of new layers that are given no `dtype`.

    Returns
    -------
    fusegrad.dtype_policies.DTypePolicy
        What `set_dtype_policy` was given; before, the one of `floatx`.

    Examples
    --------
    >>> dtype_policy()
    <DTypePolicy "float32">
    """
    from fusegrad.dtype_policies import DTypePolicy

    known: DTypePolicy | None = _state["dtype_policy"]
    return DTypePolicy(floatx()) if known is None else known


def set_dtype_policy(policy: str | DTypePolicy | None) -> None:
    """Set the policy of new layers; `set_floatx` has no effect on layers from then on.

    Parameters
    ----------
    policy : str, fusegrad.dtype_policies.DTypePolicy or None
        ``"float32"``, ``"float64"``, or ``"mixed_bfloat16"``: weights in float32, matrix products
        in bfloat16. None restores the default, the policy of `floatx`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no such policy.

    Examples
    --------
    >>> from fusegrad import layers
    >>> set_dtype_policy("mixed_bfloat16")
    >>> layers.Dense(1).compute_dtype
    'bfloat16'
    >>> set_dtype_policy(None)
    """
    from fusegrad.dtype_policies import DTypePolicy, policy_of

    given: object = policy
    if given is not None and not isinstance(given, str | DTypePolicy):
        expected = "a DTypePolicy or its name, such as 'mixed_bfloat16', or None"
        raise ArgumentError("set_dtype_policy", "policy", expected, repr(policy))
    checked = None if policy is None else policy_of("set_dtype_policy", "policy", policy)
    _state["dtype_policy"] = checked


def epsilon() -> float:
    """Return the small number that keeps divisions and logarithms finite; 1e-7 by default.

    Examples
    --------
    >>> epsilon()
    1e-07
    """
    return float(_state["epsilon"])


def set_epsilon(value: float) -> None:
    """Set the number that `epsilon` returns.

    Parameters
    ----------
    value : float
        Positive and finite.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `value` is not a positive finite number.

    Examples
    --------
    >>> set_epsilon(1e-7)
    """
    given: object = value
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1e300:
        raise ArgumentError("set_epsilon", "value", "a positive finite number", repr(value))
    _state["epsilon"] = float(value)


def get_num_threads() -> int:
    """Return the number of threads that ops and training steps use.

    By default the least of the CPUs this process may run on, its cgroup quota rounded down (1.5
    CPUs are one thread), and the environment variable FUSEGRAD_NUM_THREADS (or OMP_NUM_THREADS).
    Results do not depend on it.

    Examples
    --------
    >>> get_num_threads() >= 1
    True
    """
    from fusegrad import _core

    return _core.num_threads()


def set_num_threads(count: int | None) -> None:
    """Set the number of threads that ops and training steps use.

    Parameters
    ----------
    count : int or None
        At least 1; None restores the default. More threads than this process may use CPUs are
        allowed and not used, because they would only wait for each other.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `count` is not a possible number of threads.

    Examples
    --------
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(None)
    """
    from fusegrad import _core

    given: object = count
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise ArgumentError("set_num_threads", "count", "an integer >= 1, or None", repr(count))
    _core.set_num_threads(0 if count is None else count)


def show() -> None:
    """Print the version, the compiler, the instruction sets and the number of threads.

    Raises
    ------
    ValueError
        FUSEGRAD_ISA names an instruction set that this build or this machine does not have.

    Examples
    --------
    >>> show()  # doctest: +ELLIPSIS
    fusegrad ...
    """
    from fusegrad import _core

    levels = ", ".join(_core.isa_levels())
    print(f"fusegrad {_core.version()}")
    print(f"  compiler          {_core.compiler()}")
    print(f"  instruction sets  {levels} (in use: {_core.isa()})")
    print(f"  threads           {_core.num_threads()}")
    print(f"  floatx            {floatx()}")
    print(f"  dtype policy      {dtype_policy().name}")
