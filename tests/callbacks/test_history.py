"""History: what it keeps, and its curves."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad.callbacks import History
from fusegrad.errors import ArgumentError

X = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]


def recorded(epochs: int, **names: Any) -> History:
    """Return a history with ``name=f`` or ``name=(f, every)``: f of the epoch, counted from 0."""
    history = History()
    for epoch in range(epochs):
        logs = {}
        for name, entry in names.items():
            f, every = entry if isinstance(entry, tuple) else (entry, 1)
            if (epoch + 1) % every == 0:
                logs[name] = f(epoch)
        history.on_epoch_end(epoch, logs)
    return history


def test_a_new_run_forgets_the_old_one() -> None:
    model = fg.Sequential([fg.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, X, epochs=5, initial_epoch=2, verbose=0)
    assert history is model.history
    assert history.epoch == [2, 3, 4]
    assert len(history.history["loss"]) == 3
    history.on_train_begin()
    assert (history.epoch, history.history) == ([], {})


def drawn(figure: Any) -> None:
    """Place the ticks and the texts of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()


@pytest.fixture
def matplotlib() -> Any:
    return pytest.importorskip("matplotlib")


@pytest.mark.usefixtures("matplotlib")
class TestPlot:
    def test_panels_and_curves(self) -> None:
        history = recorded(
            20,
            accuracy=lambda e: e / 20,
            learning_rate=lambda e: 0.1,
            loss=lambda e: 1 / (e + 1),
            val_loss=(lambda e: 2 / (e + 1), 5),
        )
        figure = history.plot()
        loss, accuracy, rate = figure.axes
        assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "accuracy", "learning rate"]
        assert {ax.get_xlabel() for ax in figure.axes} == {"epoch"}
        training, validation = loss.lines
        np.testing.assert_array_equal(training.get_xdata(), np.arange(1, 21))
        np.testing.assert_allclose(training.get_ydata(), history.history["loss"])
        np.testing.assert_array_equal(validation.get_xdata(), [5, 10, 15, 20])
        np.testing.assert_allclose(validation.get_ydata(), history.history["val_loss"])
        assert [t.get_text() for t in loss.get_legend().get_texts()] == ["training", "validation"]
        assert len(accuracy.lines) == len(rate.lines) == 1
        assert rate.get_legend() is None
        assert {ax.get_yscale() for ax in figure.axes} == {"linear"}

    def test_after_fit(self) -> None:
        model = fg.Sequential([fg.layers.Dense(1)])
        model.compile("sgd", "mse")
        history = model.fit(
            X, X, epochs=7, initial_epoch=3, validation_data=(X, X), validation_freq=3, verbose=0
        )
        training, validation = history.plot().axes[0].lines
        assert list(training.get_xdata()) == [4, 5, 6, 7]
        assert list(validation.get_xdata()) == [6]
        assert validation.get_marker() == "o"  # a line through one point cannot be seen

    @pytest.mark.parametrize("epochs", [1, 2, 5, 40, 1000])
    def test_ticks_are_epochs(self, epochs: int) -> None:
        figure = recorded(epochs, loss=lambda e: 1 / (e + 1)).plot()
        drawn(figure)
        ax = figure.axes[0]
        low, high = ax.get_xlim()
        ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) and 1 <= tick <= epochs for tick in ticks)
        assert all(label.get_text().isdigit() for label in ax.get_xticklabels())

    def test_labels_do_not_overlap(self) -> None:
        names = ["loss", "accuracy", "a_long_name_of_a_metric_of_my_own", "learning_rate", "auc"]
        history = recorded(1000, **{name: lambda e: 1e-4 / (e + 1) for name in names})
        for log in (False, True):
            figure = history.plot(log=log)
            drawn(figure)
            texts = []
            for ax in figure.axes:
                for axis in (ax.xaxis, ax.yaxis):
                    low, high = sorted(axis.get_view_interval())
                    ticks = [t for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
                    texts += [axis.label, *[tick.label1 for tick in ticks]]
            boxes = [text.get_window_extent() for text in texts if text.get_text()]
            assert len(boxes) > 30
            for i, box in enumerate(boxes):
                assert not any(box.overlaps(other) for other in boxes[:i])

    def test_layout(self) -> None:
        for count, size in ((1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (4, (2, 2)), (5, (2, 3))):
            names = [f"metric{i}" for i in range(count)]
            figure = recorded(3, **dict.fromkeys(names, float)).plot()
            assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == size
            width, height = figure.get_size_inches()
            assert (width / size[1], height / size[0]) == pytest.approx((4.2, 3.2))

    def test_chosen_metrics(self) -> None:
        history = recorded(3, loss=float, accuracy=float, val_auc=float)
        assert [ax.get_ylabel() for ax in history.plot("accuracy").axes] == ["accuracy"]
        figure = history.plot(["auc", "loss"])
        assert [ax.get_ylabel() for ax in figure.axes] == ["auc", "loss"]
        assert figure.axes[0].lines[0].get_label() == "validation"
        for wrong in ("val_loss", ["loss", "mae"], [], 3):
            with pytest.raises(ArgumentError, match=r"'metrics': expected names among 'loss', "):
                history.plot(wrong)
        with pytest.raises(ArgumentError, match="'log'"):
            history.plot(log="yes")

    def test_log(self) -> None:
        history = recorded(30, loss=lambda e: 0.5**e, accuracy=lambda e: 0.0, rate=lambda e: np.inf)
        figure = history.plot(log=True)
        drawn(figure)
        assert [ax.get_yscale() for ax in figure.axes] == ["log", "linear", "linear"]
        assert "0.01" in {label.get_text() for label in figure.axes[0].get_yticklabels()}

    def test_vectors(self) -> None:
        history = recorded(30, precision=lambda e: [e / 30, e / 60, e / 90])
        (ax,) = history.plot().axes
        assert [line.get_ydata()[-1] for line in ax.lines] == pytest.approx(
            [29 / 30, 29 / 60, 29 / 90]
        )
        assert len(ax.get_legend().get_texts()) == 1

    def test_files(self, tmp_path: Path) -> None:
        history = recorded(3, loss=float)
        figure = history.plot(path=tmp_path / "curve.png")
        data = (tmp_path / "curve.png").read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(data[16:20], "big") == round(4.2 * 120)
        assert figure._repr_png_()[:8] == data[:8]  # what a notebook shows
        history.plot(path=str(tmp_path / "curve.svg"))
        assert b"<svg" in (tmp_path / "curve.svg").read_bytes()
        with pytest.raises(ValueError, match="xyz"):
            history.plot(path=tmp_path / "curve.xyz")
        assert len(pickle.loads(pickle.dumps(figure)).axes) == 1

    def test_pyplot_stays_as_it_is(self) -> None:
        import matplotlib.pyplot as plt

        before = plt.get_fignums(), plt.rcParams["backend"]
        recorded(3, loss=float).plot()
        assert (plt.get_fignums(), plt.rcParams["backend"]) == before

    def test_nothing_to_draw(self) -> None:
        with pytest.raises(ValueError, match="no epochs; call fit first"):
            History().plot()


def test_missing_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib: pip install 'fusegrad\[plot\]'"):
        recorded(3, loss=float).plot()


def test_logs_that_were_broken_off_are_written_again() -> None:
    class BrokenOff(dict[str, float]):
        def items(self) -> Any:
            yield "loss", 2.0
            raise KeyboardInterrupt

    history = History()
    history.on_epoch_end(0, {"loss": 1.0, "mae": 1.5})
    with pytest.raises(KeyboardInterrupt):
        history.on_epoch_end(1, BrokenOff(loss=2.0))
    history.on_epoch_end(1, {"loss": 2.0, "mae": 2.5})
    history.on_epoch_end(2, {"loss": 3.0, "mae": 3.5})
    assert history.epoch == [0, 1, 2]
    assert history.history == {"loss": [1.0, 2.0, 3.0], "mae": [1.5, 2.5, 3.5]}
