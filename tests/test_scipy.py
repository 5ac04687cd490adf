"""SciPy's optimizers and solvers take functions of fusegrad, as they take those of NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

optimize = pytest.importorskip("scipy.optimize")

START = np.array([0.8, 0.9, 1.1])


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def residuals(x: Any) -> Any:
    return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def product(x: Any, vector: Any) -> Any:
    return fg.hvp(rosenbrock, (x,), (vector,))


FIRST = ("CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP")
SECOND = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-constr")


@pytest.mark.parametrize(
    ("method", "more"),
    [
        *((method, {}) for method in FIRST),
        *((method, {"hessp": product}) for method in SECOND),
        *((method, {"hess": fg.hessian(rosenbrock)}) for method in (*SECOND, "trust-exact")),
    ],
    ids=lambda value: value if isinstance(value, str) else "".join(value) or "jac",
)
def test_minimize(method: str, more: dict[str, Any]) -> None:
    """To the minimum, at (1, 1, 1); with the value and the gradient together, apart, compiled."""
    both = fg.value_and_grad(rosenbrock)
    for function, jac in (
        (both, True),
        (rosenbrock, fg.grad(rosenbrock)),
        (fg.jit(both), True),
    ):
        found = optimize.minimize(function, START, jac=jac, method=method, **more)
        assert isinstance(found.fun, float)
        np.testing.assert_allclose(found.x, 1.0, atol=1e-3)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints(method: str) -> None:
    """The nearest point of the ball of radius 1 is x / |x|."""
    target = np.array([1.0, 2.0, 2.0])

    def inside(x: Any) -> Any:
        return 1.0 - np.sum(x**2)

    constraint: Any = {"type": "ineq", "fun": fg.jit(inside), "jac": fg.grad(inside)}
    if method == "trust-constr":
        hessian = fg.hessian(inside)
        constraint = optimize.NonlinearConstraint(
            fg.jit(inside), 0.0, np.inf, jac=fg.grad(inside), hess=lambda x, v: v[0] * hessian(x)
        )
    found = optimize.minimize(
        fg.value_and_grad(lambda x: np.sum((x - target) ** 2)),
        np.array([0.1, 0.2, 0.3]),
        jac=True,
        method=method,
        constraints=constraint,
    )
    np.testing.assert_allclose(found.x, target / 3, atol=1e-4)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("method", ["trf", "dogbox", "lm"])
def test_least_squares(method: str, compiled: bool) -> None:
    jac = fg.jacobian(residuals)
    functions = (fg.jit(residuals), fg.jit(jac)) if compiled else (residuals, jac)
    more: list[dict[str, Any]] = [{}]
    if method != "lm":
        more = [{"bounds": (-2, 2)}, {"loss": "soft_l1"}]
    for options in more:
        found = optimize.least_squares(
            functions[0], START[:2], jac=functions[1], method=method, **options
        )
        np.testing.assert_allclose(found.x, 1.0, rtol=1e-6)


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox"])
def test_curve_fit(method: str) -> None:
    x = np.linspace(0, 1, 20)
    want = np.array([2.5, 1.3, 0.5])

    def model(x: Any, a: Any, b: Any, c: Any) -> Any:
        return a * np.exp(-b * x) + c

    def jac(x: Any, *parameters: Any) -> Any:
        return fg.jacobian(lambda p: model(x, *p))(np.array(parameters))

    found, covariance = optimize.curve_fit(
        model, x, model(x, *want), p0=np.ones(3), jac=jac, method=method
    )
    np.testing.assert_allclose(found, want, rtol=1e-6)
    assert covariance.shape == (3, 3)


@pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "anderson", "krylov", "df-sane"])
def test_root(method: str) -> None:
    more = {"jac": fg.jacobian(residuals)} if method in ("hybr", "lm") else {}
    found = optimize.root(residuals, np.array([0.9, 0.9]), method=method, **more)
    np.testing.assert_allclose(found.x, 1.0, rtol=1e-4)


def test_roots_of_scalars() -> None:
    def f(x: Any) -> Any:
        return x**3 - 2.0

    slope = fg.grad(f)
    options: list[dict[str, Any]] = [
        {"x0": 1.0, "fprime": slope, "method": "newton"},
        {"x0": 1.0, "fprime": slope, "fprime2": fg.grad(slope), "method": "halley"},
        {"bracket": (0.0, 2.0), "method": "brentq"},
    ]
    fg.config.set_floatx("float64")  # of the Python numbers that SciPy gives
    try:
        for option in options:
            assert optimize.root_scalar(f, **option).root == pytest.approx(2 ** (1 / 3), rel=1e-12)
        assert optimize.brentq(fg.grad(np.cos), 2.0, 4.0) == pytest.approx(np.pi, rel=1e-12)
    finally:
        fg.config.set_floatx("float32")


def test_differential_equations() -> None:
    integrate = pytest.importorskip("scipy.integrate")
    rates = np.array([1.0, 50.0])

    def slope(t: Any, y: Any) -> Any:
        return -y * rates

    jac = fg.jit(fg.jacobian(lambda y: slope(0.0, y)))
    for method in ("RK45", "Radau", "BDF", "LSODA"):
        more = {} if method == "RK45" else {"jac": lambda t, y: jac(y)}
        found = integrate.solve_ivp(slope, (0, 0.1), np.ones(2), method=method, **more)
        np.testing.assert_allclose(found.y[:, -1], np.exp(-0.1 * rates), rtol=2e-2)


@pytest.mark.parametrize("name", ["solve", "lstsq", "inv", "cholesky", "eig", "lu", "expm", "svd"])
def test_linear_algebra(name: str) -> None:
    linalg = pytest.importorskip("scipy.linalg")
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    operands = (a, b) if name in ("solve", "lstsq") else (a,)
    got = getattr(linalg, name)(*map(fg.Tensor, operands))
    want = getattr(linalg, name)(*operands)
    both = zip(got, want, strict=True) if isinstance(want, tuple) else [(got, want)]
    for ours, theirs in both:
        np.testing.assert_array_equal(ours, theirs)


def loops() -> dict[str, Callable[[Any, Any], Any]]:
    """Steps of gradient descent, as users write them, on w, an array of NumPy's."""

    def in_place(w: Any, g: Any) -> Any:
        w -= 0.1 * g
        return w

    def by_element(w: Any, g: Any) -> Any:
        for i in range(len(w)):
            w[i] = w[i] - 0.1 * g[i]
        return w

    def by_slice(w: Any, g: Any) -> Any:
        w[:2] += -0.1 * g[:2]
        w[2:] = w[2:] - 0.1 * g[2:]
        return w

    def with_out(w: Any, g: Any) -> Any:
        return np.subtract(w, np.multiply(g, 0.1), out=w)

    def momentum(w: Any, g: Any) -> Any:
        velocity = np.zeros_like(w)
        velocity += g
        velocity *= 0.1
        w -= velocity
        return w

    def named_anew(w: Any, g: Any) -> Any:
        return w - 0.1 * g

    return {f.__name__: f for f in (in_place, by_element, by_slice, with_out, momentum, named_anew)}


@pytest.mark.parametrize("step", loops().values(), ids=loops().keys())
def test_loops(step: Callable[[Any, Any], Any]) -> None:
    target = np.array([1.0, -2.0, 0.5])

    def cost(w: Any) -> Any:
        return np.sum((w - target) ** 2)

    w, history = np.zeros(3), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(200):
            value, slope = fg.value_and_grad(cost)(w)
            w = step(w, slope)
            history.append(value)
            if i > 0 and abs(history[-2] - value) < 1e-12:
                break
    assert np.allclose(w, target, atol=1e-5)
    assert type(w) is (fg.Tensor if step.__name__ == "named_anew" else np.ndarray)
    costs = np.array(history)
    assert costs.dtype == np.float64
    assert costs.shape == (i + 1,)
    assert i < 199
    assert np.all(np.diff(costs) < 0)
