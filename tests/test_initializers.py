"""Initializers: their distributions, limits and fans; seeds, names, configurations, errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, initializers, layers, random
from fusegrad.errors import ArgumentError
from fusegrad.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)

Array = np.ndarray[Any, Any]
SHAPE = (300, 200)
CUT = 0.87962566103423978  # stddev of the standard normal law within [-2, 2]

# What it makes, and the standard deviation and largest magnitude that the formula gives (SHAPE).
DISTRIBUTIONS: dict[str, tuple[Callable[..., Initializer], float, float]] = {
    "RandomNormal": (lambda seed: RandomNormal(stddev=0.3, seed=seed), 0.3, math.inf),
    "TruncatedNormal": (lambda seed: TruncatedNormal(stddev=0.3, seed=seed), 0.3 * CUT, 0.6),
    "RandomUniform": (lambda seed: RandomUniform(-0.6, 0.6, seed), 0.6 / math.sqrt(3), 0.6),
    "GlorotUniform": (GlorotUniform, math.sqrt(2 / 500), math.sqrt(6 / 500)),
    "GlorotNormal": (GlorotNormal, math.sqrt(2 / 500), 2 * math.sqrt(2 / 500) / CUT),
    "HeUniform": (HeUniform, math.sqrt(2 / 300), math.sqrt(6 / 300)),
    "HeNormal": (HeNormal, math.sqrt(2 / 300), 2 * math.sqrt(2 / 300) / CUT),
    "LecunUniform": (LecunUniform, math.sqrt(1 / 300), math.sqrt(3 / 300)),
    "LecunNormal": (LecunNormal, math.sqrt(1 / 300), 2 * math.sqrt(1 / 300) / CUT),
    "VarianceScaling": (
        lambda seed: VarianceScaling(3.0, "fan_out", "untruncated_normal", seed),
        math.sqrt(3 / 200),
        math.inf,
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_moments_and_limits(name: str, dtype: str) -> None:
    make, stddev, limit = DISTRIBUTIONS[name]
    values = make(seed=4)(SHAPE, dtype).numpy()
    assert values.dtype == dtype
    n = values.size
    assert abs(values.mean()) < 6 * stddev / math.sqrt(n)
    assert values.std() == pytest.approx(stddev, rel=6 / math.sqrt(2 * n))
    largest = float(np.abs(values).max())
    if limit < math.inf:
        assert 0.999 * limit < largest <= limit * (1 + 1e-7)
    else:
        assert largest > 3.8 * stddev  # a normal law would miss it once in 10^4


@pytest.mark.parametrize("truncated", [False, True])
def test_normal_numbers_are_quantiles(truncated: bool) -> None:
    """Each is the quantile of the uniform number of its counter, to 4 units of the last place."""
    n = 100_000
    uniform = _core.fill_uniform((n,), "float64", 5, 77, 0.0, 1.0).numpy()
    z = _core.fill_normal((n,), "float64", 5, 77, 0.0, 1.0, truncated).numpy()
    cells = np.floor(uniform * 2.0**52)  # of which normal numbers take the middle
    order = np.argsort(z)
    assert np.all(np.diff(cells[order]) >= 0)
    with mpmath.workdps(40):
        inside = mpmath.erf(mpmath.sqrt(2)) if truncated else mpmath.mpf(1)
        for i in [*order[:30], *order[:: n // 200], *order[-30:]]:
            q = ((mpmath.mpf(float(cells[i])) + 0.5) / 2**52 - 0.5) * inside
            got = mpmath.mpf(float(z[i]))
            density = mpmath.exp(-got * got / 2) / mpmath.sqrt(2 * mpmath.pi)
            error = (mpmath.erf(got / mpmath.sqrt(2)) / 2 - q) / density
            # Truncation rounds q, below 1/2, and its factor.
            rounding = 2.0**-53 / density if truncated else 0.0
            assert abs(error) <= 4 * float(np.spacing(abs(z[i]))) + rounding


@pytest.mark.parametrize("draw", [random.normal, random.truncated_normal])
def test_normal_of_the_random_module(draw: Callable[..., Any]) -> None:
    a = draw((40, 50), mean=2.0, stddev=3.0, seed=1).numpy()
    assert a.shape == (40, 50)
    assert a.dtype == np.float32
    np.testing.assert_array_equal(a, draw((40, 50), 2.0, 3.0, None, 1).numpy())
    np.testing.assert_array_equal(
        a, draw((40, 50), 2.0, 3.0, "float64", 1).numpy().astype(np.float32)
    )
    assert not np.array_equal(a, draw((40, 50), 2.0, 3.0).numpy())
    assert draw(5, stddev=0.0, mean=1.5).tolist() == [1.5] * 5
    fg.utils.set_random_seed(3)
    first = draw(4).tolist()
    assert first != draw(4).tolist()
    fg.utils.set_random_seed(3)
    assert draw(4).tolist() == first
    for argument, bad in [
        ("stddev", -1.0), ("stddev", np.nan), ("mean", np.inf), ("seed", -1), ("dtype", "int32"),
        ("shape", (-1,)),
    ]:  # fmt: skip
        with pytest.raises(ArgumentError) as caught:
            draw(**{"shape": (2,), argument: bad})
        assert caught.value.argument == argument


RANDOM = [*DISTRIBUTIONS, "Orthogonal"]


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name: str) -> None:
    cls = getattr(initializers, name)
    a = cls(seed=4)
    values = a((3, 3)).numpy()
    np.testing.assert_array_equal(a((3, 3)).numpy(), values)
    np.testing.assert_array_equal(cls(seed=4)((3, 3)).numpy(), values)
    assert not np.array_equal(cls(seed=5)((3, 3)).numpy(), values)
    assert not np.array_equal(cls()((3, 3)).numpy(), cls()((3, 3)).numpy())
    for seed in (-1, 1.5, True, "a", 2**64):
        with pytest.raises(ArgumentError, match=name) as caught:
            cls(seed=seed)
        assert caught.value.argument == "seed"


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [((), 1, 1), ((7,), 7, 7), ((6, 9), 6, 9), ((3, 2, 6, 9), 36, 54)],
)
def test_fans(shape: tuple[int, ...], fan_in: int, fan_out: int) -> None:
    assert initializers.fans(shape) == (fan_in, fan_out)
    for mode, n in (("fan_in", fan_in), ("fan_out", fan_out), ("fan_avg", (fan_in + fan_out) / 2)):
        got = VarianceScaling(2.0, mode, "uniform", 3)(shape, "float64").numpy()
        unit = VarianceScaling(1 / 3, "fan_in", "uniform", 3)((), "float64").numpy()  # in [-1, 1)
        limit = math.sqrt(6 / n)
        assert np.abs(got).max() <= limit
        np.testing.assert_allclose(got.ravel()[0], unit * limit, rtol=1e-14)


SHAPES = [(1, 1), (5, 3), (3, 5), (40, 40), (2, 3, 4, 5), (0, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape: tuple[int, ...]) -> None:
    values = Orthogonal(gain=2.0, seed=1)(shape, "float64").numpy()
    assert values.shape == shape
    q = values.reshape(-1, shape[-1]) / 2
    gram = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-14)
    single = Orthogonal(gain=2.0, seed=1)(shape).numpy()
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, values.astype(np.float32))


def test_orthogonal_is_the_q_of_a_positive_r() -> None:
    a = random.normal((12, 7), dtype="float64", seed=2).numpy()
    q, r = np.linalg.qr(a)
    np.testing.assert_allclose(
        initializers.orthonormal(a), q * np.sign(np.diag(r)), rtol=0, atol=1e-14
    )
    rank_one = np.outer(np.arange(1.0, 5.0), np.ones(3))
    q = initializers.orthonormal(rank_one)
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-14)
    q = initializers.orthonormal(np.zeros((4, 2)))
    np.testing.assert_allclose(q.T @ q, np.eye(2), atol=1e-14)


def test_constants() -> None:
    for dtype in ("float32", "float64"):
        for made, want in [
            (Zeros(), np.zeros((2, 3))),
            (Ones(), np.ones((2, 3))),
            (Constant(0.25), np.full((2, 3), 0.25)),
            (Constant(), np.zeros((2, 3))),
            (Identity(3.0), 3.0 * np.eye(2, 3)),
        ]:
            got = made((2, 3), dtype).numpy()
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, want)


NAMES = {
    "zeros": Zeros, "zero": Zeros, "ones": Ones, "one": Ones, "constant": Constant,
    "identity": Identity, "random_normal": RandomNormal, "normal": RandomNormal,
    "truncated_normal": TruncatedNormal, "random_uniform": RandomUniform, "uniform": RandomUniform,
    "variance_scaling": VarianceScaling, "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal, "he_uniform": HeUniform, "he_normal": HeNormal,
    "lecun_uniform": LecunUniform, "lecun_normal": LecunNormal, "orthogonal": Orthogonal,
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
}  # fmt: skip


def test_names() -> None:
    for name, cls in NAMES.items():
        assert type(initializers.get(name)) is cls
        assert type(initializers.get(cls.__name__)) is cls
        assert type(initializers.get(cls)) is cls
    for bad, near in [
        ("He_Normal", "he_normal"), ("henormal", "HeNormal"), ("ZEROS", "zeros"),
        ("glorot_unifrom", "glorot_uniform"), ("Identity()", "identity"),
    ]:  # fmt: skip
        with pytest.raises(ArgumentError, match=f"did you mean '{near}'") as caught:
            layers.Dense(2, kernel_initializer=bad)
        assert caught.value.argument == "kernel_initializer"


CONFIGS: list[tuple[Initializer, dict[str, Any]]] = [
    (Zeros(), {}),
    (Ones(), {}),
    (Constant(0.5), {"value": 0.5}),
    (Identity(2), {"gain": 2.0}),
    (RandomNormal(1.0, 2.0, 3), {"mean": 1.0, "stddev": 2.0, "seed": 3}),
    (TruncatedNormal(), {"mean": 0.0, "stddev": 0.05, "seed": None}),
    (RandomUniform(seed=1), {"minval": -0.05, "maxval": 0.05, "seed": 1}),
    (
        VarianceScaling(2.0, "fan_avg", "normal", 7),
        {"scale": 2.0, "mode": "fan_avg", "distribution": "truncated_normal", "seed": 7},
    ),
    (GlorotUniform(1), {"seed": 1}),
    (GlorotNormal(2), {"seed": 2}),
    (HeUniform(3), {"seed": 3}),
    (HeNormal(4), {"seed": 4}),
    (LecunUniform(5), {"seed": 5}),
    (LecunNormal(), {"seed": None}),
    (Orthogonal(0.5, 6), {"gain": 0.5, "seed": 6}),
]


@pytest.mark.parametrize(("made", "config"), CONFIGS, ids=lambda value: type(value).__name__)
def test_configs(made: Initializer, config: dict[str, Any]) -> None:
    assert made.get_config() == config
    written = initializers.serialize(made)
    assert written == {"class_name": type(made).__name__, "config": config}
    again = initializers.deserialize(written)
    assert type(again) is type(made)
    assert isinstance(again, Initializer)
    assert again.get_config() == config
    if config.get("seed", 0) is not None:
        np.testing.assert_array_equal(again((4, 4)).numpy(), made((4, 4)).numpy())


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: Constant("1"), "value"),  # type: ignore[arg-type]
        (lambda: Constant(math.nan), "value"),
        (lambda: Identity(math.inf), "gain"),
        (lambda: Identity()((3,)), "shape"),
        (lambda: Identity()((1, 2, 3)), "shape"),
        (lambda: RandomNormal(stddev=-0.1), "stddev"),
        (lambda: RandomNormal(mean=math.inf), "mean"),
        (lambda: TruncatedNormal(stddev=math.nan), "stddev"),
        (lambda: RandomUniform(1.0, 0.5), "maxval"),
        (lambda: RandomUniform(minval=-math.inf), "minval"),
        (lambda: VarianceScaling(0.0), "scale"),
        (lambda: VarianceScaling(-1.0), "scale"),
        (lambda: VarianceScaling(mode="fan"), "mode"),
        (lambda: VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: Orthogonal(gain="big"), "gain"),  # type: ignore[arg-type]
        (lambda: Orthogonal()((3,)), "shape"),
    ],
)
def test_bad_arguments(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument


@pytest.mark.parametrize("name", sorted(NAMES))
def test_as_the_kernel_of_a_layer(name: str) -> None:
    layer = layers.Dense(3, kernel_initializer=name)
    layer.build((None, 4))
    kernel = layer.get_weights()[0]
    assert kernel.shape == (4, 3)
    assert np.isfinite(kernel).all()
    rebuilt = layers.Dense.from_config(layer.get_config())
    assert type(rebuilt.kernel_initializer) is NAMES[name]  # type: ignore[attr-defined]
