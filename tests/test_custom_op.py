"""Ops of extension modules: examples/custom_op, built against the package, and its capsules."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError

SOURCE = Path(__file__).resolve().parents[1] / "examples" / "custom_op"
TOOLS = [tool for tool in ("cmake", "c++") if shutil.which(tool) is None]
if importlib.util.find_spec("pybind11") is None:
    TOOLS.append("pybind11")

py_capsule_new = ctypes.pythonapi.PyCapsule_New
py_capsule_new.restype = ctypes.py_object
py_capsule_new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
NAMES: list[bytes | None] = []  # capsules point to their names


def new_capsule(address: int, name: bytes | None) -> Any:
    NAMES.append(name)
    return py_capsule_new(address, name, None)


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the extension module."""
    folder = tmp_path_factory.mktemp("custom_op")
    ninja = ["-G", "Ninja"] if shutil.which("ninja") else []
    for command in (
        ["cmake", "-S", SOURCE, "-B", folder, *ninja, f"-DPython_EXECUTABLE={sys.executable}",
         "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1 -Wall -Wextra -Werror"],
        ["cmake", "--build", folder],
    ):  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def function(built: Path) -> Callable[..., Any]:
    (path,) = built.glob("distances*.so")
    return ops.custom_op(load("distances", path).squared_distances)


def reference(x: Any, y: Any) -> Any:
    return np.sum((x[:, None] - y[None]) ** 2, axis=-1)


X = np.random.default_rng(0).normal(size=(5, 3))
Y = np.random.default_rng(1).normal(size=(4, 3))

needs_tools = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(TOOLS), reason=f"needs {', '.join(TOOLS)}"),
]


