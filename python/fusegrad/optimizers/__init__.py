"""Optimizers, with Keras's names, defaults and formulas.

Examples
--------
>>> from fusegrad import optimizers
>>> optimizers.get("Adam")
<Adam learning_rate=0.001>
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fusegrad._registry import config_of
from fusegrad._spelling import missing
from fusegrad.errors import ArgumentError
from fusegrad.optimizers import schedules
from fusegrad.optimizers.adam import Adam
from fusegrad.optimizers.base import OPTIMIZERS, Optimizer
from fusegrad.optimizers.rmsprop import RMSprop
from fusegrad.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "schedules", "serialize"]

__getattr__ = missing(__name__, __all__)


def get(identifier: Any) -> Optimizer:
    """Return the optimizer that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Optimizer or class
        A name in any case, the result of `serialize`, an optimizer, or a class.

    Returns
    -------
    Optimizer

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no optimizer of this name; the message names the nearest one.

    Examples
    --------
    >>> get("sgd")
    <SGD learning_rate=0.01>
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        return _made(OPTIMIZERS.resolve(identifier))
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "optimizers.get")
        return OPTIMIZERS.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return _made(identifier)
    raise ArgumentError("optimizers.get", "identifier", "a name or an Optimizer", repr(identifier))


def _made(cls: type[Optimizer]) -> Optimizer:
    return cls.from_config({})


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of an optimizer.

    Parameters
    ----------
    optimizer : Optimizer

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(SGD())["class_name"]
    'SGD'
    """
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(
    config: dict[str, Any], custom_objects: Mapping[str, type[Any]] | None = None
) -> Optimizer:
    """Return the optimizer of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict
    custom_objects : dict of str to class, optional
        Optimizers and schedules of your own, by name. No other name is ever imported.

    Returns
    -------
    Optimizer

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no optimizer or schedule of this name; the message names the nearest one.

    Examples
    --------
    >>> deserialize(serialize(SGD(0.5)))
    <SGD learning_rate=0.5>
    """
    name, arguments = config_of(config, "optimizers.deserialize")
    own: type[Optimizer] | None = (custom_objects or {}).get(name)
    made = own or OPTIMIZERS.resolve(name, "config")
    return made.from_config(arguments, *([custom_objects] if custom_objects else []))
