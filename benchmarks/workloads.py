"""What is measured: networks to train and functions to call, with their data and initial weights.

A workload is plain data, so that every contender gets the same one, and a made-up one can be
tested. `flops` and `traffic` say what the arithmetic needs at the least; `limits.py` turns that
into time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Training:
    """Epochs of mini-batch training by Adam, Keras's defaults, from given weights."""

    name: str
    title: str
    data: str  # "fashion", "fashion_uint8", "digits" or "cancer"
    widths: tuple[int, ...]  # features first; relu between the layers
    batch: int
    epochs: int  # that one turn trains
    rows: int  # of the data, from the first
    quick_rows: int
    dtype: str = "float32"  # or "mixed_bfloat16", where layers compute in bfloat16
    group: str = "training"
    unit: str = "us"
    per: str = "step"

    @property
    def binary(self) -> bool:
        return self.widths[-1] == 1

    def steps(self, rows: int) -> int:
        """Return the number of steps of one turn."""
        return -(-rows // self.batch) * self.epochs

    def flops(self) -> int:
        """Return the operations of one step's matrix products, forward and backward.

        Each layer multiplies three times (output, gradients of weights and of inputs), but nobody
        needs the gradient of the rows.
        """
        pairs = list(pairwise(self.widths))
        products = 3 * sum(a * b for a, b in pairs) - pairs[0][0] * pairs[0][1]
        return 2 * self.batch * products

    def parameters(self) -> int:
        return sum((a + 1) * b for a, b in pairwise(self.widths))

    def traffic(self) -> list[tuple[int, int]]:
        """Return (bytes a step must move, size of what they are part of).

        The rows of a batch are read once, out of all rows. Adam reads weights, gradients and two
        slots and writes weights and slots: 28 bytes for each parameter.
        """
        item = 1 if self.data == "fashion_uint8" else 4
        row = self.widths[0] * item
        update = 28 * self.parameters()
        return [(self.batch * row, self.rows * row), (update, update)]


@dataclass(frozen=True)
class Call:
    """One function, called again and again on the same arguments."""

    name: str
    title: str
    kind: str  # what contenders look at: "matmul", "cross_entropy", "forward", ...
    shape: tuple[int, ...]
    group: str
    unit: str = "us"
    per: str = "call"
    one_thread: bool = False  # measured in one thread only
    quick: bool = True  # takes part in quick runs

    @property
    def count(self) -> int:
        """Return how many elements or nodes a call has, where the time is that of one of them."""
        return {"element": self.shape[0], "node": CHAIN}.get(self.per, 1)

    def flops(self) -> int:
        """Return the operations of the matrix products in it."""
        if self.kind == "matmul":
            m, k, n = self.shape
            return 2 * m * k * n
        if self.kind == "forward":
            return 2 * sum(a * b for a, b in pairwise(self.shape))
        return 0

    def traffic(self) -> list[tuple[int, int]]:
        """Return (bytes that must move, size of what they are part of): operands and results."""
        if self.kind == "matmul":
            m, k, n = self.shape
            size = 4 * (m * k + k * n + m * n)
        elif self.kind == "forward":
            pairs = pairwise(self.shape)
            size = 4 * sum((a + 1) * b for a, b in pairs)
        elif self.kind in {"cross_entropy", "exp", "log", "tanh", "sigmoid"}:
            size = 8 * int(np.prod(self.shape))
        else:
            return []
        return [(size, size)]


@dataclass(frozen=True)
class Cost:
    """What is measured once in a process of its own: imports, sizes, memory."""

    name: str
    title: str
    kind: str  # "import", "installed" or "memory"
    unit: str
    group: str = "costs"
    per: str = ""
    quick: bool = True

    def flops(self) -> int:
        return 0

    def traffic(self) -> list[tuple[int, int]]:
        return []


Workload = Training | Call | Cost

AUTODIFF = "autodiff"  # the group of derivatives
CHAIN = 200  # elementwise functions, one of the other
SEED = (784, 25, 15, 10)
LOSSES = ((32, 10), (1024, 10), (256, 1000), (64, 50_000))
SQUARES = (512, 1024, 2048, 4096)
SMALL = ((32, 784, 25), (784, 32, 25), (32, 25, 15))
IN_CACHE = 16_384  # elements: argument and result are 128 KiB, well inside L2

TRAININGS = [
    Training("seed", "784-25-15-10, batch 32, float32", "fashion", SEED, 32, 1, 60_000, 6_400),
    Training(
        "seed_uint8", "784-25-15-10, batch 32, uint8", "fashion_uint8", SEED, 32, 1, 60_000, 6_400
    ),
    Training(
        "digits", "64-25-15-10, batch 32", "digits", (64, 25, 15, 10), 32, 5, 1_797, 1_797
    ),
    Training("logistic", "30-1 logistic, batch 32", "cancer", (30, 1), 32, 20, 569, 569),
    Training(
        "wide", "784-512-512-10, batch 128, float32",
        "fashion", (784, 512, 512, 10), 128, 1, 12_800, 2_560,
    ),
    Training(
        "wide_bfloat16", "784-512-512-10, batch 128, mixed_bfloat16",
        "fashion", (784, 512, 512, 10), 128, 1, 12_800, 2_560, dtype="mixed_bfloat16",
    ),
]  # fmt: skip

CALLS = [
    *(
        Call(
            f"matmul_{n}", f"matmul {n} x {n} x {n}", "matmul", (n, n, n), "matmul",
            "us" if n < 1024 else "ms", one_thread=True, quick=n < 2048,
        )
        for n in SQUARES
    ),
    *(
        Call(
            "matmul_{}x{}x{}".format(*s), "matmul {} x {} x {}".format(*s),
            "matmul", s, "matmul", one_thread=True,
        )
        for s in SMALL
    ),
    *(
        Call(f"cross_entropy_{m}x{n}", f"softmax cross-entropy, value and gradient, {m} x {n}",
             "cross_entropy", (m, n), "loss")
        for m, n in LOSSES
    ),
    Call("forward", "model(x), one sample of 784-25-15-10", "forward", SEED, "call"),
    Call("cost", "value and gradient of a logistic cost, 32 x 8", "cost", (32, 8), "call"),
    *(
        Call(kind, f"{kind}, {IN_CACHE:,} float32", kind, (IN_CACHE,), "functions", "ns",
             "element", one_thread=True)
        for kind in ("exp", "log", "tanh", "sigmoid")
    ),
    Call("logistic_style", "value and gradient of a logistic cost in NumPy's style, 32 x 8",
         "logistic", (32, 8), AUTODIFF, one_thread=True),
    Call("hessian", "Hessian of a logistic cost of 50 weights, 100 rows", "hessian", (100, 50),
         AUTODIFF, one_thread=True),
    Call("record", "exp and negative in turn, 16 float32, recorded", "record", (16,), AUTODIFF,
         "ns", "node", one_thread=True),
    Call("chain", "the same, recorded, and the gradient", "chain", (16,), AUTODIFF, "ns", "node",
         one_thread=True),
]  # fmt: skip

COSTS = [
    Cost("import", "import", "import", "ms"),
    Cost("installed", "installed, without dependencies", "installed", "MB"),
    Cost("memory", "memory above the data, training uint8 Fashion-MNIST", "memory", "MB"),
]

_WORKLOADS: list[Workload] = [*TRAININGS, *CALLS, *COSTS]
ALL = {w.name: w for w in _WORKLOADS}


# ---- data --------------------------------------------------------------------------------------


def load(name: str) -> tuple[Any, Any]:
    """Return rows and labels: uint8 or float32, and int64."""
    if name == "cancer":
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return ((x - x.mean(0)) / x.std(0)).astype(np.float32), y.astype(np.int64)
    if name == "digits":
        from fusegrad import datasets

        (x, y), (x_test, y_test) = datasets.load_digits()
        rows = np.concatenate([x, x_test]).reshape(-1, 64)
        return rows.astype(np.float32) / np.float32(16), np.concatenate([y, y_test])
    x, y = load_images()
    return (x if name == "fashion_uint8" else x.astype(np.float32) / np.float32(255)), y


def load_images() -> tuple[Any, Any]:
    """60,000 rows of Fashion-MNIST as uint8; made-up ones where its files are missing."""
    from fusegrad import datasets

    try:
        (x, y), _ = datasets.load_fashion_mnist()
    except FileNotFoundError:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 10, size=60_000)
        x = rng.integers(0, 256, size=(60_000, 28, 28), dtype=np.uint8)
        x[np.arange(60_000), y, :] = 255  # one bright row a class, so that there is much to learn
    return x.reshape(-1, 784), y.astype(np.int64)


