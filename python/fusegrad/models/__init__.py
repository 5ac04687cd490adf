"""Models: `Sequential`, and `Model` for models of your own.

Examples
--------
>>> from fusegrad.models import Sequential
>>> Sequential().layers
[]
"""

from fusegrad._spelling import missing
from fusegrad.layers.input import Input
from fusegrad.models.model import Model
from fusegrad.models.sequential import Sequential

__all__ = ["Input", "Model", "Sequential"]

__getattr__ = missing(__name__, __all__)
