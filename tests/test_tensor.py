"""Tensor: construction, buffers, promotion, operators, indexing, errors. The oracle is NumPy."""

import copy
import gc
import multiprocessing
import operator
import pickle

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, _tensor, ops
from fusegrad._tensor import Tensor, as_tensor, from_numpy
from fusegrad.errors import ArgumentError

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool"]


def same(tensor, array, dtype=None):
    assert isinstance(tensor, Tensor)
    array = np.asarray(array)
    assert tensor.shape == array.shape
    assert tensor.dtype == (dtype or array.dtype)
    np.testing.assert_array_equal(tensor.numpy(), array)


# ---- construction --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        (3, "int64"),
        (True, "bool"),
        ([1.0, 2], "float32"),
        ([True, 2], "int64"),
        ([[1, 2], [3, 4]], "int64"),
        (((1.0,), (2.0,)), "float32"),
        ([], "float32"),
        ([[], []], "float32"),
        ([np.float64(1.0), 2.0], "float64"),
        (np.float64(1.0), "float64"),
        (range(3), "int64"),
    ],
)
def test_from_python(data, dtype):
    same(Tensor(data), np.array(data), dtype)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", DTYPES)
def test_from_numpy_keeps_dtype(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    same(Tensor(array), array)
    same(from_numpy(array), array)
    same(from_numpy(array.T), array.T)
    same(from_numpy(array[::-1, ::-2]), array[::-1, ::-2])
    same(from_numpy(array[:, 1:1]), array[:, 1:1])
    same(from_numpy(array.astype(array.dtype.newbyteorder())), array)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("float16", "float32"),
        ("int8", "int32"),
        ("int16", "int32"),
        ("uint16", "int32"),
        ("uint32", "int64"),
        ("uint64", "int64"),
    ],
)
def test_other_dtypes_convert(source, target):
    array = np.array([1, 2, 100]).astype(source)
    same(Tensor(array), array.astype(target), target)


def test_sharing():
    array = np.zeros(3)
    shared, copied = from_numpy(array), Tensor(array)
    array[0] = 7
    assert shared.tolist() == [7, 0, 0]
    assert copied.tolist() == [0, 0, 0]
    view = shared.numpy()
    assert np.shares_memory(view, array)
    assert not view.flags.writeable


def test_borrowed_memory_outlives_its_owner():
    tensor = from_numpy(np.arange(1000.0))
    rows = tensor.reshape(10, 100)[3]
    del tensor
    same(rows, np.arange(300.0, 400.0))


def test_misaligned():
    raw = np.zeros(17, np.uint8)
    array = raw[1:].view(np.float64)
    array[:] = [1, 2]
    same(from_numpy(array), [1.0, 2.0], "float64")
    record = np.zeros(3, dtype=[("a", "u1"), ("b", "f8")])
    record["b"] = [1, 2, 3]
    same(from_numpy(record["b"]), [1.0, 2.0, 3.0], "float64")


def test_read_only_and_other_exporters():
    array = np.arange(3.0)
    array.flags.writeable = False
    same(from_numpy(array), array)
    same(from_numpy(bytearray(b"ab")), np.array([97, 98], np.uint8))
    same(from_numpy(memoryview(array)), array)


@pytest.mark.parametrize(
    "data",
    [None, "abc", b"abc", {}, {1}, [[1, 2], [3]], [1, "a"], 1j, np.array(["a"]), object(), [None]],
)
def test_refuses(data):
    with pytest.raises(ArgumentError, match="argument 'data'"):
        Tensor(data)


def test_refuses_large_unsigned():
    with pytest.raises(ArgumentError, match=r"2\*\*63"):
        Tensor(np.array([2**63], np.uint64))


@pytest.mark.parametrize("dtype", ["float16", "complex64", "x", np.int8, object])
def test_refuses_dtype(dtype):
    with pytest.raises(ArgumentError, match="argument 'dtype'"):
        Tensor([1.0], dtype)


@pytest.mark.parametrize("dtype", [*DTYPES, float, int, bool, np.float32, np.dtype("int32")])
def test_dtype_argument(dtype):
    same(Tensor([0.0, 1.0], dtype), np.array([0, 1], dtype))
    same(Tensor(np.array([0.0, 1.0]), dtype), np.array([0, 1], dtype))
    same(as_tensor(1, dtype), np.array(1, dtype))


