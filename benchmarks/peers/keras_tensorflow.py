"""Keras on TensorFlow."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from peers.keras_ import FORMS, prepare
from peers.keras_ import version as keras_version

NAME = "Keras (TensorFlow)"


def version() -> str:
    import tensorflow

    return f"{keras_version()} on {tensorflow.__version__}"


__all__ = ["FORMS", "NAME", "prepare", "version"]
