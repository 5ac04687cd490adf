"""Runs epochs of a step over data in memory: the core's Trainer, or its equal in Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._tensor import as_tensor, from_numpy
from fusegrad.layers import Rescaling
from fusegrad.metrics.base import is_stateful
from fusegrad.models import step
from fusegrad.models.compiled import Compiled
from fusegrad.models.overridable import is_own

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_TICK_SECONDS = 0.05

Array = NDArray[Any]
Tick = Callable[[], bool]


class Data(NamedTuple):
    """Checked inputs and targets of the same number of rows."""

    x: Array
    x_dtype: str  # of the model's input
    y: Array | None = None
    y_dtype: str = ""  # of the step's targets
    sample_weight: Array | None = None  # (rows,), float64

    def part(self, rows: slice) -> Data:
        """Return some of the rows."""
        y, weight = self.y, self.sample_weight
        return Data(
            self.x[rows],
            self.x_dtype,
            None if y is None else y[rows],
            self.y_dtype,
            None if weight is None else weight[rows],
        )

    @property
    def rows(self) -> int:
        """The number of samples."""
        return int(self.x.shape[0])


class Runner(Protocol):
    """What the loops over epochs need."""

    @property
    def num_batches(self) -> int:
        """Batches in an epoch."""

    @property
    def batches_done(self) -> int:
        """Batches since the epoch began."""

    @property
    def names(self) -> list[str]:
        """The names of the results; of a step that has not run yet there may be none."""

    def begin_epoch(self, epoch: int) -> None:
        """Start an epoch: a new order of the rows, sums zero."""

    def run(self, max_batches: int, tick: Tick | None) -> None:
        """Run further batches, all that are left when negative."""

    def results(self) -> list[Any]:
        """The loss and the metrics so far."""

    def rows(self) -> Array:
        """The collected outputs, in the order of the data."""


def make_runner(
    model: Model, kind: str, data: Data, batch_size: int, shuffle: bool = False
) -> Runner:
    """Return a runner for ``"train"``, ``"test"`` or ``"predict"``."""
    compiled = model.compiled
    if compiled is not None and compiled.run_eagerly:
        return EagerRunner(model, compiled, kind, data, batch_size, shuffle)
    return NativeRunner(model, kind, data, batch_size, shuffle)


def _is_ours(metric: Any) -> bool:
    """Whether an object is of a class of this package, and has no method of its own."""
    kind = type(metric)
    own = any(callable(getattr(kind, name, None)) for name in vars(metric))
    return kind.__module__.startswith("fusegrad.") and not own


class NativeRunner:
    """Epochs in C++ without the GIL."""

    def __init__(self, model: Model, kind: str, data: Data, batch_size: int, shuffle: bool) -> None:
        rows, x_shape = data.rows, data.x.shape[1:]
        size = min(batch_size, rows)
        scale, offset, scaled = 1.0, 0.0, False
        first = None
        if data.x.dtype.char == "B" and not is_own(model, kind):  # uint8
            first = model.first_layer()
        if type(first) is Rescaling and first.activity_regularizer is None:
            scale, offset, scaled = first.scale, first.offset, True
        sources = [(from_numpy(data.x), scale, offset)]
        y_shape: tuple[int, ...] = ()
        if data.y is not None:
            y_shape = data.y.shape[1:]
            sources.append((from_numpy(data.y), 1.0, 0.0))
        weighted = data.sample_weight is not None
        if data.sample_weight is not None:
            sources.append((from_numpy(data.sample_weight), 1.0, 0.0))

        batch = step.Batch(size, x_shape, data.x_dtype, y_shape, data.y_dtype, weighted, scaled)
        self._step = model.programs.get(model, kind, batch)
        last, rest = None, rows % size
        if rest:
            last = model.programs.get(model, kind, batch._replace(rows=rest)).program
        results = self._step.results
        self._trainer = _core.Trainer(
            self._step.program,
            last,
            sources,
            len(sources) if self._step.takes_position else -1,
            ["collect"] if results is None else results.kinds,
            size,
            shuffle,
            model.seed,
        )

    @property
    def names(self) -> list[str]:
        """The names of the results."""
        return [] if self._step.results is None else list(self._step.results.names)

    @property
    def num_batches(self) -> int:
        """Batches in an epoch."""
        return self._trainer.num_batches

    @property
    def batches_done(self) -> int:
        """Batches since the epoch began."""
        return self._trainer.batches_done

    def begin_epoch(self, epoch: int) -> None:
        """Start an epoch: a new order of the rows, sums zero."""
        self._trainer.begin_epoch(epoch)
        if self._step.results is not None:
            self._step.results.reset()

    def run(self, max_batches: int, tick: Tick | None) -> None:
        """Run further batches, all that are left when negative."""
        self._trainer.run(max_batches, tick)

    def run_epochs(
        self, first: int, count: int, tick: Tick | None, finished: list[list[Any]]
    ) -> None:
        """Run epochs from number `first` on; append the totals of each, for `results_of`.

        They are fewer than `count` where the clock called for the tick. Where one raises, those
        before it have been appended.
        """
        self._trainer.run_epochs(first, count, tick, finished)

    def runs_ours_only(self) -> bool:
        """Whether no Python but this package's is called to give the results of an epoch."""
        results = self._step.results
        return isinstance(results, step.Results) and all(map(_is_ours, results.metrics))

    def results(self) -> list[Any]:
        """The loss and the metrics so far."""
        return self.results_of(self._trainer.totals())

    def results_of(self, totals: list[Any]) -> list[Any]:
        """The loss and the metrics of an epoch."""
        results = self._step.results
        return [] if results is None else results.of(totals)

    def rows(self) -> Array:
        """The collected outputs, in the order of the data."""
        return np.array(self._trainer.result(0).numpy())