def test_too_many_axes():
    with pytest.raises(ArgumentError):
        Tensor(np.zeros((1,) * 9))


# ---- elements ------------------------------------------------------------------------------------


def test_properties():
    x = Tensor(np.zeros((2, 3), np.float32))
    assert (x.shape, x.ndim, x.size, x.nbytes, len(x)) == ((2, 3), 2, 6, 24, 2)
    assert x.T.shape == (3, 2)
    assert x.dtype is np.dtype("float32")
    with pytest.raises(TypeError):
        len(Tensor(1.0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_scalars(dtype):
    x = Tensor(1, dtype)
    assert x.item() == 1
    assert type(x.item()) is type(np.array(1, dtype).item())
    assert x.tolist() == 1
    assert (float(x), int(x), bool(x)) == (1.0, 1, True)
    with pytest.raises(ValueError, match="one element"):
        Tensor([1, 2], dtype).item()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1, 2], dtype))


def test_index_protocol():
    assert [10, 20, 30][Tensor(2)] == 30
    with pytest.raises(TypeError):
        [10][Tensor(0.0)]


def test_buffers_out():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert memoryview(x).readonly
    assert memoryview(x).strides == (24, 8)
    assert bytes(memoryview(x)) == np.arange(6.0).tobytes()
    assert np.asarray(x.T).strides == (8, 24)
    with pytest.raises(BufferError):
        np.frombuffer(x.T)
    assert np.array(x).flags.writeable
    assert np.asarray(x, np.float32).dtype == np.float32


