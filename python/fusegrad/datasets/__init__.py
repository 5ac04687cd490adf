"""The bundled handwritten digits, and readers for files that the user has.

Every loader returns ``(x_train, y_train), (x_test, y_test)``, as Keras's do. Nothing is downloaded.
"""

from fusegrad._spelling import missing
from fusegrad.data.idx import read_idx
from fusegrad.datasets import fashion_mnist, mnist
from fusegrad.datasets.digits import load_digits
from fusegrad.datasets.fashion_mnist import load_fashion_mnist

__all__ = [
    "fashion_mnist",
    "load_digits",
    "load_fashion_mnist",
    "mnist",
    "read_idx",
]

_ELSEWHERE = ("boston_housing", "california_housing", "cifar10", "cifar100", "imdb", "reuters")
_HINT = (
    "nothing is downloaded. There are load_digits(), which is bundled, mnist.load_data(path), "
    "fashion_mnist.load_data(path) and read_idx(path), which read files; NumPy reads others, such "
    "as np.load(path)"
)

__getattr__ = missing(__name__, __all__, hints=dict.fromkeys(_ELSEWHERE, _HINT))
