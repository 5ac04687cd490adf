"""Dtype policies: the dtype of a layer's weights, and the dtype that it multiplies in.

Examples
--------
>>> import fusegrad as fg
>>> layer = fg.layers.Dense(10, dtype="mixed_bfloat16")
>>> layer.variable_dtype, layer.compute_dtype
('float32', 'bfloat16')
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fusegrad import config as _config
from fusegrad._registry import config_of
from fusegrad._spelling import Spelled, missing
from fusegrad.errors import ArgumentError

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

__getattr__ = missing(__name__, __all__)

#: Compute dtype and variable dtype.
_DTYPES = {
    "float32": ("float32", "float32"),
    "float64": ("float64", "float64"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}
_INSTEAD = {
    "mixed_float16": "write 'mixed_bfloat16', which needs no loss scaling",
    "float16": "write 'mixed_bfloat16', which keeps weights in float32",
    "bfloat16": "write 'mixed_bfloat16', which keeps weights in float32",
}


@dataclass(frozen=True, init=False, repr=False)
class DTypePolicy(Spelled):
    """The dtypes of a layer.

    Parameters
    ----------
    name : str, optional
        ``"float32"``, ``"float64"`` or ``"mixed_bfloat16"``; by default that of
        `fusegrad.config.dtype_policy`.

    Attributes
    ----------
    name : str
    variable_dtype : str
        The dtype of weights, their gradients, the optimizer's state, and of what layers give.
    compute_dtype : str
        The dtype of what is multiplied in matrix products: ``"bfloat16"`` for "mixed_bfloat16",
        else the same.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `name` is another. "mixed_float16" would need loss scaling; "mixed_bfloat16" does not.

    Notes
    -----
    Under "mixed_bfloat16" both operands of a layer's matrix products, and of the products that
    their gradients are, are rounded to bfloat16, to nearest and ties to even. Products are exact
    and summed in float32, and all else is float32: biases, activations, normalisation, losses and
    updates. Arrays are float32 everywhere; NumPy has no bfloat16.

    Examples
    --------
    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy
    <DTypePolicy "mixed_bfloat16">
    >>> policy.compute_dtype
    'bfloat16'
    """

    name: str
    compute_dtype: str
    variable_dtype: str

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = _config.dtype_policy().name
        given: object = name
        if not isinstance(given, str) or given not in _DTYPES:
            raise _refused("DTypePolicy", "name", name)
        compute_dtype, variable_dtype = _DTYPES[given]
        object.__setattr__(self, "name", given)
        object.__setattr__(self, "compute_dtype", compute_dtype)
        object.__setattr__(self, "variable_dtype", variable_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns
        -------
        dict
        """
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """Make a policy from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


#: The same as `DTypePolicy`, as in Keras.
FloatDTypePolicy = DTypePolicy


def get(identifier: Any) -> DTypePolicy:
    """Return the policy that `identifier` stands for.

    Parameters
    ----------
    identifier : DTypePolicy, str, numpy.dtype, dict or None
        A policy, its name, a dtype, the result of `serialize`, or None for the global one.

    Returns
    -------
    DTypePolicy

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no such policy.

    Examples
    --------
    >>> get("mixed_bfloat16")
    <DTypePolicy "mixed_bfloat16">
    """
    return policy_of("dtype_policies.get", "identifier", identifier)


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return a policy as a dict that `deserialize` takes.

    Parameters
    ----------
    dtype_policy : DTypePolicy

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(DTypePolicy("float32"))
    {'class_name': 'DTypePolicy', 'config': {'name': 'float32'}}
    """
    return {"class_name": "DTypePolicy", "config": dtype_policy.get_config()}


def deserialize(config: dict[str, Any]) -> DTypePolicy:
    """Return the policy of a dict that `serialize` made.

    Parameters
    ----------
    config : dict
        With the keys "class_name" and "config".

    Returns
    -------
    DTypePolicy

    Raises
    ------
    fusegrad.errors.ArgumentError
        It is no such dict.

    Examples
    --------
    >>> deserialize({"class_name": "DTypePolicy", "config": {"name": "float64"}})
    <DTypePolicy "float64">
    """
    where = "dtype_policies.deserialize"
    kind, settings = config_of(config, where)
    if kind not in ("DTypePolicy", "FloatDTypePolicy") or set(settings) != {"name"}:
        expected = "{'class_name': 'DTypePolicy', 'config': {'name': ...}}"
        raise ArgumentError(where, "config", expected, repr(config))
    return policy_of(where, "config", settings["name"])


def policy_of(where: str, argument: str, identifier: Any) -> DTypePolicy:
    """Return the policy of an argument, or raise ArgumentError about it."""
    if identifier is None:
        return _config.dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    name = identifier
    if not isinstance(name, str) or name not in _DTYPES:
        try:
            name = np.dtype(identifier).name
        except TypeError:
            raise _refused(where, argument, identifier) from None
    if name not in _DTYPES:
        raise _refused(where, argument, identifier)
    return DTypePolicy(name)


def _refused(where: str, argument: str, identifier: Any) -> ArgumentError:
    got = repr(identifier)
    if isinstance(identifier, str) and identifier in _INSTEAD:
        got += f" ({_INSTEAD[identifier]})"
    names = list(_DTYPES)
    expected = ", ".join(f"'{name}'" for name in names[:-1]) + f" or '{names[-1]}'"
    return ArgumentError(where, argument, expected, got)