def test_repr():
    assert repr(Tensor([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32)"
    assert repr(Tensor(1)) == "Tensor(1, dtype=int64)"
    assert repr(Tensor(np.zeros((0, 2)))) == "Tensor([], shape=(0, 2), dtype=float64)"
    assert len(repr(Tensor(np.zeros(10**6)))) < 200


@pytest.mark.parametrize("dtype", DTYPES)
def test_pickles(dtype):
    x = Tensor(np.array([[0, 1, 2], [1, 0, 1]]).astype(dtype))[:, ::-1]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        same(pickle.loads(pickle.dumps(x, protocol)), x.numpy())
    buffers = []
    data = pickle.dumps(x, 5, buffer_callback=buffers.append)
    same(pickle.loads(data, buffers=buffers), x.numpy())
    for y in (copy.copy(x), copy.deepcopy([x])[0], copy.deepcopy(Tensor(1, dtype))):
        assert y.dtype == dtype
    with pytest.raises(TypeError, match="pickle would cut"):
        fg.grad(lambda t: (pickle.dumps(t), t)[1])(1.0)


def test_other_processes_get_tensors():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        same(pool.apply(operator.mul, (Tensor([1.0, 2.0]), 3)), np.array([3, 6], "f"))


# ---- DLPack --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_with_numpy(dtype):
    x = np.array([[0, 1, 2], [1, 0, 1]]).astype(dtype)
    for array in (x, x.T, x[::-1, ::-2], x[:, 1:1], x[0, 0, ...]):
        given = Tensor(array)
        back = np.from_dlpack(given)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, array)
        assert not back.flags.writeable
        assert not array.size or np.shares_memory(back, given.numpy())
        taken = fg.from_dlpack(array)
        same(taken, array)
        assert not array.size or np.shares_memory(taken.numpy(), array)
        assert np.from_dlpack(given, copy=True).flags.writeable
        same(fg.from_dlpack(taken), array)
    same(fg.from_dlpack(x, copy=True, device="cpu"), x)
    assert not np.shares_memory(fg.from_dlpack(x, copy=True).numpy(), x)


def test_dlpack_memory_lives_as_long_as_it_is_used():
    seen = []

    class Owner(np.ndarray):
        def __del__(self):
            seen.append("freed")

    owner = np.arange(1000.0).view(Owner)
    rows = fg.from_dlpack(owner).reshape(10, 100)[3]
    del owner
    gc.collect()
    assert not seen
    same(rows, np.arange(300.0, 400.0))
    del rows
    gc.collect()
    assert seen == ["freed"]
    back = np.from_dlpack(Tensor(np.arange(1000.0)))
    gc.collect()
    np.testing.assert_array_equal(back, np.arange(1000.0))
    Tensor([1.0]).__dlpack__()  # a capsule that nobody takes


def test_dlpack_of_older_and_stranger_arrays():
    x = Tensor([1.0, 2.0])
    assert x.__dlpack_device__() == (1, 0)
    assert '"dltensor"' in repr(x.__dlpack__())
    assert '"dltensor_versioned"' in repr(x.__dlpack__(max_version=(1, 1)))
    for options, error in (
        ({"copy": False}, BufferError),
        ({"dl_device": (2, 0)}, BufferError),
        ({"stream": 1}, ArgumentError),
    ):
        with pytest.raises(error):
            x.__dlpack__(**options)
    with pytest.raises(BufferError, match="gradient"):
        fg.grad(lambda t: (np.from_dlpack(t), t)[1])(1.0)

    class Old:
        """From before version 1, and somewhere."""

        def __init__(self, array, device=(1, 0)):
            self.array, self.device = array, device

        def __dlpack__(self, stream=None):
            return self.array.__dlpack__()

        def __dlpack_device__(self):
            return self.device

    array = np.arange(4.0)
    same(fg.from_dlpack(Old(array)), array)
    same(fg.from_dlpack(Old(x)), np.array([1, 2], "f"))  # a copy, which its owner may write
    with pytest.raises(BufferError, match="on device"):
        fg.from_dlpack(Old(array, (2, 0)))
    same(fg.from_dlpack(np.arange(3, dtype=np.int16)), np.arange(3, dtype=np.int32))
    with pytest.raises(BufferError, match="copy"):
        fg.from_dlpack(np.arange(3, dtype=np.int16), copy=False)
    with pytest.raises(ArgumentError, match="real numbers"):
        fg.from_dlpack(np.array([1j]))
    with pytest.raises(ArgumentError, match="__dlpack__"):
        fg.from_dlpack([1.0])
    with pytest.raises(ArgumentError, match="device"):
        fg.from_dlpack(array, device="cuda")


@pytest.mark.peers
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_dlpack_with_peers(library):
    peer = pytest.importorskip(library)
    x = Tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
    module = peer if library == "torch" else pytest.importorskip("jax.dlpack")
    there = module.from_dlpack(x)
    np.testing.assert_array_equal(np.asarray(there), x.numpy())
    same(fg.from_dlpack(there), x.numpy())
    if library == "torch":  # memory is shared, both ways
        tensor = peer.arange(4.0)
        shared = fg.from_dlpack(tensor)
        tensor[0] = 7.0
        assert shared.tolist() == [7, 1, 2, 3]


def test_copies():
    x = Tensor(np.arange(6.0).reshape(2, 3))[:, ::-1]
    for y in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        same(y, x.numpy())


def test_hash_and_identity():
    x = Tensor([1.0])
    assert len({x, x, Tensor([1.0])}) == 2
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True


def test_autograd_habits_are_answered():
    x = Tensor([1.0])
    for name in ("backward", "requires_grad", "grad"):
        with pytest.raises(AttributeError, match=r"value_and_grad"):
            getattr(x, name)
    with pytest.raises(AttributeError, match="no attribute 'xyz'"):
        _ = x.xyz


def test_iteration_and_membership():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3.0 in x
    assert 5.0 not in x


def test_assignment_is_refused():
    with pytest.raises(TypeError, match=r"at\[key\]"):
        Tensor([1.0])[0] = 2.0
    with pytest.raises(NotImplementedError):
        del Tensor([1.0])[0]


# ---- operators and promotion ---------------------------------------------------------------------

NUMBER_DTYPES = ["float32", "float64", "int32", "int64"]
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.quick
@pytest.mark.parametrize("right", NUMBER_DTYPES)
@pytest.mark.parametrize("left", NUMBER_DTYPES)
@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS)
def test_binary(op, left, right):
    a = np.array([[1, 2, 3]], left)
    b = np.array([[4], [2]], right)
    same(op(Tensor(a), Tensor(b)), op(a, b))
    same(op(Tensor(a), b), op(a, b))
    same(op(a, Tensor(b)), op(a, b))


@pytest.mark.parametrize("scalar", [2, 2.5, True])
@pytest.mark.parametrize("dtype", NUMBER_DTYPES)
@pytest.mark.parametrize("op", [*ARITHMETIC, operator.eq, operator.lt])
def test_python_numbers_are_weak(op, dtype, scalar):
    a = np.array([1, 2, 3], dtype)
    same(op(Tensor(a), scalar), op(a, scalar))
    same(op(scalar, Tensor(a)), op(scalar, a))


