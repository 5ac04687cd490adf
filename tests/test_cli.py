"""The command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import cli


def test_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--epochs", "40", "--seed", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "digit  precision  recall  f1-score  support" in out
    accuracy = float(out.split("accuracy ")[-1].split()[0])
    assert accuracy > 0.94
    assert "read as" in out
    assert not set(out) & set("\r\x1b")


def test_demo_is_repeatable(capsys: pytest.CaptureFixture[str]) -> None:
    texts = set()
    for _ in range(2):
        assert cli.main(["demo", "--epochs", "5", "--quiet"]) == 0
        texts.add(capsys.readouterr().out)
    assert len(texts) == 1
    assert texts.pop().startswith("accuracy 0.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_demo_saves_weights(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    assert cli.main(["demo", "--epochs", "1", "--quiet", "--save", str(path)]) == 0
    if suffix == ".npz":
        arrays = dict(np.load(path))
    else:
        from safetensors.numpy import load_file

        arrays = load_file(path)
        assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert [array.shape for array in arrays.values()].count((64, 25)) == 1
    assert len(arrays) == 6
    assert all(name.startswith("digits/") for name in arrays)


def test_demo_draws_the_curve(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    assert cli.main(["demo", "--epochs", "2", "--quiet", "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_missing_matplotlib(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert cli.main(["demo", "--plot", "curve.png"]) == 1
    assert capsys.readouterr().err == (
        "fusegrad: error: --plot needs matplotlib: pip install 'fusegrad[plot]'\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [["--save", "weights.h5"], ["--save", "/nowhere/w.npz"], ["--plot", "curve.pdf"]],
)
def test_bad_targets(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fusegrad: error: {arguments[0]}: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["train"], ["demo", "--epochs", "0"], ["demo", "--epochs", "x"], ["demo", "--seed", "-1"]],
)
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: fusegrad" in capsys.readouterr().err


def test_version_and_info(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"fusegrad {fg.__version__}\n"
    assert cli.main(["info"]) == 0
    assert "threads" in capsys.readouterr().out


def test_module_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fusegrad", "info"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("fusegrad ")


def test_reader_that_stops() -> None:
    command = f"{sys.executable} -m fusegrad demo --epochs 3 | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_pictures_fit_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert cli.main(["demo", "--epochs", "2"]) == 0
    pictures = capsys.readouterr().out.split("among them:")[1]
    assert max(map(len, pictures.splitlines())) <= 60
    assert pictures.count(" read as ") == 3


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def press(arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_info", press)
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "fusegrad: interrupted\n"
