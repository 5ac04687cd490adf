"""Losses against their formulas in float64 NumPy, their reductions and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import losses, ops
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(5)
N, K = 9, 4
LOGITS = RNG.normal(scale=3, size=(N, K))
LABELS = RNG.integers(0, K, N)
ONE_HOT = np.eye(K)[LABELS]
SOFT = RNG.dirichlet(np.ones(K), N)
BITS = RNG.integers(0, 2, (N, K)).astype(float)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def bce(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return -(t * np.log(p) + (1 - t) * np.log1p(-p)).mean(axis=-1)


def huber(d: np.ndarray, delta: float) -> np.ndarray:
    far = delta * np.abs(d) - delta**2 / 2
    return np.where(np.abs(d) <= delta, d**2 / 2, far).mean(axis=-1)


CASES: dict[str, tuple[losses.Loss, Any, np.ndarray, np.ndarray]] = {
    "mse": (losses.MeanSquaredError(), SOFT, LOGITS, ((SOFT - LOGITS) ** 2).mean(axis=-1)),
    "mae": (losses.MeanAbsoluteError(), SOFT, LOGITS, np.abs(SOFT - LOGITS).mean(axis=-1)),
    "huber": (losses.Huber(), SOFT, LOGITS, huber(SOFT - LOGITS, 1.0)),
    "huber of a delta": (losses.Huber(2.5), SOFT, LOGITS, huber(SOFT - LOGITS, 2.5)),
    "bce": (losses.BinaryCrossentropy(), BITS, sigmoid(LOGITS), bce(sigmoid(LOGITS), BITS)),
    "bce logits": (
        losses.BinaryCrossentropy(from_logits=True),
        BITS,
        LOGITS,
        bce(sigmoid(LOGITS), BITS),
    ),
    "bce smoothed": (
        losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
        BITS,
        LOGITS,
        bce(sigmoid(LOGITS), BITS * 0.8 + 0.1),
    ),
    "categorical": (
        losses.CategoricalCrossentropy(),
        SOFT,
        softmax(LOGITS) * 3.0,  # Keras divides by the sum
        -(SOFT * np.log(softmax(LOGITS))).sum(axis=-1),
    ),
    "categorical logits": (
        losses.CategoricalCrossentropy(from_logits=True),
        SOFT,
        LOGITS,
        -(SOFT * np.log(softmax(LOGITS))).sum(axis=-1),
    ),
    "categorical smoothed": (
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
        ONE_HOT,
        LOGITS,
        -((ONE_HOT * 0.8 + 0.05) * np.log(softmax(LOGITS))).sum(axis=-1),
    ),
    "sparse": (
        losses.SparseCategoricalCrossentropy(),
        LABELS,
        softmax(LOGITS),
        -np.log(softmax(LOGITS))[np.arange(N), LABELS],
    ),
    "sparse logits": (
        losses.SparseCategoricalCrossentropy(from_logits=True),
        LABELS,
        LOGITS,
        -np.log(softmax(LOGITS))[np.arange(N), LABELS],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_reductions(name: str) -> None:
    loss, target, outputs, expected = CASES[name]
    np.testing.assert_allclose(loss.call(target, outputs).numpy(), expected, rtol=1e-12)
    weights = np.linspace(0.5, 2.0, N)
    for reduction, plain, weighted in (
        ("sum_over_batch_size", expected.mean(), (expected * weights).mean()),
        ("mean", expected.mean(), (expected * weights).mean()),
        ("sum", expected.sum(), (expected * weights).sum()),
        ("mean_with_sample_weight", expected.mean(), np.average(expected, weights=weights)),
        ("none", expected, expected * weights),
        (None, expected, expected * weights),
    ):
        same = type(loss).from_config({**loss.get_config(), "reduction": reduction})
        np.testing.assert_allclose(same(target, outputs).numpy(), plain, rtol=1e-12)
        np.testing.assert_allclose(same(target, outputs, weights).numpy(), weighted, rtol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    loss, target, outputs, _ = CASES[name]
    got = fg.grad(lambda z: loss(target, z))(outputs).numpy()
    for i in np.ndindex(outputs.shape):
        step = 1e-5 * abs(outputs[i])  # a probability may be small
        moved = [outputs.copy(), outputs.copy()]
        moved[0][i] += step
        moved[1][i] -= step
        high, low = (loss(target, z).item() for z in moved)
        assert got[i] == pytest.approx((high - low) / (2 * step), rel=1e-5, abs=1e-8)


def test_saturated_logits_keep_their_gradient() -> None:
    far = np.array([[100.0, 0.0]])
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert sparse([1], far).item() == 100.0
    gradient = fg.grad(lambda z: sparse([0], z))(far).numpy()
    assert gradient[0, 0] == pytest.approx(-np.exp(-100.0), rel=1e-12)
    binary = losses.BinaryCrossentropy(from_logits=True)
    assert binary([[0.0]], [[100.0]]).item() == 100.0
    assert losses.BinaryCrossentropy()([[1.0]], [[0.0]]).item() == pytest.approx(16.118, rel=1e-4)


@pytest.mark.parametrize(
    ("shape", "other"),
    [((N,), (N, K)), ((N, 1), (N, K)), ((1, K), (N, K)), ((), (N, 1)), ((N, K), (N, 1))],
)
@pytest.mark.parametrize("name", ["mse", "mae", "huber", "bce", "categorical_crossentropy"])
def test_targets_never_broadcast(name: str, shape: tuple[int, ...], other: Any) -> None:
    loss = losses.get(name)
    assert loss is not None
    with pytest.raises(ArgumentError, match="never broadcast"):
        loss(np.zeros(shape), np.full(other, 0.5))


def test_a_vector_stands_for_a_column() -> None:
    y, p = np.array([1.0, 0.0]), np.array([[0.9], [0.2]])
    for loss in (
        losses.MeanSquaredError(),
        losses.MeanAbsoluteError(),
        losses.Huber(),
        losses.BinaryCrossentropy(),
    ):
        assert loss(y, p).item() == loss(y[:, None], p).item()
        assert loss(y[:, None], p[:, 0]).item() == pytest.approx(loss(y, p[:, 0]).item())


def test_kinks_and_far_values() -> None:
    absolute = fg.grad(lambda p: ops.sum(losses.mean_absolute_error(np.zeros((3, 1)), p)))
    assert absolute(np.array([[-2.0], [0.0], [2.0]])).tolist() == [[-1.0], [0.0], [1.0]]
    robust = fg.grad(lambda p: ops.sum(losses.huber(np.zeros((3, 1)), p, delta=0.5)))
    assert robust(np.array([[-2.0], [0.25], [2.0]])).tolist() == [[-0.5], [0.25], [0.5]]
    assert losses.huber([[0.0]], np.array([[1e300]])).item() == 1e300  # its square is infinite
    assert losses.Huber().name == "huber_loss"
    assert losses.Huber(2.0).get_config()["delta"] == 2.0
    assert losses.MeanAbsoluteError().name == "mean_absolute_error"


def test_a_sum_of_weights_of_zero() -> None:
    """No loss and no gradient, where a quotient would be NaN."""
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    for weights in ([0.0, 0.0], [1.0, -1.0]):
        assert loss([[1.0], [2.0]], [[3.0], [5.0]], weights).item() == 0.0
        slope = fg.grad(lambda p, w=weights: loss([[1.0], [2.0]], p, w))(np.ones((2, 1)))
        assert slope.tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("shape", [(N,), (N, 1), (N, K)])
def test_shapes_of_weights(shape: tuple[int, ...]) -> None:
    """One for each value; with values in several axes one for each row of them."""
    weights = RNG.uniform(size=shape)
    values = RNG.normal(size=(N, K))

    class Squares(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.square(y_pred - y_true)

    expected = values**2 * weights.reshape(N, -1)
    assert Squares()(np.zeros((N, K)), values, weights).item() == pytest.approx(expected.mean())
    spread = np.broadcast_to(weights.reshape(N, -1), (N, K))
    found = Squares(reduction="mean_with_sample_weight")(np.zeros((N, K)), values, weights)
    assert found.item() == pytest.approx(np.average(values**2, weights=spread))


@pytest.mark.parametrize("labels", [[4], [-1], [0.5], [[0, 1]], [[[0]]]])
def test_bad_labels(labels: Any) -> None:
    for from_logits in (False, True):
        loss = losses.SparseCategoricalCrossentropy(from_logits)
        with pytest.raises(ArgumentError):
            loss(labels, [[0.25, 0.25, 0.25, 0.25]])


def test_labels_of_several_kinds() -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = loss(LABELS, LOGITS).item()
    for given in (LABELS[:, None], LABELS.tolist(), LABELS.astype(float), LABELS.astype(np.uint8)):
        assert loss(given, LOGITS).item() == expected


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("mse", losses.MeanSquaredError),
        ("MSE", losses.MeanSquaredError),
        ("mae", losses.MeanAbsoluteError),
        ("MAE", losses.MeanAbsoluteError),
        ("mean_absolute_error", losses.MeanAbsoluteError),
        ("MeanAbsoluteError", losses.MeanAbsoluteError),
        ("huber", losses.Huber),
        ("huber_loss", losses.Huber),
        ("Huber", losses.Huber),
        (losses.huber, losses.Huber),
        (losses.mean_absolute_error, losses.MeanAbsoluteError),
        ("mean_squared_error", losses.MeanSquaredError),
        ("BinaryCrossentropy", losses.BinaryCrossentropy),
        ("bce", losses.BinaryCrossentropy),
        ("categorical_crossentropy", losses.CategoricalCrossentropy),
        ("SparseCategoricalCrossentropy", losses.SparseCategoricalCrossentropy),
        (losses.MeanSquaredError, losses.MeanSquaredError),
        (losses.binary_crossentropy, losses.BinaryCrossentropy),
        ({"class_name": "MeanSquaredError", "config": {}}, losses.MeanSquaredError),
    ],
)
def test_names(name: Any, cls: type[losses.Loss]) -> None:
    assert type(losses.get(name)) is cls


def test_bad_arguments() -> None:
    assert losses.get(None) is None
    for call in (
        lambda: losses.MeanSquaredError(reduction="average"),
        lambda: losses.BinaryCrossentropy(label_smoothing=1.5),
        lambda: losses.CategoricalCrossentropy(axis=0),
        lambda: losses.get(3),
        lambda: losses.Huber(0.0),
        lambda: losses.Huber(-1.0),
        lambda: losses.Huber(float("inf")),
        lambda: losses.huber([[1.0]], [[2.0]], delta=0.0),
        lambda: losses.get({"name": "mse"}),
        lambda: losses.MeanSquaredError()([[1.0]], [[1.0]], sample_weight=[1.0, 2.0]),
    ):
        with pytest.raises(ArgumentError):
            call()


@pytest.mark.parametrize("name", CASES)
def test_configurations(name: str) -> None:
    loss = CASES[name][0]
    copy = losses.deserialize(losses.serialize(loss))
    assert copy is not None
    assert copy.get_config() == loss.get_config()