def test_numpy_scalars_are_not_weak():
    x = Tensor([1.0, 2.0])
    assert (x * np.float64(2)).dtype == np.float64
    assert (np.float64(2) * x).dtype == np.float64
    assert isinstance(np.float64(2) * x, Tensor)


def test_power():
    x = np.array([1.0, 2.0, 3.0])
    same(Tensor(x) ** 2, x**2)
    np.testing.assert_allclose((Tensor(x) ** 0.5).numpy(), x**0.5, rtol=1e-15)
    np.testing.assert_allclose((2.0 ** Tensor(x)).numpy(), 2.0**x, rtol=1e-15)


def test_unary_and_logic():
    x = np.array([-1.5, 0.0, 2.0])
    same(-Tensor(x), -x)
    same(+Tensor(x), x)
    same(abs(Tensor(x)), abs(x))
    mask = Tensor(x) > 0
    same(~mask, ~(x > 0))
    same(mask & (Tensor(x) < 1), (x > 0) & (x < 1))
    same(mask | True, [True] * 3)
    for operation in (operator.and_, operator.or_, operator.xor):
        for left, right in ((mask, x < 1), (x > 0, Tensor(x) < 1), (mask, True), (False, mask)):
            want = operation(np.asarray(left), np.asarray(right))
            same(operation(left, right), want)
    with pytest.raises(TypeError, match="booleans"):
        Tensor(x) & mask
    with pytest.raises(TypeError, match="bool"):
        ~Tensor(x)


def test_overflowing_python_integer():
    with pytest.raises(OverflowError):
        Tensor([1], "int32") + 2**40


def test_matmul():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    same(Tensor(a) @ Tensor(b), a @ b)
    same(a @ Tensor(b), a @ b)
    same(Tensor(a) @ b[:, 0], a @ b[:, 0])
    with pytest.raises(ArgumentError):
        Tensor(a) @ Tensor(a)


def test_operators_refuse_strangers():
    for stranger in (None, "a", {}):
        with pytest.raises(TypeError):
            Tensor([1.0]) + stranger
        with pytest.raises(TypeError):
            stranger * Tensor([1.0])


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ArgumentError, match=r"add\(\): argument"):
        Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0])


def test_sum_of_small_integers_is_int64():
    for dtype in ("bool", "uint8", "int32"):
        same(Tensor(np.array([1, 1, 1], dtype)).sum(), np.int64(3))
    same((Tensor([1.0, 2.0]) == 1).sum(), np.int64(1))
    assert Tensor([1, 2]).mean().item() == 1.5


def test_comparisons_with_arrays_on_the_left():
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    for operation in COMPARISONS:
        same(operation(x, Tensor(y)), operation(x, y))
        same(operation(np.float64(2), Tensor(x)), operation(2.0, x))


@pytest.mark.parametrize("dtype", NUMBER_DTYPES)
def test_floor_division(dtype):
    x, y = np.array([7, -7, 8], dtype), np.array([2, 2, -3], dtype)
    for operation in (operator.floordiv, operator.mod, divmod):
        for left, right in ((Tensor(x), y), (x, Tensor(y)), (Tensor(x), 2), (7, Tensor(y))):
            plain = operation(*(z.numpy() if type(z) is Tensor else z for z in (left, right)))
            got = operation(left, right)
            pairs = zip(got, plain, strict=True) if operation is divmod else [(got, plain)]
            for g, want in pairs:
                same(g, want)


