"""Settings, seeds and random numbers."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import config, random
from fusegrad.errors import ArgumentError


@pytest.fixture
def _restored():
    yield
    config.set_floatx("float32")
    config.set_epsilon(1e-7)
    config.set_num_threads(None)


@pytest.mark.usefixtures("_restored")
def test_floatx_decides_python_floats():
    assert fg.Tensor(1.5).dtype == np.float32
    config.set_floatx("float64")
    assert config.floatx() == "float64"
    assert fg.Tensor(1.5).dtype == np.float64
    assert fg.ops.zeros(2).dtype == np.float64
    assert fg.Tensor(np.float32(1.5)).dtype == np.float32


@pytest.mark.parametrize("value", ["float16", "int32", None, np.float32])
def test_floatx_refuses(value):
    with pytest.raises(ArgumentError, match=r"set_floatx.*'value'"):
        config.set_floatx(value)


@pytest.mark.usefixtures("_restored")
def test_epsilon():
    config.set_epsilon(1e-5)
    assert config.epsilon() == 1e-5
    for value in (0, -1.0, "a", float("nan"), True):
        with pytest.raises(ArgumentError):
            config.set_epsilon(value)


@pytest.mark.usefixtures("_restored")
def test_threads():
    config.set_num_threads(2)
    assert config.get_num_threads() == fg.get_num_threads() == 2
    for value in (0, -1, 1.5, True, 100_000):
        with pytest.raises(ArgumentError):
            config.set_num_threads(value)
    assert config.get_num_threads() == 2


def test_show(capsys):
    from fusegrad import _core

    config.show()
    text = capsys.readouterr().out
    assert _core.version() in text
    assert _core.compiler() in text
    assert _core.isa() in text
    assert all(level in text for level in _core.isa_levels())


def test_uniform_is_reproducible():
    a = random.uniform((100,), -1.0, 1.0, seed=3).numpy()
    b = random.uniform((100,), -1.0, 1.0, seed=3).numpy()
    assert (a == b).all()
    assert (a != random.uniform((100,), -1.0, 1.0, seed=4).numpy()).any()
    assert (a >= -1).all()
    assert (a < 1).all()
    assert a.dtype == np.float32
    random.set_seed(1)
    first = [random.uniform((4,)).tolist() for _ in range(3)]
    random.set_seed(1)
    assert [random.uniform((4,)).tolist() for _ in range(3)] == first
    assert first[0] != first[1]


def test_uniform_is_uniform():
    x = random.uniform(100_000, dtype="float64", seed=5).numpy()
    counts, _ = np.histogram(x, bins=50, range=(0, 1))
    # 49 degrees of freedom: chi-square above 100 has probability 2e-5
    assert ((counts - 2000.0) ** 2 / 2000.0).sum() < 100


def test_seed_sequences_are_independent():
    random.set_seed(7)
    alone = [random.next_seed("a") for _ in range(3)]
    random.set_seed(7)
    mixed = []
    for _ in range(3):
        mixed.append(random.next_seed("a"))
        random.next_seed("b")
    assert mixed == alone
    assert len(set(alone)) == 3
    assert random.get_seed() == 7


def test_seeds_from_threads_are_distinct():
    random.set_seed(7)
    seeds = []

    def draw():
        seeds.extend(random.next_seed("t") for _ in range(200))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seeds)) == 800


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "a"])
def test_bad_seeds(seed):
    with pytest.raises(ArgumentError, match="'seed'"):
        random.set_seed(seed)
    with pytest.raises(ArgumentError, match="'seed'"):
        random.uniform((2,), seed=seed)


def test_bad_bounds():
    with pytest.raises(ArgumentError, match="'low'"):
        random.uniform((2,), 1.0, 0.0)
    with pytest.raises(ArgumentError, match="'dtype'"):
        random.uniform((2,), dtype="int32")


def test_unknown_instruction_set_is_one_clear_line():
    run = subprocess.run(
        [sys.executable, "-m", "fusegrad", "info"],
        env=dict(os.environ, FUSEGRAD_ISA="foo"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert "FUSEGRAD_ISA" in run.stderr
    assert "'foo'" in run.stderr
