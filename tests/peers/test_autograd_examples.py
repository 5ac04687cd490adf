"""HIPS autograd's own examples run on fusegrad and come to what they come to on autograd.

They are read from its sdist, which is downloaded, and run in memory: ``import autograd`` gives
``autograd_names.py``, matplotlib draws nothing, and the numbers of iterations are those of the
table below. What optimizers return and what is printed is compared. Left out: ``ode_net`` (SciPy's
ODE solver), ``rkhs``, ``print_trace`` and ``dot_graph`` (autograd's inner classes), ``data_mnist``
(downloads; the examples that read it get random images).
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import tarfile
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

pytest.importorskip("autograd")
pytest.importorskip("scipy")

pytestmark = pytest.mark.peers


@dataclass(frozen=True)
class Example:
    name: str
    shorter: dict[str, str] = field(default_factory=dict)  # in the source
    iterations: int = 1_000  # at most, of adam, sgd and scipy.optimize.minimize
    rtol: float = 1e-8
    results: tuple[str, ...] = ()  # variables to compare, besides what optimizers return


# Tensors print 8 digits. Conjugate gradients search lines, which multiplies differences in the last
# bit: 1e-6. Bayesian optimization does so again with the next point as data: 1e-4.
# Where samples are drawn from a Gaussian process, its covariance is compared: it is nearly
# singular, and its singular vectors, by which NumPy samples, are no continuous function of it.
COVARIANCE = {
    "rs.multivariate_normal(pred_mean, pred_cov, size=10)": (
        "(rs.multivariate_normal(pred_mean, pred_cov, size=10), pred_cov)[1]"
    )
}
EXAMPLES = [
    Example("sinusoid"),
    Example("tanh"),
    Example("rosenbrock"),
    Example("define_gradient"),
    Example("logistic_regression", results=("weights",)),
    Example("fixed_points"),
    Example("gaussian_process", COVARIANCE, 10, 1e-6),
    Example("bayesian_optimization", {"num_iters=20": "num_iters=3"}, rtol=1e-4),
    Example("deep_gaussian_process", COVARIANCE, 5, 1e-6),
    Example("gplvm", iterations=3, rtol=1e-6),
    Example("gmm", iterations=3, rtol=1e-6),
    Example("ica", iterations=10, rtol=1e-6),
    Example("negative_binomial_maxlike", results=("r", "p")),
    Example(
        "hmm_em",
        {
            "max_lines=60": "max_lines=2",
            "num_states = 20": "num_states = 5",
            "tol=1e-3": "tol=1e-1",
        },
        results=("pi", "A", "B"),
    ),
    Example("black_box_svi", iterations=20),
    Example("bayesian_neural_net", iterations=20),
    Example("mixture_variational_inference", iterations=5),
    Example("natural_gradient_black_box_svi", {"num_samples=2000": "num_samples=50"}, 20),
    Example("neural_net_regression", iterations=200),
    Example("neural_net", iterations=6),
    Example("rnn", {"max_lines=60": "max_lines=20", "range(20)": "range(0)"}, 5),
    Example("lstm", {"max_lines=60": "max_lines=20", "range(20)": "range(0)"}, 5),
    Example(
        "convnet",
        {"num_epochs = 50": "num_epochs = 1", "RandomState()": "RandomState(0)"},
        results=("W",),
    ),
    Example("generative_adversarial_net", {"num_epochs = 50": "num_epochs = 1"}),
    Example("variational_autoencoder", {"num_epochs = 15": "num_epochs = 2"}),
    Example("fluidsim/wing", {"simulation_timesteps = 20": "simulation_timesteps = 2"}, 2),
    Example("fluidsim/fluidsim", {"simulation_timesteps = 100": "simulation_timesteps = 4"}, 2),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples of the autograd that is installed."""
    import autograd

    place = tmp_path_factory.mktemp("autograd")
    version = __import__("importlib.metadata").metadata.version("autograd")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "autograd"]
    command += ["--quiet", "--dest", str(place), f"autograd=={version}"]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip(f"the sdist of autograd {version} cannot be downloaded: {autograd.__file__}")
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as sdist:
        sdist.extractall(place, filter="data")
    (examples,) = place.glob("*/examples")
    return examples


class Nothing:
    """Stands for matplotlib: takes every call, draws nothing, and keeps what `plot` is given."""

    def __init__(self, drawn: list[Any]) -> None:
        self.drawn = drawn

    def __getattr__(self, name: str) -> Any:
        return self

    def plot(self, *curves: Any, **style: Any) -> None:
        for curve in curves:
            if not isinstance(curve, str):
                self.drawn.append(np.array([float(y) for y in np.ravel(np.asarray(curve))]))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __iter__(self) -> Any:
        return iter(())