METHODS = {
    "sum": [((1, None, None, True), {}), ((), {"axis": 0, "dtype": "f4"})],
    "mean": [((), {"dtype": np.float32}), ((0,), {})],
    "var": [((1,), {"ddof": 1}), ((), {"keepdims": True})],
    "std": [((1, None, None, 1), {})],
    "max": [((1, None, True), {})],
    "min": [((), {"axis": (0, 2)})],
    "argmax": [((1,), {"keepdims": True})],
    "argmin": [((), {}), ((2,), {})],
    "prod": [((1,), {})],
    "any": [((1,), {})],
    "all": [((), {"axis": 0, "keepdims": True})],
    "cumsum": [((1,), {}), ((), {})],
    "cumprod": [((1,), {})],
    "argsort": [((1,), {}), ((), {})],
    "reshape": [((3, -1), {"order": "F"}), (((-1, 2),), {"order": "F"}), ((24,), {"order": "A"})],
    "ravel": [((), {}), (("F",), {})],
    "flatten": [((), {"order": "F"})],
    "transpose": [((None,), {}), ((2, 0, 1), {})],
    "swapaxes": [((0, -1), {})],
    "squeeze": [((), {})],
    "astype": [(("i4",), {}), ((np.float32,), {"copy": False})],
    "clip": [((2.0, 5.0), {}), ((), {"min": 3.0})],
    "round": [((1,), {})],
    "take": [(([0, 2], 1), {}), (([5, 7],), {})],
    "repeat": [((2,), {"axis": 1})],
    "diagonal": [((1,), {})],
    "trace": [((), {})],
    "copy": [((), {})],
    "conj": [((), {})],
    "item": [((0, 1, 2), {}), ((5,), {})],
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_have_the_arguments_of_numpys(name):
    x = np.random.default_rng(1).permutation(24).reshape(2, 3, 4) / 3.0 - 2.0
    for args, options in METHODS[name]:
        method = getattr(x > 0 if name in ("any", "all") else x, name)
        want = method(*args, **options)
        got = getattr(Tensor(x > 0 if name in ("any", "all") else x), name)(*args, **options)
        if name == "item":
            assert got == want
            continue
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-6 if want.dtype == "f4" else 1e-14)


def test_methods_refuse():
    x = Tensor(np.zeros((2, 3)))
    for call, argument in (
        (lambda: x.sum(out=np.zeros(())), "out"),
        (lambda: x.reshape(3, 2, order="Z"), "order"),
        (lambda: x.swapaxes(0, 2), "axis2"),
        (lambda: x.mean(dtype="complex64"), "dtype"),
    ):
        with pytest.raises(ArgumentError, match=f"argument '{argument}'"):
            call()
    with pytest.raises(TypeError, match="cast of kind 'safe'"):
        x.astype("i4", casting="safe")
    with pytest.raises(ValueError, match="2 axes"):
        _ = x[0].mT
    same(x.mT, np.zeros((3, 2)))
    same(x.dot(np.ones((3, 4))), np.zeros((2, 4)))
    with pytest.raises(TypeError, match=r"complex\(float"):
        complex(x[0, 0])


def test_copy_and_detach():
    x = np.arange(3.0)
    shared = from_numpy(x)
    copied = shared.copy()
    x[0] = 5.0
    assert copied.tolist() == [0, 1, 2]
    for transform in (fg.grad, lambda f: fg.jit(fg.grad(f))):
        gradient = transform(lambda t: (t.copy() * t.detach()).sum())(np.array([2.0, 3.0]))
        same(gradient, [2.0, 3.0])
    assert fg.grad(lambda t: (t.sum(), t.detach().numpy()), has_aux=True)(x)[1].tolist() == [
        5,
        1,
        2,
    ]


def test_methods():
    x = np.arange(24.0).reshape(2, 3, 4)
    t = Tensor(x)
    same(t.sum(), x.sum())
    same(t.sum(axis=(0, -1), keepdims=True), x.sum(axis=(0, -1), keepdims=True))
    same(t.mean(1), x.mean(1))
    same(t.max(axis=0), x.max(axis=0))
    same(t.min(), x.min())
    same(t.argmax(-1), x.argmax(-1))
    same(t.argmax(), np.int64(x.argmax()))
    same(t.reshape(4, -1), x.reshape(4, -1))
    same(t.reshape((6, 4)), x.reshape(6, 4))
    same(t.reshape([-1]), x.reshape(-1))
    same(t.transpose(), x.transpose())
    same(t.transpose(1, 0, 2), x.transpose(1, 0, 2))
    same(t.transpose((1, 0, 2)), x.transpose(1, 0, 2))
    same(t.astype("int32"), x.astype("int32"))
    for shape in ((5, -1), (-1, -1), (7,), (-2,)):
        with pytest.raises(ArgumentError):
            t.reshape(shape)


# ---- apply and the table -------------------------------------------------------------------------


def test_apply_refuses():
    with pytest.raises(ArgumentError, match="'name'"):
        _tensor.apply("no_such_op", [1.0])
    with pytest.raises(ArgumentError, match="'inputs'"):
        _tensor.apply("add", [1.0])
    with pytest.raises(ArgumentError, match="'activation'"):
        ops.dense([[1.0]], [[1.0]], activation="swish")
    with pytest.raises(TypeError):
        _tensor.apply("add", [1.0, 2.0], no_such_attribute=1)