def initial_weights(widths: tuple[int, ...]) -> list[Any]:
    """Return kernel, bias, kernel, bias ...: Glorot's uniform kernels, zeros."""
    rng = np.random.default_rng(1)
    weights: list[Any] = []
    for a, b in pairwise(widths):
        bound = np.sqrt(6 / (a + b))
        weights += [rng.uniform(-bound, bound, (a, b)).astype(np.float32), np.zeros(b, np.float32)]
    return weights


def arguments(call: Call) -> list[Any]:
    """Return the arguments of a call, as NumPy arrays."""
    rng = np.random.default_rng(2)

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape, np.float32)

    if call.kind == "matmul":
        m, k, n = call.shape
        return [normal(m, k), normal(k, n)]
    if call.kind == "cross_entropy":
        return [normal(*call.shape), rng.integers(0, call.shape[1], call.shape[0])]
    if call.kind == "forward":
        return [normal(1, call.shape[0])]
    if call.kind in {"record", "chain"}:
        return [np.abs(normal(*call.shape))]
    if call.kind in {"cost", "logistic", "hessian"}:
        x = normal(*call.shape)
        y = (x.sum(1) + normal(call.shape[0]) > 0).astype(np.float32)
        w = normal(call.shape[1]) / np.float32(np.sqrt(call.shape[1]))
        return [w, x, y] if call.kind == "hessian" else [w, np.float32(0.1), x, y]
    return [function_inputs(call.kind, call.shape[0])]


