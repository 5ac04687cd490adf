"""The bundled handwritten digits, and readers for files that the user has.

Every loader returns ``(x_train, y_train), (x_test, y_test)``, as Keras's do. Nothing is downloaded.
"""

from fusegrad._spelling import missing
from fusegrad.data.idx import read_idx
from fusegrad.datasets.digits import load_digits
from fusegrad.datasets.fashion_mnist import load_fashion_mnist

__all__ = ["load_digits", "load_fashion_mnist", "read_idx"]

__getattr__ = missing(__name__, __all__)
