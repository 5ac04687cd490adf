"""Runs epochs of a step over data in memory: the core's Trainer, or its equal in Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._tensor import as_tensor, from_numpy
from fusegrad.layers import Rescaling
from fusegrad.models import step
from fusegrad.models.compiled import Compiled

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_TICK_SECONDS = 0.05

Array = NDArray[Any]
Tick = Callable[[], bool]


@dataclass(frozen=True)
class Data:
    """Checked inputs and targets of the same number of rows."""

    x: Array
    x_dtype: str  # of the model's input
    y: Array | None = None
    y_dtype: str = ""  # of the step's targets

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

    def begin_epoch(self, epoch: int) -> None:
        """Start an epoch: a new order of the rows, sums zero."""

    def run(self, max_batches: int, tick: Tick | None) -> None:
        """Run further batches, all that are left when negative."""

    def means(self) -> list[float]:
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


class NativeRunner:
    """Epochs in C++ without the GIL."""

    def __init__(self, model: Model, kind: str, data: Data, batch_size: int, shuffle: bool) -> None:
        size = min(batch_size, data.rows)
        scale, offset, scaled = 1.0, 0.0, False
        first = model.first_layer()
        if data.x.dtype == np.uint8 and type(first) is Rescaling:
            scale, offset, scaled = first.scale, first.offset, True
        sources = [(from_numpy(data.x), scale, offset)]
        y_shape: tuple[int, ...] = ()
        if data.y is not None:
            y_shape = tuple(data.y.shape[1:])
            sources.append((from_numpy(data.y), 1.0, 0.0))

        def program(rows: int) -> step.StepProgram:
            batch = step.Batch(
                rows, tuple(data.x.shape[1:]), data.x_dtype, y_shape, data.y_dtype, scaled
            )
            return model.programs.get(model, kind, batch)

        rest = data.rows % size
        self._step = program(size)
        self._last = program(rest) if rest else None
        count = 1 if kind == "predict" else len(self._step.counts)
        self._trainer = _core.Trainer(
            self._step.program,
            self._last.program if self._last is not None else None,
            sources,
            len(sources) if self._step.takes_position else -1,
            ["collect"] if kind == "predict" else ["accumulate"] * count,
            size,
            shuffle,
            model.seed,
        )

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

    def run(self, max_batches: int, tick: Tick | None) -> None:
        """Run further batches, all that are left when negative."""
        self._trainer.run(max_batches, tick)

    def means(self) -> list[float]:
        """The loss and the metrics so far."""
        done = self.batches_done
        last = self._last if done == self.num_batches else None
        result = []
        for i, count in enumerate(self._step.counts):
            total = (done - 1) * count + last.counts[i] if last is not None else done * count
            value = self._trainer.result(i).item()
            result.append(value / total if total else 0.0)
        return result

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
        self._sums: list[float] = []
        self._counts: list[float] = []
        self._rows: list[Array] = []

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
        self._sums, self._counts, self._rows = [], [], []
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

    def means(self) -> list[float]:
        """The loss and the metrics so far."""
        return [
            total / count if count else 0.0
            for total, count in zip(self._sums, self._counts, strict=True)
        ]

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
        if self._kind == "predict" or data.y is None:
            self._rows.append(np.array(step.eager_predict(self._model, x).numpy()))
        else:
            y = as_tensor(np.ascontiguousarray(data.y[place]), data.y_dtype)
            if self._kind == "train":
                position = as_tensor(np.array([self._epoch, first], np.int64))
                sums, counts = step.eager_train(self._model, self._compiled, x, y, position)
            else:
                sums, counts = step.eager_test(self._model, self._compiled, x, y)
            if not self._sums:
                self._sums, self._counts = [0.0] * len(sums), [0.0] * len(counts)
            self._sums = [a + b for a, b in zip(self._sums, sums, strict=True)]
            self._counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
        self._done += 1