def function_inputs(kind: str, n: int) -> Any:
    """Return n inputs that spread over where the function is neither 0, 1 nor infinite."""
    if kind == "log":
        return np.geomspace(1e-30, 1e30, n).astype(np.float32)
    bound = {"exp": 80, "tanh": 8, "sigmoid": 16}[kind]
    return np.linspace(-bound, bound, n).astype(np.float32)


@dataclass
class Prepared:
    """A workload with its data, as a contender gets it."""

    workload: Training | Call
    x: Any = None  # Training: rows as float32, or uint8
    y: Any = None  # int64 labels
    weights: list[Any] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)


def store(folder: Path, workload: Training | Call, quick: bool) -> int:
    """Write what `read` needs, once, and return the number of rows."""
    if isinstance(workload, Call):
        return 0
    rows = workload.quick_rows if quick else workload.rows
    names = ["fashion", "fashion_uint8"] if workload.data == "fashion_uint8" else [workload.data]
    for name in names:
        path = folder / f"{name}_x.npy"
        if not path.exists():
            x, y = load(name)
            np.save(path, x)
            np.save(folder / f"{name}_y.npy", y)
    return rows


def read(folder: Path, workload: Training | Call, rows: int, form: str) -> Prepared:
    """Return the workload with its data; `form` "float32" scales rows that are uint8."""
    if isinstance(workload, Call):
        weights = initial_weights(workload.shape) if workload.kind == "forward" else []
        return Prepared(workload, weights=weights, arguments=arguments(workload))
    name = "fashion" if workload.data == "fashion_uint8" and form == "float32" else workload.data
    x = np.load(folder / f"{name}_x.npy", mmap_mode="r")[:rows]
    y = np.load(folder / f"{name}_y.npy")[:rows]
    return Prepared(workload, np.array(x), y, initial_weights(workload.widths))
