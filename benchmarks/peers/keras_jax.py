"""Keras on JAX."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from peers.keras_ import FORMS, prepare
from peers.keras_ import version as keras_version

NAME = "Keras (JAX)"


def version() -> str:
    import jax

    return f"{keras_version()} on {jax.__version__}"


__all__ = ["FORMS", "NAME", "prepare", "version"]
