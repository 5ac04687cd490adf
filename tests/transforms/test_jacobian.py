"""jacobian, jacrev, jacfwd, hessian."""

import numpy as np
import pytest

import fusegrad as fg
from differences import central, network
from fusegrad import ops
from fusegrad.errors import ArgumentError


def complex_step(f, x):
    """Return the Jacobian of a NumPy function, shape y.shape + x.shape."""
    columns = []
    for i in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[i] += 1e-30j
        columns.append(np.imag(f(moved)) / 1e-30)
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


FORMS = [fg.jacobian, fg.jacrev, fg.jacfwd]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("shape", [(2,), (3, 2), ()])
def test_against_complex_step(form, shape):
    rng = np.random.default_rng(0)
    x, a = rng.normal(size=shape), rng.normal(size=(4, *shape))
    expected = complex_step(lambda x: np.exp(x) * a + np.sum(x * x), x)
    f = form(lambda x: ops.exp(x) * a + ops.sum(x * x))
    np.testing.assert_allclose(f(x), expected, rtol=1e-13, atol=1e-14)
    compiled = fg.jit(f, exact_rewrites=False)(x)
    assert compiled.numpy().tobytes() == f(x).numpy().tobytes()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_structures(form):
    def f(a, tree, scale):
        return {"u": a * tree["w"], "s": (ops.sum(tree["w"]) * scale, None)}

    a, tree = np.array([1.0, 2.0]), {"w": np.array([3.0, 4.0])}
    whole = form(f, argnums=(0, 1))(a, tree, scale=10.0)
    assert whole["u"][0].tolist() == [[3, 0], [0, 4]]
    assert whole["u"][1]["w"].tolist() == [[1, 0], [0, 2]]
    assert whole["s"][0][0].tolist() == [0, 0]
    assert whole["s"][0][1]["w"].tolist() == [10, 10]
    assert whole["s"][1] is None
    matrix, aux = form(lambda x: (x * x, "aux"), has_aux=True)(a)
    assert matrix.tolist() == [[2, 0], [0, 4]]
    assert aux == "aux"
    assert form(lambda x: ops.zeros(3))(a).shape == (3, 2)
    assert form(lambda x: x[:0])(a).shape == (0, 2)
    assert form(lambda x: x[0])(np.ones(1, np.float32)).dtype == np.float32


def test_jacobian_goes_the_shorter_way():
    calls = []

    @fg.custom_vjp
    def counted(x):
        return x * 1.0

    counted.defvjp(lambda x: (x * 1.0, None), lambda _, g: (calls.append(1) or g,))
    fg.jacobian(lambda x: ops.stack([counted(x).sum()] * 20))(np.ones(2))
    assert len(calls) == 1  # one linear map, differentiated twice
    fg.jacobian(lambda x: counted(x)[:2])(np.ones(20))
    assert len(calls) == 3  # two rows


def test_hessian_of_a_network(problem):
    parameters, x, y = problem
    loss = lambda w, b: network([(w, b), parameters[1]], x, y)  # noqa: E731
    w, b = parameters[0]
    (ww, wb), (bw, bb) = fg.hessian(loss, argnums=(0, 1))(w, b)
    assert (ww.shape, wb.shape, bw.shape, bb.shape) == (
        (4, 5, 4, 5), (4, 5, 5), (5, 4, 5), (5, 5),
    )  # fmt: skip
    np.testing.assert_allclose(np.moveaxis(bw.numpy(), 0, 2), wb, atol=1e-15)
    for i in np.ndindex(5):
        row = lambda b, i=i: fg.grad(loss, 1)(w, b)[i]  # noqa: E731
        np.testing.assert_allclose(bb[i], central(row, b), rtol=1e-6, atol=1e-8)
    tree = fg.hessian(lambda p: network([p, parameters[1]], x, y))((w, b))
    assert tree[1][0].numpy().tobytes() == bw.numpy().tobytes()
    compiled = fg.jit(fg.hessian(loss, 1), exact_rewrites=False)(w, b)
    assert compiled.numpy().tobytes() == fg.hessian(loss, 1)(w, b).numpy().tobytes()


def test_within_other_transforms():
    x = np.array([0.5, -1.0])
    f = lambda x: ops.exp(x) * x[::-1]  # noqa: E731
    size = lambda x: ops.sum(fg.jacobian(f)(x) ** 2)  # noqa: E731
    np.testing.assert_allclose(fg.grad(size)(x), central(size, x), rtol=1e-8)
    np.testing.assert_allclose(fg.jit(fg.grad(size))(x), central(size, x), rtol=1e-8)
    third = fg.jacfwd(fg.hessian(lambda x: ops.sum(x**4)))(x).numpy()
    assert np.allclose(third, np.einsum("ij,jk,i->ijk", np.eye(2), np.eye(2), 24 * x))


def test_variables_and_hessian_of_vector_functions():
    v = fg.Variable([1.0, 2.0])
    assert fg.jacobian(lambda x: x * v)(np.ones(2, np.float32)).tolist() == [[1, 0], [0, 2]]
    x = np.array([1.0, 2.0])
    h, aux = fg.hessian(lambda x: (x**3, x.shape), has_aux=True)(x)
    assert h.tolist() == [[[6, 0], [0, 0]], [[0, 0], [0, 12]]]
    assert aux == (2,)


def test_refuses():
    with pytest.raises(ArgumentError, match="argument 0, which is differentiated"):
        fg.jacobian(lambda x: x)(np.arange(3))
    with pytest.raises(ArgumentError, match="floating arrays"):
        fg.jacrev(lambda x: x > 0)(np.ones(3))
    with pytest.raises(ArgumentError, match="'fun'"):
        fg.hessian(None)
    with pytest.raises(ArgumentError, match="argnums"):
        fg.jacfwd(lambda x: x, argnums=1)(1.0)
