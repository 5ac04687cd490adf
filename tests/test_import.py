"""What `import fusegrad` costs, and the names that it offers."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import fusegrad


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.quick
def test_import_is_lazy():
    # -S: without the import hooks of other packages, among them that of an editable install.
    code = textwrap.dedent("""
        import sys
        before = set(sys.modules)
        import fusegrad
        print(sorted(set(sys.modules) - before - {"__future__"}))
    """)
    where = str(Path(fusegrad.__file__).parent.parent)
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": where},
    )
    assert result.stdout.strip() == "['fusegrad']", result.stderr


@pytest.mark.parametrize("name", sorted(set(fusegrad.__all__)))
def test_public_names_are_attributes(name):
    assert getattr(fusegrad, name) is not None
    assert name in dir(fusegrad)


def test_keras_habits():
    from fusegrad import keras
    from fusegrad.layers import Dense

    assert keras is fusegrad
    assert keras.layers.Dense is Dense


def test_misspelt_name():
    with pytest.raises(
        AttributeError, match=r"no attribute 'Sequental'; did you mean 'Sequential'"
    ):
        fusegrad.Sequental  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'xyzzy'$"):
        fusegrad.xyzzy  # noqa: B018


def test_version_is_one():
    from fusegrad import _core

    assert fusegrad.__version__ == _core.version()


def test_bad_isa_stops_at_first_use():
    result = run("import fusegrad; fusegrad.ops.ones(1)", FUSEGRAD_ISA="mmx")
    assert result.returncode != 0
    assert "FUSEGRAD_ISA" in result.stderr
    assert "mmx" in result.stderr
    assert run("import fusegrad", FUSEGRAD_ISA="mmx").returncode == 0


def test_missing_native_module_says_how_to_build():
    result = run("""
        import sys
        sys.modules["fusegrad._tensor"] = None
        import fusegrad
        fusegrad.grad
    """)
    assert "pip install ." in result.stderr


def test_ops_search_for_no_spelling():
    result = run("import numpy, sys; import fusegrad.ops; print('difflib' in sys.modules)")
    assert result.stdout == "False\n", result.stderr


def test_names_of_other_libraries():
    for name, hint in {
        "tensor": "write fusegrad.Tensor",
        "no_grad": "nothing is recorded outside of grad",
        "optim": "fusegrad.optimizers",
        "manual_seed": "set_random_seed",
    }.items():
        with pytest.raises(AttributeError, match=hint):
            getattr(fusegrad, name)
    with pytest.raises(ImportError, match=r"write fusegrad\.Tensor"):
        from fusegrad import tensor  # noqa: F401
    x = fusegrad.Tensor([1.0])
    for name, hint in {
        "data": r"x\.numpy\(\).*x\.detach\(\)",
        "requires_grad_": r"fusegrad\.grad\(f\)\(x\)",
        "view": r"x\.reshape",
        "add_": "never change",
        "exp": r"fusegrad\.ops\.exp\(x\)",
    }.items():
        fusegrad.ops.exp  # noqa: B018 - imported, as by who has an idea of its names
        with pytest.raises(AttributeError, match=hint):
            getattr(x, name)
    with pytest.raises(AttributeError, match=r"; write fusegrad\.Tensor"):
        fusegrad.ops.array  # noqa: B018
    v = fusegrad.Variable([1.0])
    for name, hint in {"T": r"v\.value\.T$", "requires_grad": r"fusegrad\.grad\(f\)\(x\)"}.items():
        with pytest.raises(AttributeError, match=f"^Variable has no '{name}': .*{hint}"):
            getattr(v, name)
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute '_x'$"):
        x._x  # noqa: B018