def images() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (96, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, 96).astype(np.uint8)
    return pixels, labels, pixels[:32], labels[:32]


class Run:
    """One run of an example on one of the two packages."""

    def __init__(self, folder: Path, example: Example, autograd: Any) -> None:
        self.folder, self.example, self.autograd = folder, example, autograd
        self.optima: list[Any] = []
        self.drawn: list[Any] = []
        self.modules: dict[str, types.ModuleType] = {
            "data_mnist": types.SimpleNamespace(mnist=images)  # type: ignore[dict-item]
        }

    def run(self) -> list[np.ndarray[Any, Any]]:
        np.random.seed(0)  # noqa: NPY002 - the examples draw from it
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), np.errstate(all="ignore"):
            module = self.execute(self.example.name, "__main__")
        numbers = re.findall(r"(?<![\w.])[-+]?\d+\.\d*(?:[eE][-+]?\d+)?", printed.getvalue())
        results = [*self.optima, *(getattr(module, name) for name in self.example.results)]
        found = [np.asarray(flat) for result in results for flat in flattened(result)]
        return [np.array([float(number) for number in numbers]), *found, *self.drawn]

    def execute(self, name: str, as_name: str) -> types.ModuleType:
        path = self.folder / f"{name}.py"
        source = path.read_text()
        for long, short in self.example.shorter.items():
            source = source.replace(long, short)
        module = types.ModuleType(as_name)
        self.modules[name] = module
        builtins = dict(vars(__import__("builtins")), __import__=self.imported)
        module.__dict__.update(__builtins__=builtins, __file__=str(path))
        exec(compile(source, str(path), "exec"), module.__dict__)
        return module

    def imported(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        top, *rest = name.split(".")
        if top == "matplotlib" and "imread" not in (fromlist or ()):
            return Nothing(self.drawn)
        if name == "os":
            import os

            return types.SimpleNamespace(path=os.path, system=lambda command: 0)
        if (self.folder / f"{name}.py").is_file():
            return self.modules.get(name) or self.execute(name, name)
        if name == "scipy.optimize":
            import scipy.optimize

            limited = Limited(self.note(scipy.optimize.minimize, self.limited))
            return limited if fromlist else types.SimpleNamespace(optimize=limited)
        if top == "autograd":
            module: Any = self.autograd
            if module is None:
                module = __import__(name, fromlist=fromlist)
            else:
                for part in rest if fromlist else ():
                    module = getattr(module, part)
            if name == "autograd.misc.optimizers":
                fewer = {k: self.note(getattr(module, k), self.fewer) for k in ("adam", "sgd")}
                return types.SimpleNamespace(**fewer)
            return module
        return __import__(name, globals, locals, fromlist, level)

    def note(self, optimize: Any, options: Callable[[dict[str, Any]], Any]) -> Any:
        def noted(*args: Any, **kwargs: Any) -> Any:
            result = optimize(*args, **options(kwargs))
            self.optima.append([result.x, result.fun] if hasattr(result, "fun") else result)
            return result

        return noted

    def limited(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        given = {k: v for k, v in kwargs.get("options", {}).items() if k != "disp"}
        limit = min(self.example.iterations, given.get("maxiter", self.example.iterations))
        return {**kwargs, "options": {**given, "maxiter": limit}}

    def fewer(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        return {**kwargs, "num_iters": min(self.example.iterations, kwargs["num_iters"])}


class Limited:
    """scipy.optimize with another `minimize`."""

    def __init__(self, minimize: Any) -> None:
        self.minimize = minimize

    def __getattr__(self, name: str) -> Any:
        import scipy.optimize

        return getattr(scipy.optimize, name)


def flattened(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [flat for name in sorted(value) for flat in flattened(value[name])]
    if isinstance(value, list | tuple):
        return [flat for part in value for flat in flattened(part)]
    return [value]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(
    example: Example, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import autograd
    import autograd.misc.fixed_points
    import autograd.misc.optimizers
    import autograd.scipy.signal
    import autograd.scipy.stats  # noqa: F401

    from peers import autograd_names

    monkeypatch.chdir(tmp_path)
    want = Run(folder, example, None).run()
    fg.config.set_floatx("float64")  # of Python numbers, as NumPy has it
    try:
        got = Run(folder, example, autograd_names.autograd).run()
    finally:
        fg.config.set_floatx("float32")
    assert len(got) == len(want)
    assert any(part.size for part in want), "nothing to compare"
    for ours, theirs in zip(got, want, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=example.rtol, atol=example.rtol)