class EagerRunner:
    """The same in Python, op by op: ``run_eagerly=True``."""

    def __init__(
        self,
        model: Model,
        compiled: Compiled,
        kind: str,
        data: Data,
        batch_size: int,
        shuffle: bool,
    ) -> None:
        self._model, self._compiled, self._kind, self._data = model, compiled, kind, data
        self._size = min(batch_size, data.rows)
        self._shuffle = shuffle
        self._epoch = 0
        self._done = 0
        self._order: Array | None = None
        self._results: step.Results | step.Returned | None = None
        self._totals: list[Any] = []
        self._rows: list[Array] = []

    @property
    def names(self) -> list[str]:
        """The names of the results, once a batch has run."""
        return [] if self._results is None else list(self._results.names)

    @property
    def num_batches(self) -> int:
        """Batches in an epoch."""
        return -(-self._data.rows // self._size)

    @property
    def batches_done(self) -> int:
        """Batches since the epoch began."""
        return self._done

    def begin_epoch(self, epoch: int) -> None:
        """Start an epoch: a new order of the rows, sums zero."""
        self._epoch, self._done = epoch, 0
        self._totals, self._rows = [], []
        if is_own(self._model, self._kind) and self._kind != "predict":
            self._model.reset_metrics()
        for entry in self._compiled.metrics:
            if entry.metric is not None and is_stateful(entry.metric):
                entry.metric.reset_state()
        if self._shuffle:
            order = _core.permutation(self._data.rows, self._model.seed, epoch)
            self._order = np.asarray(order.numpy())

    def run(self, max_batches: int, tick: Tick | None) -> None:
        """Run further batches, all that are left when negative."""
        stop = self.num_batches if max_batches < 0 else self._done + max_batches
        before = time.monotonic()
        while self._done < min(stop, self.num_batches):
            self._run_batch()
            if tick is not None and time.monotonic() - before >= _TICK_SECONDS:
                before = time.monotonic()
                if tick():
                    return

    def results(self) -> list[Any]:
        """The loss and the metrics so far."""
        return [] if self._results is None else self._results.of(self._totals)

    def rows(self) -> Array:
        """The collected outputs, in the order of the data."""
        return np.concatenate(self._rows)

    def _run_batch(self) -> None:
        first = self._done * self._size
        place: Any = slice(first, first + self._size)
        if self._order is not None:
            place = self._order[place]
        data = self._data
        x = as_tensor(np.ascontiguousarray(data.x[place]), data.x_dtype)
        own = is_own(self._model, self._kind)
        if self._kind == "predict":
            self._rows.append(np.array(step.eager_predict(self._model, x).numpy()))
        else:
            weight = None
            if data.sample_weight is not None:
                weight = as_tensor(
                    np.ascontiguousarray(data.sample_weight[place]), data.x_dtype if own else None
                )
            y = None
            if data.y is not None:
                y = as_tensor(np.ascontiguousarray(data.y[place]), data.y_dtype)
            inputs = step.Inputs(x, y, weight)
            position = as_tensor(np.array([self._epoch, first], np.int64))
            done: tuple[step.Results | step.Returned, list[Any]]
            if own:
                done = step.eager_own(self._model, self._kind, inputs, position)
            elif self._kind == "train":
                done = step.eager_train(self._model, self._compiled, inputs, position)
            else:
                done = step.eager_test(self._model, self._compiled, inputs)
            self._results, totals = done
            self._totals = self._results.added(self._totals, totals)
        self._done += 1