def test_every_public_op_has_a_function():
    for row in _core.op_table():
        name = row["name"]
        internal = bool({"gradient", "opaque"} & {*row["traits"]}) or name.endswith(
            ("_grad", "_update", "_step_size")
        )
        assert internal != (name in ops.__all__ or name in ops.linalg.__all__), name


def test_uninitialised_is_no_crash():
    x = Tensor.__new__(Tensor)
    for use in (lambda: x + 1, lambda: x + x, x.numpy, x.item, lambda: -x):
        with pytest.raises(TypeError, match="never initialised"):
            use()
    assert "uninitialised" in repr(x)
    graph = _core.Graph()
    for use in (
        lambda: _tensor.copy_into(x, x),
        lambda: _tensor.copy_into(Tensor(1.0), x),
        lambda: graph.output(x, "y"),
        lambda: fg.grad(lambda y: y * x)(1.0),
        lambda: fg.grad(lambda y: y)(x),
    ):
        with pytest.raises(TypeError, match="never initialised"):
            use()


def test_elements_never_change():
    x = Tensor(np.arange(1000.0))
    seen = x.numpy()
    with pytest.raises(TypeError, match="never change"):
        x.__init__([1.0])
    assert seen.sum() == 499500
    with pytest.raises(TypeError, match="other libraries"):
        _tensor.copy_into(
            _tensor.from_numpy(np.frombuffer(bytes(8), np.float32)), Tensor([1.0, 2.0])
        )


def test_lists_that_iterate_as_they_like():
    class Liar(list):
        def __iter__(self):
            return iter([1.0] * self.many)

    for many in (0, 1, 100_000):
        liar = Liar([1.0, 2.0])
        liar.many = many
        with pytest.raises(ArgumentError, match=f"2 items, got {many} items"):
            Tensor(liar)


def test_booleans_are_zero_or_one():
    """Any byte but 0 is true, also where NumPy was made to hold another one than 1."""
    for layout in (lambda b: b, np.asfortranarray, lambda b: b[:, ::-1]):
        bits = layout(np.array([[0, 1, 2], [255, 0, 4]], np.uint8).view(bool))
        truth = np.not_equal(np.ascontiguousarray(bits).view(np.uint8), 0)
        for x in (Tensor(bits), _tensor.from_numpy(bits)):
            assert np.array_equal(x.numpy().view(np.uint8), truth.astype(np.uint8))
            assert ops.sum(x).item() == truth.sum()
            same(ops.cast(x, "float32"), truth.astype(np.float32))
            same(ops.equal(x, True), truth)
    clean = np.array([True, False, True])
    assert np.shares_memory(_tensor.from_numpy(clean[::2]).numpy(), clean)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_casts_and_assignments_convert_alike(dtype):
    """int32 and int64 hold their least value for what they cannot hold; uint8 the low bits."""
    x = np.array(
        [np.nan, np.inf, -np.inf, 3e9, -3e9, 2.0**40, 256.0, 257.9, -7.0, -0.5, 1.9], dtype
    )
    least32, least64 = -(2**31), -(2**63)
    want = {
        "int32": [least32] * 6 + [256, 257, -7, 0, 1],
        "int64": [least64] * 3 + [3_000_000_000, -3_000_000_000, 2**40, 256, 257, -7, 0, 1],
        "uint8": [0, 0, 0, 3_000_000_000 % 256, -3_000_000_000 % 256, 0, 0, 1, 249, 0, 1],
        "bool": [True] * 11,
    }
    if dtype == "float32":  # what the literals round to
        want["int64"][3:5] = [int(x[3]), int(x[4])]
        want["uint8"][3:5] = [int(x[3]) % 256, int(x[4]) % 256]
    for target, expected in want.items():
        assert ops.cast(x, target).tolist() == expected
        assert ops.cast(x[::-1], target).tolist() == expected[::-1]
        v = fg.Variable(np.zeros(11), dtype=target)
        v.assign(x)
        assert v.numpy().tolist() == expected


@pytest.mark.parametrize("stop", [1e300, 1e18, 2**70])
def test_arange_of_more_than_there_is_memory(stop):
    with pytest.raises(MemoryError):
        ops.arange(0, stop)