class TestExtension:
    """All of it once built."""

    pytestmark = needs_tools

    def test_value(self, function: Callable[..., Any]) -> None:
        assert function.__name__ == "squared_distances"
        for x in (X, np.asfortranarray(X), X[::-1], fg.Tensor(X)):
            want = reference(np.asarray(x), Y)
            np.testing.assert_allclose(function(x, Y).numpy(), want, rtol=1e-14)
        single = function(X.astype(np.float32), Y.astype(np.float32))
        assert single.dtype == np.float32
        np.testing.assert_allclose(single.numpy(), reference(X, Y), rtol=1e-6)
        large = np.random.default_rng(2).normal(size=(700, 30))  # several threads
        np.testing.assert_allclose(function(large, large).numpy(), reference(large, large), 1e-12)

    def test_gradients_of_any_order(self, function: Callable[..., Any]) -> None:
        """Against the same function made of our own ops, eager and compiled."""
        weights = np.random.default_rng(3).normal(size=(5, 4))

        def ours(x: Any, y: Any) -> Any:
            return ops.sum(ops.tanh(function(x, y)) * weights)

        def composed(x: Any, y: Any) -> Any:
            apart = ops.expand_dims(x, 1) - ops.expand_dims(y, 0)
            return ops.sum(ops.tanh(ops.sum(apart * apart, axis=-1)) * weights)

        def second(f: Callable[..., Any]) -> Callable[..., Any]:
            return fg.grad(
                lambda x, y: sum(ops.sum(g**3) for g in fg.grad(f, (0, 1))(x, y)), (0, 1)
            )

        for make in (lambda f: fg.grad(f, (0, 1)), second):
            got, want = make(ours)(X, Y), make(composed)(X, Y)
            compiled = fg.jit(make(ours))(X, Y)
            for g, w, c in zip(got, want, compiled, strict=True):
                np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-11, atol=1e-12)
                assert c.numpy().tobytes() == g.numpy().tobytes()

    def test_it_is_a_node_of_graphs_and_models(self, function: Callable[..., Any]) -> None:
        text = fg.jit(lambda x: function(x, x) + function(x, x)).lower(X).text("simplify")
        assert text.count("= squared_distances(") == 1

        class Distances(fg.layers.Layer):
            def build(self, input_shape: Any) -> None:
                self.centers = self.add_weight(shape=(6, input_shape[-1]))

            def call(self, x: Any) -> Any:
                return ops.exp(-function(x, self.centers))

        losses = []
        for eager in (False, True):
            fg.random.set_seed(0)
            model = fg.Sequential([Distances(), fg.layers.Dense(1)])
            model.compile("adam", "mse", run_eagerly=eager)
            x = np.random.default_rng(4).normal(size=(64, 3)).astype(np.float32)
            losses.append(model.fit(x, x[:, :1] ** 2, epochs=3, verbose=0).history["loss"])
        assert losses[0] == losses[1]
        assert losses[0][-1] < losses[0][0]

    def test_its_errors(self, function: Callable[..., Any]) -> None:
        compiled = fg.jit(function)
        for call in (function, compiled):
            with pytest.raises(ArgumentError, match="as many columns as x") as caught:
                call(X, Y[:, :2])
            assert caught.value.argument == "y"
        with pytest.raises(ArgumentError, match="operand"):
            function(X)
        with pytest.raises(TypeError, match="'power'"):
            function(X, Y, power=3)

    def test_the_script(self, function: Callable[..., Any], built: Path) -> None:
        paths = [str(built), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, SOURCE / "regression.py"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert float(done.stdout.split()[-1]) < 1e-3


# ---- capsules ------------------------------------------------------------------------------------


@pytest.mark.quick
@pytest.mark.parametrize(("capsule", "words"), [
    (None, "got None"),
    ("capsule", "got 'capsule'"),
    (new_capsule(1, b"fusegrad.OpDef.0"), "named 'fusegrad.OpDef.0'"),
    (new_capsule(1, b"numpy.something"), "named 'numpy.something'"),
    (new_capsule(1, None), "without a name"),
])  # fmt: skip
def test_other_capsules_are_refused(capsule: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match="build the extension again") as caught:
        ops.custom_op(capsule)
    assert words in str(caught.value)


ABI = next(
    "fusegrad.OpDef." + line.split('"')[1]
    for line in (Path(fg.get_include()) / "fusegrad" / "extension.h").read_text().splitlines()
    if line.startswith("#define FUSEGRAD_ABI")
)


def test_an_op_without_functions_is_refused() -> None:
    empty = ctypes.create_string_buffer(256)
    capsule = new_capsule(ctypes.addressof(empty), ABI.encode())
    with pytest.raises(ArgumentError, match="an OpDef with name"):
        ops.custom_op(capsule)


class OpDef(ctypes.Structure):
    """The head of fusegrad::OpDef, as fusegrad/op.h has it."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("num_inputs", ctypes.c_int),
        ("num_outputs", ctypes.c_int),
        ("traits", ctypes.c_uint32),
        ("functions", ctypes.c_size_t * 5),
    )


@pytest.mark.parametrize(("inputs", "outputs", "words"), [
    (0, 1, "num_inputs is -1 or at least 1"), (-2, 1, "num_inputs"),
    (1, 0, "num_outputs is -1 or 1 to 4"), (1, 5, "num_outputs"), (1, -2, "num_outputs"),
])  # fmt: skip
def test_an_op_with_other_counts_is_refused(inputs: int, outputs: int, words: str) -> None:
    op = OpDef(b"counts", inputs, outputs, 0, (ctypes.c_size_t * 5)(*[1] * 5))
    capsule = new_capsule(ctypes.addressof(op), ABI.encode())
    with pytest.raises(ArgumentError, match=words):
        ops.custom_op(capsule)


def test_the_folders_hold_what_extensions_need() -> None:
    headers = {path.name for path in (Path(fg.get_include()) / "fusegrad").iterdir()}
    assert {"extension.h", "op.h", "builder.h", "emit.h", "ops.def", "parallel.h"} <= headers
    assert (Path(fg.get_library_dir()) / "libfusegrad_core.so").is_file()
    assert (Path(fg.get_cmake_dir()) / "fusegradConfig.cmake").is_file()
