"""Layers, with Keras's names and defaults.

Examples
--------
>>> from fusegrad.layers import Dense
>>> Dense(25, activation="relu").units
25
"""

from __future__ import annotations

from typing import Any

from fusegrad._registry import config_of
from fusegrad._spelling import missing
from fusegrad.layers.activation import Activation
from fusegrad.layers.base import LAYERS, Layer
from fusegrad.layers.batch_normalization import BatchNormalization
from fusegrad.layers.dense import Dense
from fusegrad.layers.dropout import Dropout
from fusegrad.layers.flatten import Flatten
from fusegrad.layers.input import Input, InputLayer
from fusegrad.layers.leaky_relu import LeakyReLU
from fusegrad.layers.normalization import Normalization
from fusegrad.layers.relu import ReLU
from fusegrad.layers.rescaling import Rescaling
from fusegrad.layers.softmax import Softmax

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "InputLayer",
    "Layer",
    "LeakyReLU",
    "Normalization",
    "ReLU",
    "Rescaling",
    "Softmax",
    "deserialize",
    "serialize",
]

__getattr__ = missing(__name__, __all__)


def serialize(layer: Layer) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of a layer.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    dict

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.serialize(layers.Flatten())["class_name"]
    'Flatten'
    """
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize(
    config: dict[str, Any], custom_objects: dict[str, type[Layer]] | None = None
) -> Layer:
    """Return the layer of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict
    custom_objects : dict of str to class, optional
        Layers of your own, by name. No other name is ever imported.

    Returns
    -------
    Layer

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no layer of this name; the message names the nearest one.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.deserialize(layers.serialize(layers.Dense(3))).units
    3
    """
    name, arguments = config_of(config, "layers.deserialize")
    own = (custom_objects or {}).get(name)
    return (own or LAYERS.resolve(name, "config")).from_config(arguments)