@pytest.mark.parametrize(
    ("shape", "error"),
    [((-3,), ArgumentError), ((2**40, 2**40), MemoryError), ((2**31, 2**31), MemoryError)],
)
def test_broadcast_to_impossible_shapes(shape, error):
    x = Tensor(1.0)  # float32: the bytes, too, must be a number
    for f in (lambda x: ops.broadcast_to(x, shape), lambda x: ops.broadcast_to(x, shape) + x):
        with pytest.raises(error):
            f(x)
        with pytest.raises(error):
            fg.jit(f)(x)


# ---- Variable ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
def test_variable(order):
    start = np.arange(6, dtype=np.float32).reshape(2, 3)
    v = fg.Variable(start, name="kernel", order=order)
    before = v.value
    assert np.asarray(before).flags[f"{order}_CONTIGUOUS"]
    same(before, start)
    start[0] = 7  # a copy was made
    v.assign(v * 2)
    assert v.numpy().tolist() == [[0, 2, 4], [6, 8, 10]]
    assert np.shares_memory(before.numpy(), v.value.numpy())
    v.assign(v.value[::-1])  # from its own memory
    assert v.numpy().tolist() == [[6, 8, 10], [0, 2, 4]]
    v.assign(np.zeros((2, 3), np.int64))
    assert v.dtype == np.float32
    with pytest.raises(ArgumentError, match=r"\(2, 3\) of 'kernel'"):
        v.assign(np.zeros((3, 2)))
    assert "kernel" in repr(v)
    v.numpy()[:] = 5  # a copy again
    assert v.numpy().max() == 0


def test_variable_arithmetic():
    v = fg.Variable([1.0, 2.0])
    x = np.array([3.0, 4.0], np.float32)
    for result in (v + x, x + v, v * x, x * v, Tensor(x) - v, v / 2, 2**v, v**2, -v, v @ x, v[0]):
        assert isinstance(result, Tensor)
    same(ops.exp(fg.Variable([0.0])), np.float32([1]))
    with pytest.raises(ArgumentError, match="'order'"):
        fg.Variable([1.0], order="A")


def test_errors_name_what_was_called():
    for where, argument, call in [
        ("Tensor", "data", lambda: fg.Tensor("a")),
        ("Tensor", "data", lambda: fg.Tensor(1j)),
        ("Tensor", "dtype", lambda: fg.Tensor(1.0, "float8")),
        ("Variable", "value", lambda: fg.Variable("a")),
        ("assign", "value", lambda: fg.Variable(1.0).assign("a")),
        ("at[].set", "values", lambda: fg.Tensor([1.0]).at[0].set("a")),
        ("sum", "axis", lambda: fg.Tensor([1.0]).sum(axis=0.5)),
        ("sum", "axis", lambda: ops.sum(np.ones(2), axis="x")),
        ("concatenate", "axes", lambda: ops.concatenate([np.ones(2)], axis=0.5)),
        ("sort", "axis", lambda: ops.sort(np.ones(2), axis="x")),
        ("reshape", "shape", lambda: fg.Tensor([1.0]).reshape((1, 0.5))),
        ("transpose", "axes", lambda: fg.Tensor([[1.0]]).transpose((0, None))),
        ("full", "shape", lambda: ops.full(2.5, 0.0)),
    ]:
        with pytest.raises(ArgumentError) as caught:
            call()
        assert str(caught.value).startswith((f"{where}():", f"{where}:")), caught.value
        assert caught.value.argument == argument, caught.value


def test_shapes_and_axes_are_arrays():
    x, shape = np.arange(6.0).reshape(2, 3), np.array([3, 2])
    for order in ("C", "F"):
        given = fg.Tensor(x).reshape(shape, order=order).numpy()
        assert np.array_equal(given, x.reshape(shape, order=order))
    assert fg.Tensor(x).reshape(np.int64(6)).shape == (6,)
    assert ops.zeros(shape).shape == (3, 2)
    assert ops.sum(x, axis=np.array([0, 1])) == 15


def test_a_variable_keeps_its_name():
    """A Tensor in its place would have no gradient at the next step of a loop."""
    v = fg.Variable([1.0, 2.0])
    with pytest.raises(TypeError, match="assign_sub"):
        v -= fg.Tensor([1.0, 1.0])
    with pytest.raises(TypeError, match="assign_add"):
        v += 1.0
    assert isinstance(v, fg.Variable)
    assert v.numpy().tolist() == [1, 2]
