"""Cross-entropy at large logits: what fusegrad and others give, and what is exact.

    python tools/large_logits.py [--rows 20000]

Prints the Markdown tables of docs/exactness.md. Exact values come from mpmath. The contenders need
the `peers` extra; one that is not installed is left out. Each framework runs in a process of its
own, because Keras chooses its backend once.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any, NamedTuple

import mpmath
import numpy as np
from numpy.typing import NDArray

import fusegrad

Array = NDArray[Any]
# (logits (n, K), targets) -> (losses (n,), gradient of their sum (n, K))
Form = Callable[[Array, Array], tuple[Any, Any]]

TEN = (1000.0, 984.0, 983.0, 980.0, 975.0, 970.0, 1000 - 1e2, 1000 - 3e2, 0.0, -1000.0)
SOFTMAX_CASES: list[tuple[tuple[float, ...], int]] = [
    ((20.0, 0.0), 0),
    ((1000.0, 0.0, -1000.0), 0),
    ((1000.0, 0.0, -1000.0), 2),
    ((10000.0, 9990.0, 0.0), 0),
    (TEN, 0),
    (TEN, 1),
]
SIGMOID_CASES = [(40.0, 1), (40.0, 0), (1000.0, 1), (1000.0, 0), (-1000.0, 1), (-1000.0, 0)]
RANDOM_CASES = [(classes, scale) for classes in (2, 10, 1000) for scale in (10, 100)]
CHUNK = 2000  # rows that a contender gets at a time
FRAMEWORKS = {  # what must be installed
    "numpy": [],
    "keras-tensorflow": ["keras", "tensorflow"],
    "keras-jax": ["keras", "jax"],
    "torch": ["torch"],
    "jax": ["jax"],
    "fusegrad": [],
}
PACKAGES = ["numpy", "keras", "tensorflow-cpu", "jax", "torch", "mpmath"]


class Contender(NamedTuple):
    """One way to write the two losses."""

    name: str
    dtype: str
    softmax: Form  # class labels (n,)
    sigmoid: Form  # logits (n, 1) and targets (n, 1) of 0 and 1
    claims: bool = True  # of fusegrad: whether docs/exactness.md calls it exact


# ---- contenders


def numpy_contenders() -> list[Contender]:
    """The formulas as textbooks print them, with p - y as gradient; 0 where a clip holds."""

    def clip(p: Array, gradient: Array, clipped: bool) -> tuple[Array, Array]:
        if not clipped:
            return p, gradient
        low, high = p.dtype.type(1e-7), p.dtype.type(1 - 1e-7)
        inside = (p >= low) & (p <= high)
        return np.clip(p, low, high), gradient * inside.reshape(-1, 1)

    def softmax(shifted: bool = False, clipped: bool = False) -> Form:
        def form(z: Array, y: Array) -> tuple[Array, Array]:
            e = np.exp(z - np.max(z, axis=1, keepdims=True)) if shifted else np.exp(z)
            p = e / np.sum(e, axis=1, keepdims=True)
            gradient = p - np.eye(z.shape[1], dtype=z.dtype)[y]
            of_label, gradient = clip(p[np.arange(len(y)), y], gradient, clipped)
            return -np.log(of_label), gradient

        return form

    def sigmoid(clipped: bool = False) -> Form:
        def form(z: Array, t: Array) -> tuple[Array, Array]:
            p = 1 / (1 + np.exp(-z))
            p, gradient = clip(p, p - t, clipped)
            return (-t * np.log(p) - (1 - t) * np.log(1 - p))[:, 0], gradient

        return form

    def two_classes(z: Array, t: Array) -> tuple[Array, Array]:
        both = np.concatenate([np.zeros_like(z), z], axis=1)
        loss, gradient = softmax(shifted=True)(both, t[:, 0].astype(np.int64))
        return loss, gradient[:, 1:]

    return [
        Contender("NumPy, textbook", "float32", softmax(), sigmoid()),
        Contender("NumPy, textbook", "float64", softmax(), sigmoid()),
        Contender("NumPy, clipped", "float32", softmax(clipped=True), sigmoid(clipped=True)),
        Contender("NumPy, largest logit subtracted", "float32", softmax(shifted=True), two_classes),
    ]


def torch_contenders() -> list[Contender]:
    """Probabilities and their logarithm, and the losses that take logits."""
    import torch
    import torch.nn.functional as F

    def run(loss: Any) -> Form:
        def form(z: Array, y: Array) -> tuple[Array, Array]:
            logits = torch.tensor(z, requires_grad=True)
            losses = loss(logits, torch.tensor(y))
            losses.sum().backward()
            return losses.detach().numpy().reshape(-1), logits.grad.numpy()

        return form

    return [
        Contender(
            "torch, probabilities",
            "float32",
            run(lambda z, y: F.nll_loss(torch.log(F.softmax(z, 1)), y, reduction="none")),
            run(lambda z, t: F.binary_cross_entropy(torch.sigmoid(z), t, reduction="none")),
        ),
        Contender(
            "torch, logits",
            "float32",
            run(lambda z, y: F.cross_entropy(z, y, reduction="none")),
            run(lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none")),
        ),
    ]


def run_jax(loss: Any) -> Form:
    """A compiled loss of one value a row, with its gradient, in JAX."""
    import jax

    compiled = jax.jit(
        lambda z, y: (loss(z, y), jax.grad(lambda z: loss(z, y).sum())(z)),
    )

    def form(z: Array, y: Array) -> tuple[Array, Array]:
        losses, gradient = compiled(z, y)
        return np.asarray(losses).reshape(-1), np.asarray(gradient)

    return form


def jax_contenders() -> list[Contender]:
    """Probabilities and their logarithm, and the functions that JAX has for log-probabilities."""
    import jax
    import jax.numpy as jnp

    def pick(log_p: Any, y: Any) -> Any:
        return -jnp.take_along_axis(log_p, y[:, None], axis=1)

    def probabilities(z: Any, t: Any) -> Any:
        p = jax.nn.sigmoid(z)
        return -t * jnp.log(p) - (1 - t) * jnp.log(1 - p)

    def logits(z: Any, t: Any) -> Any:
        return -t * jax.nn.log_sigmoid(z) - (1 - t) * jax.nn.log_sigmoid(-z)

    return [
        Contender(
            "JAX, probabilities",
            "float32",
            run_jax(lambda z, y: pick(jnp.log(jax.nn.softmax(z)), y)),
            run_jax(probabilities),
        ),
        Contender(
            "JAX, logits",
            "float32",
            run_jax(lambda z, y: pick(jax.nn.log_softmax(z), y)),
            run_jax(logits),
        ),
    ]


def keras_contenders() -> list[Contender]:
    """Keras's losses, compiled as its `fit` compiles them by default on a CPU."""
    import keras

    def run_tensorflow(loss: Any) -> Form:
        import tensorflow as tf

        @tf.function
        def compiled(z: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(z)
                losses = loss(z, y)
            return losses, tape.gradient(losses, z)  # of the sum

        def form(z: Array, y: Array) -> tuple[Array, Array]:
            losses, gradient = compiled(tf.constant(z), tf.constant(y))
            return losses.numpy(), gradient.numpy()

        return form

    backend = keras.backend.backend()
    title = {"tensorflow": "TensorFlow", "jax": "JAX"}[backend]
    run = run_jax if backend == "jax" else run_tensorflow
    sparse = keras.losses.sparse_categorical_crossentropy
    binary = keras.losses.binary_crossentropy
    softmax, sigmoid = keras.activations.softmax, keras.activations.sigmoid
    return [
        Contender(
            f"Keras on {title}, probabilities",
            "float32",
            run(lambda z, y: sparse(y, softmax(z))),
            run(lambda z, t: binary(t, sigmoid(z))),
        ),
        Contender(
            f"Keras on {title}, logits",
            "float32",
            run(lambda z, y: sparse(y, z, from_logits=True)),
            run(lambda z, t: binary(t, z, from_logits=True)),
        ),
    ]


def fusegrad_contenders() -> list[Contender]:
    """The same losses; a model computes the bits of the compiled ones."""

    def run(loss: Any, compiled: bool = True) -> Form:
        values: Any = loss
        slopes: Any = fusegrad.grad(lambda z, y: fusegrad.ops.sum(loss(z, y)))
        if compiled:
            values, slopes = fusegrad.jit(values), fusegrad.jit(slopes)
        return lambda z, y: (values(z, y).numpy(), slopes(z, y).numpy())

    def sparse(z: Any, y: Any) -> Any:
        return fusegrad.losses.sparse_categorical_crossentropy(y, fusegrad.ops.softmax(z))

    def binary(z: Any, t: Any) -> Any:
        return fusegrad.losses.binary_crossentropy(t, fusegrad.ops.sigmoid(z))

    def sparse_logits(z: Any, y: Any) -> Any:
        return fusegrad.losses.sparse_categorical_crossentropy(y, z, from_logits=True)

    def binary_logits(z: Any, t: Any) -> Any:
        return fusegrad.losses.binary_crossentropy(t, z, from_logits=True)

    return [
        Contender(
            "fusegrad, probabilities, neither model nor jit",
            "float32",
            run(sparse, compiled=False),
            run(binary, compiled=False),
            claims=False,
        ),
        Contender("fusegrad, probabilities", "float32", run(sparse), run(binary)),
        Contender("fusegrad, logits", "float32", run(sparse_logits), run(binary_logits)),
        Contender("fusegrad, logits", "float64", run(sparse_logits), run(binary_logits)),
    ]


# ---- exact values


def exact_softmax(z: Any, label: int) -> tuple[Any, list[Any]]:
    """Loss and gradient of one row, to 60 digits."""
    with mpmath.workdps(60):
        x = [mpmath.mpf(float(v)) for v in z]
        top = max(x)
        e = [mpmath.exp(v - top) for v in x]
        total, rest = mpmath.fsum(e), mpmath.fsum(v for j, v in enumerate(e) if j != label)
        gradient = [-rest / total if j == label else v / total for j, v in enumerate(e)]
        return mpmath.log1p(rest / e[label]), gradient


def exact_sigmoid(x: float, target: int) -> tuple[Any, list[Any]]:
    """The same of one logit with a target of 0 or 1: two classes with logits 0 and x."""
    loss, gradient = exact_softmax((0.0, x), target)
    return loss, [gradient[1]]


def float64_softmax(z: Array, y: Array) -> tuple[Array, Array]:
    """Loss and gradient of many rows, to 1e-13: sums of terms of one sign, in float64."""
    rows = np.arange(len(y))
    x = z.astype(np.float64)
    top = np.argmax(x, axis=1)
    largest = x[rows, top]
    e = np.exp(x - largest[:, np.newaxis])
    e[rows, top] = 0.0
    rest = np.sum(e, axis=1)
    gradient = e / (1 + rest)[:, np.newaxis]
    gradient[rows, top] = 1 / (1 + rest)
    gradient[rows, y] = np.where(y == top, -rest / (1 + rest), gradient[rows, y] - 1)
    return (largest - x[rows, y]) + np.log1p(rest), gradient


def check_float64_softmax() -> None:
    """Hold `float64_softmax` against mpmath on a few rows of each kind."""
    for classes, scale in RANDOM_CASES:
        z, y = random_rows(classes, scale, 6)
        losses, gradient = float64_softmax(z, y)
        for i in range(len(y)):
            loss, slopes = exact_softmax(z[i], int(y[i]))
            for got, want in [(losses[i], loss), *zip(gradient[i], slopes, strict=True)]:
                if abs(got - want) > 1e-13 * abs(want) + np.finfo(np.float64).tiny:
                    raise ArithmeticError(f"the float64 reference gives {got}, mpmath {want}")


def ulps(got: Array, want: Array) -> Array:
    """Errors in units of the last place of `want`, a float64, in the dtype of `got`."""
    place = np.spacing(np.abs(want).astype(got.dtype)).astype(np.float64)
    return np.abs(got.astype(np.float64) - want) / place


def ulps_exactly(got: float, want: Any, dtype: str) -> float:
    """The same of one number, where `want` is a number of mpmath."""
    if not np.isfinite(got):
        return float("inf")
    place = np.spacing(np.dtype(dtype).type(abs(float(want))))
    with mpmath.workdps(60):
        return float(abs(mpmath.mpf(got) - want) / mpmath.mpf(float(place)))


# ---- running


def random_rows(classes: int, scale: float, rows: int) -> tuple[Array, Array]:
    """Normal logits; every second label is the class of the largest one, the others are random."""
    rng = np.random.default_rng([classes, int(scale)])
    z = (rng.standard_normal((rows, classes)) * scale).astype(np.float32)
    y = np.where(np.arange(rows) % 2 == 0, np.argmax(z, axis=1), rng.integers(0, classes, rows))
    return z, y


def cases(dtype: str) -> Iterator[tuple[str, Array, Array]]:
    """The rows of the first two tables, one at a time: kind, logits, target."""
    for logits, label in SOFTMAX_CASES:
        yield "softmax", np.array([logits], dtype), np.array([label])
    for logit, target in SIGMOID_CASES:
        yield "sigmoid", np.array([[logit]], dtype), np.array([[target]], dtype)


def errors(contender: Contender, rows: int) -> dict[str, list[list[float]]]:
    """Of each random case: the worst error in ULP, and the share of errors above 4 ULP.

    What is exactly subnormal is left out, since some frameworks flush it to zero by intent.
    """
    result: dict[str, list[list[float]]] = {"loss": [], "gradient": []}
    tiny = float(np.finfo(np.float32).tiny)
    for classes, scale in RANDOM_CASES:
        z, y = random_rows(classes, scale, rows)
        found: dict[str, list[Array]] = {"loss": [], "gradient": []}
        for start in range(0, rows, CHUNK):
            part = slice(start, start + CHUNK)
            got = contender.softmax(z[part], y[part])
            want = float64_softmax(z[part], y[part])
            for name, a, b in zip(found, got, want, strict=True):
                found[name].append(ulps(a, b)[np.abs(b) >= tiny])
        for name, parts in found.items():
            all_ = np.concatenate(parts)
            above = float(np.mean(~(all_ <= 4)))  # NaN counts
            result[name].append([float(np.max(all_)), above])  # NaN where one is
    return result


def measure(framework: str, rows: int) -> list[dict[str, Any]]:
    """Run one framework's contenders in this process."""
    family = framework.split("-", maxsplit=1)[0]
    result = []
    with np.errstate(all="ignore"):
        for contender in globals()[f"{family}_contenders"]():
            found = []
            for kind, z, target in cases(contender.dtype):
                form = contender.softmax if kind == "softmax" else contender.sigmoid
                loss, gradient = form(z, target)
                found.append((float(loss[0]), [float(g) for g in gradient[0]]))
            random = errors(contender, rows) if contender.dtype == "float32" else None
            result.append(
                {
                    "name": contender.name,
                    "dtype": contender.dtype,
                    "claims": contender.claims,
                    "cases": found,
                    "random": random,
                }
            )
    return result


def run(framework: str, rows: int) -> list[dict[str, Any]]:
    """Run one framework's contenders in a process of its own; [] where it is not installed."""
    if any(util.find_spec(package) is None for package in FRAMEWORKS[framework]):
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        environment = {**os.environ, "KERAS_HOME": folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if framework.startswith("keras-"):
            environment["KERAS_BACKEND"] = framework.removeprefix("keras-")
        command = [sys.executable, __file__, "--rows", str(rows)]
        command += ["--only", framework, "--json", str(path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{framework} failed:\n{done.stderr}")
        return json.loads(path.read_text())  # type: ignore[no-any-return]


# ---- tables


def table(header: list[str], body: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def text(value: Any) -> str:
    """Return six digits of a number, of mpmath or not."""
    if isinstance(value, float):
        value = mpmath.mpf(value)
    if not mpmath.isfinite(value):
        return "NaN" if mpmath.isnan(value) else "inf"
    return (
        str(mpmath.nstr(value, 6, min_fixed=-5, max_fixed=6)).removesuffix(".0").replace(".0e", "e")
    )


def case_table(contenders: list[dict[str, Any]], kind: str) -> str:
    """Return the table of one kind of case: loss and gradient of the true class."""
    chosen = [
        (i, z[0], int(y.ravel()[0])) for i, (k, z, y) in enumerate(cases("float64")) if k == kind
    ]
    header = ["", "dtype"]
    exact_row = ["exact", ""]
    want = []
    for i, z, y in chosen:
        if kind == "softmax":
            header.append(f"{case_name(z)}, class {y}")
            loss, gradient = exact_softmax(z, y)
        else:
            header.append(f"x = {z[0]:g}, target {y}")
            loss, gradient = exact_sigmoid(z[0], y)
        at = y if kind == "softmax" else 0
        want.append((i, at, loss, gradient[at]))
        exact_row.append(f"{text(loss)}; {text(gradient[at])}")
    body = [exact_row]
    for contender in contenders:
        row = [contender["name"], contender["dtype"]]
        for i, at, loss, slope in want:
            found, gradient = contender["cases"][i]
            cells = []
            for got, exact in ((found, loss), (gradient[at], slope)):
                near = ulps_exactly(got, exact, contender["dtype"]) <= 4
                cells.append(text(got) + ("" if near else " ✗"))
            row.append("; ".join(cells))
        body.append(row)
    return table(header, body)


def case_name(z: Array) -> str:
    """Return how a header names a row of logits."""
    return "ten" if len(z) == len(TEN) else "(" + ", ".join(f"{v:g}" for v in z) + ")"


def error_table(contenders: list[dict[str, Any]], of: str) -> str:
    """Return the table of errors on random rows."""
    header = ["worst error in ULP (share above 4)"]
    header += [f"K = {classes}, scale {scale}" for classes, scale in RANDOM_CASES]
    body = []
    for contender in contenders:
        if contender["random"] is None:
            continue
        row = [contender["name"]]
        for worst, above in contender["random"][of]:
            size = "NaN" if np.isnan(worst) else f"{worst:.3f}" if worst < 100 else f"{worst:.2g}"
            share = f"{100 * above:.2g}" if above < 0.01 else f"{100 * above:.0f}"
            row.append(size if above == 0 else f"{size} ({share} %)")
        body.append(row)
    return table(header, body)


def versions() -> str:
    """Return the packages' versions, the date and the machine."""
    found = [f"fusegrad {fusegrad.__version__}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return (
        f"Run on {datetime.datetime.now(datetime.UTC).date().isoformat()}, {platform.machine()}, "
        f"with Python {platform.python_version()}, {', '.join(found)}."
    )


def main() -> None:
    """Print the tables, or write what one framework gives to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000, help="random rows of each case")
    parser.add_argument("--only", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        options.json.write_text(json.dumps(measure(options.only, options.rows)))
        return
    check_float64_softmax()
    contenders = [c for framework in FRAMEWORKS for c in run(framework, options.rows)]
    print(f"{versions()}\n")
    print("## Softmax: loss; gradient of the true class\n")
    print(case_table(contenders, "softmax"))
    print(f"\nThe ten logits are {tuple(int(v) for v in TEN)}.\n")
    print("## Sigmoid: loss; gradient\n")
    print(case_table(contenders, "sigmoid"))
    print(f"\n## Loss, float32, {options.rows:,} random rows a column\n")
    print(error_table(contenders, "loss"))
    print("\n## Gradient, float32, every element of the same rows\n")
    print(error_table(contenders, "gradient"))


if __name__ == "__main__":
    main()
