"""Opaque Python functions in tapes, programs and training loops."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, ops
from fusegrad.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = X[:, :1] * 2


def sorted_rows(x: Any) -> Any:
    return fg.pure_callback(lambda a: np.sort(a, axis=-1), x, x)


class SortedRows(layers.Layer):
    """Sorts the features of each sample by NumPy."""

    def __init__(self, function: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self.function = function or (lambda a: np.sort(a, axis=-1))

    def call(self, x: Any) -> Any:
        return fg.pure_callback(self.function, x, x)


def model_with(layer: layers.Layer, **options: Any) -> fg.Sequential:
    fg.random.set_seed(1)
    model = fg.Sequential([layer, layers.Dense(8, "tanh"), layers.Dense(1)])
    model.compile("adam", "mse", **options)
    return model


# ---- values --------------------------------------------------------------------------------------


@pytest.mark.quick
def test_structures_of_arguments_and_results() -> None:
    def function(pair: Any, scale: Any, *, offset: Any) -> Any:
        assert [type(a) for a in (pair["a"], pair["b"], scale, offset)] == [np.ndarray] * 4
        return {"sum": pair["a"] + pair["b"], "rest": [scale * 2, (offset > 0, np.int64(7))]}

    results = {
        "sum": fg.ShapeDtypeStruct((2, 3), "float32"),
        "rest": [
            fg.ShapeDtypeStruct((), "float64"),
            (fg.ShapeDtypeStruct(3, bool), fg.ShapeDtypeStruct((), np.int64)),
        ],
    }

    def call(a: Any, offset: Any) -> Any:
        pair = {"a": a, "b": np.ones((2, 3), "f4")}
        return fg.pure_callback(function, results, pair, np.float64(1.5), offset=offset)

    a, offset = np.arange(6, dtype="f4").reshape(2, 3), np.array([1.0, -1.0, 0.0])
    for run in (call, fg.jit(call)):
        got = run(a, offset)
        np.testing.assert_array_equal(got["sum"].numpy(), a + 1)
        scale, (positive, number) = got["rest"]
        assert (scale.item(), number.item()) == (3.0, 7)
        np.testing.assert_array_equal(positive.numpy(), [True, False, False])
        assert [t.dtype.name for t in (got["sum"], scale, positive, number)] == [
            "float32", "float64", "bool", "int64"]  # fmt: skip


def test_many_results() -> None:
    """More than one op has: those of a dtype travel as one array."""
    specs = [fg.ShapeDtypeStruct((i, 2), "int32" if i % 2 else "float32") for i in range(7)]

    def function(x: Any) -> Any:
        return [np.full(s.shape, i + x, s.dtype) for i, s in enumerate(specs)]

    def call(x: Any) -> Any:
        return fg.pure_callback(function, specs, x)

    for run in (call, fg.jit(call)):
        for i, got in enumerate(run(np.float32(3))):
            assert (got.shape, got.dtype) == ((i, 2), specs[i].dtype)
            assert (got.numpy() == i + 3).all()
    with pytest.raises(ArgumentError, match=r"shape \(3, 2\) and dtype int32 as result 3"):
        fg.pure_callback(lambda x: [*function(x)[:3], 1.0, 2, 3, 4], specs, 3.0)


def test_arrays_may_be_kept_and_written_to() -> None:
    kept = []

    def function(a: Any) -> Any:
        kept.append(a)
        a *= 2
        return a

    compiled = fg.jit(lambda x: fg.pure_callback(function, x, x + 1) + 0 * x)
    x = np.arange(3.0)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(x).numpy(), [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(kept, [[2.0, 4.0, 6.0]] * 3)
    np.testing.assert_array_equal(x, [0.0, 1.0, 2.0])


def test_a_program_calls_each_time_and_never_merges() -> None:
    count = iter(range(100))

    def draw() -> int:
        return next(count)

    number = fg.ShapeDtypeStruct((), "int64")
    pairs = fg.jit(lambda: (fg.pure_callback(draw, number), fg.pure_callback(draw, number)))
    assert [sorted(int(t) for t in pairs()) for _ in range(3)] == [[0, 1], [2, 3], [4, 5]]
    text = pairs.lower().text("simplify")
    assert text.count("callback(") == 2
    assert "draw" in text


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout(order: str) -> None:
    x = np.asarray(X, order=order)
    function = fg.jit(lambda t: sorted_rows(ops.transpose(ops.matmul(t, ops.transpose(t)))))
    np.testing.assert_array_equal(
        function(x).numpy(), np.sort(ops.matmul(X, ops.transpose(X)).numpy().T, axis=-1)
    )


def test_nothing_that_it_does_is_recorded() -> None:
    def function(a: Any) -> Any:
        return fg.grad(lambda t: ops.sum(t**3))(a).numpy()

    def total(x: Any) -> Any:
        return ops.sum(x * 5.0) + 0.0 * ops.sum(fg.pure_callback(function, x, np.ones(3)))

    for gradient in (fg.grad(total), fg.jit(fg.grad(total))):
        np.testing.assert_array_equal(gradient(np.ones(3)).numpy(), [5.0, 5.0, 5.0])


# ---- gradients -----------------------------------------------------------------------------------


@pytest.mark.quick
def test_a_gradient_through_it_names_what_to_write() -> None:
    gradient = fg.grad(lambda x: ops.sum(sorted_rows(x)))
    for call in (gradient, fg.jit(gradient)):
        with pytest.raises(ArgumentError, match="custom_vjp"):
            call(np.ones((2, 3)))
    labels = fg.ShapeDtypeStruct((2, 3), "int64")

    def total(x: Any) -> Any:  # integers have no gradient, so nothing is asked of the callback
        return ops.sum(x * ops.cast(fg.pure_callback(np.argsort, labels, x), "float64"))

    np.testing.assert_array_equal(fg.grad(total)(np.ones((2, 3))).numpy(), [[0, 1, 2]] * 2)


# ---- errors --------------------------------------------------------------------------------------


class Unusual(Exception):
    pass


@pytest.mark.quick
@pytest.mark.parametrize("kind", [Unusual, KeyboardInterrupt, SystemExit])
def test_what_it_raises_comes_out_as_it_was_raised(kind: type[BaseException]) -> None:
    error = kind("from within")
    broken = True

    def function(a: Any) -> Any:
        if broken:
            raise error
        return a + 1

    def call(x: Any) -> Any:
        return fg.pure_callback(function, x, x) * 2

    def total(x: Any) -> Any:
        return ops.sum(x * call(np.ones(3)))

    for run in (call, fg.jit(call), fg.jit(lambda x: ops.matmul(call(x), x)), fg.grad(total)):
        for size in (3, 50_000):  # operands that are copied, and bound
            x = np.ones(3 if run is not call and size == 3 else size)
            if len(x) != 3 and not isinstance(run, fg.transforms.Jitted):
                continue
            broken = True
            with pytest.raises(kind) as caught:
                run(x)
            assert caught.value is error
            assert caught.traceback[-1].name == "function"
            broken = False
            run(x)


@pytest.mark.parametrize(("function", "words"), [
    (lambda a: a[:1], r"result 0 has shape \(2, 3\) and dtype float32.*got shape \(1, 3\)"),
    (lambda a: a.astype("f8"), r"dtype float32.*got shape \(2, 3\) and dtype float64"),
    (lambda a: None, "None"),
    (lambda a: (a, a), r"got shape \(2, 2, 3\)"),
    (lambda a: "text", "text"),
])  # fmt: skip
def test_wrong_results(function: Callable[[Any], Any], words: str) -> None:
    x = np.ones((2, 3), np.float32)
    compiled = fg.jit(lambda t: fg.pure_callback(function, t, t))
    for call in (lambda t: fg.pure_callback(function, t, t), compiled):
        with pytest.raises(ArgumentError, match=words):
            call(x)
    two = [fg.ShapeDtypeStruct((), "f4")] * 2
    with pytest.raises(ArgumentError, match="2 results"):
        fg.pure_callback(lambda: [1.0], two)
    with pytest.raises(ArgumentError, match="a dict with the keys"):
        fg.pure_callback(lambda: {"a": 1.0}, {"b": two[0]})


@pytest.mark.parametrize("given", [3, (2, 3), "float32", np.float32])
def test_what_describes_no_result(given: Any) -> None:
    with pytest.raises(ArgumentError, match="ShapeDtypeStruct"):
        fg.pure_callback(np.abs, given, 1.0)


def test_a_program_in_its_own_run_is_an_error() -> None:
    x = np.ones(3)
    again: list[Any] = []
    again.append(fg.jit(lambda t: fg.pure_callback(lambda a: again[0](a).numpy(), t, t)))
    with pytest.raises(RuntimeError, match="within its own run"):
        again[0](x)


def test_functions_are_let_go() -> None:
    def make() -> tuple[Any, Any]:
        def function(a: Any) -> Any:
            return a

        return fg.jit(lambda t: fg.pure_callback(function, t, t)), weakref.ref(function)

    compiled, function = make()
    compiled(np.ones(2))
    assert function() is not None
    del compiled
    gc.collect()
    assert function() is None


# ---- models and threads --------------------------------------------------------------------------


@pytest.mark.quick
def test_fit_with_a_callback_in_a_layer() -> None:
    """Compiled and eager steps, and those on data that was sorted before."""
    histories = []
    for layer, x, options in [
        (SortedRows(), X, {}),
        (SortedRows(), X, {"run_eagerly": True}),
        (layers.Activation("linear"), np.sort(X, axis=-1), {}),
    ]:
        model = model_with(layer, **options)
        fitted = model.fit(x, Y, epochs=3, batch_size=24, validation_data=(x, Y), verbose=0)
        histories.append((fitted.history["loss"], fitted.history["val_loss"],
                          model.predict(x, verbose=0).tobytes()))  # fmt: skip
    assert histories[0] == histories[1] == histories[2]


def test_a_model_is_as_it_was_when_a_callback_raises() -> None:
    calls = 0

    def function(a: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Unusual("third batch")
        return np.sort(a, axis=-1)

    model = model_with(SortedRows(function))
    model.build((None, 4))
    with pytest.raises(Unusual, match="third batch"):
        model.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
    other = model_with(SortedRows())
    other.fit(X[:32], Y[:32], batch_size=16, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    model.fit(X, Y, batch_size=16, verbose=0)
    assert np.isfinite(model.evaluate(X, Y, verbose=0))


@pytest.mark.quick
def test_threads_share_a_program_with_a_callback() -> None:
    """The interpreter lock goes from thread to thread inside of a run, and none waits for ever."""
    step = threading.Event()

    def function(a: Any) -> Any:
        step.wait(1e-4)  # lets the others run
        return a * 2

    programs = [fg.jit(lambda x: fg.pure_callback(function, x, x) + x)] * 2
    programs.append(fg.jit(lambda x: ops.sum(fg.pure_callback(function, x, ops.matmul(x, x)))))
    small, large = np.ones((3, 3)), np.ones((120, 120))
    failures: list[Any] = []

    def work(number: int) -> None:
        try:
            for i in range(20):
                x = (small, large)[(i + number) % 2]
                got = programs[number % 3](x).numpy()
                want = 3 * x if number % 3 < 2 else np.sum(2 * x @ x)
                np.testing.assert_array_equal(got, want)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread waits for ever"
    assert not failures


def test_models_with_callbacks_train_in_threads() -> None:
    losses: list[Any] = []

    def work() -> None:
        losses.append(model_with(SortedRows()).fit(X, Y, epochs=4, verbose=0).history["loss"][0])

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread waits for ever"
    assert np.isfinite(losses).all()
    assert len(losses) == 3


# ---- vmap ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("many", [False, True])
def test_vmap(vectorized: bool, many: bool) -> None:
    """One call for all examples, or one for each; operands that do not differ are stacked too."""
    shapes: list[Any] = []
    specs = [fg.ShapeDtypeStruct((3,), "float64"), fg.ShapeDtypeStruct((), "float32")]
    specs *= 3 if many else 1

    def function(a: Any, b: Any) -> Any:
        shapes.append((a.shape, b.shape))
        parts = [a + b, np.sum(a * b, axis=-1).astype("f4")]
        return parts * (len(specs) // 2)

    def call(a: Any, b: Any) -> Any:
        return fg.pure_callback(function, specs, a, b, vectorized=vectorized)

    a, b = X[:5, :3].astype("f8"), np.arange(3.0)
    for run in (fg.vmap(call, (0, None)), fg.jit(fg.vmap(call, (0, None)))):
        shapes.clear()
        got = run(a, b)
        assert shapes == ([((5, 3), (5, 3))] if vectorized else [((3,), (3,))] * 5)
        for i, part in enumerate(got):
            want = (a * b).sum(1).astype("f4") if i % 2 else a + b
            np.testing.assert_array_equal(part.numpy(), want)


@pytest.mark.parametrize("shape", ["a", -1, (2, -1), (1.5,), None])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^ShapeDtypeStruct\(\): argument 'shape'"):
        fg.ShapeDtypeStruct(shape, "float32")
    with pytest.raises(ArgumentError, match=r"^ShapeDtypeStruct\(\): argument 'dtype'"):
        fg.ShapeDtypeStruct((), "float8")
