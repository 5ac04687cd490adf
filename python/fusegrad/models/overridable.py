"""The step as methods that a model may override, with Keras's names and meanings.

`fit` runs a step of its own where none of them is overridden; its bits are those of the methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fusegrad import ops
from fusegrad._settings import Settings
from fusegrad._tensor import Tape, Tensor, as_tensor, current_builder, gradient
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import Layer, inner_layers
from fusegrad.losses import at_logits, reduce_values
from fusegrad.metrics import Metric
from fusegrad.optimizers import Optimizer
from fusegrad.utils import unpack_x_y_sample_weight
from fusegrad.variable import substituted

if TYPE_CHECKING:
    from fusegrad.models.compiled import Compiled

_BOTH = ("compute_loss", "compute_metrics")
_METHODS = {
    "train": ("train_step", *_BOTH),
    "test": ("test_step", *_BOTH),
    "predict": ("predict_step",),
}


class Overridable(Layer):
    """The part of `Model` that says what one step does."""

    compiled: Compiled | None

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch; to be overridden for a training step of your own.

        `fit` traces it once for each shape of a batch and runs it natively, so it is written with
        `fusegrad.ops`; with ``run_eagerly=True`` it is called for each batch.

        Parameters
        ----------
        data : tuple
            ``(x, y)`` or ``(x, y, sample_weight)``, and `x` itself where there are no targets:
            `fusegrad.utils.unpack_x_y_sample_weight` takes all of them.

        Returns
        -------
        dict of str to Tensor or number
            What logs and `History` get; of an epoch that of its last batch. Metrics hold running
            values, and those of `metrics` begin anew with each epoch.

        Examples
        --------
        >>> import fusegrad as fg
        >>> from fusegrad import layers, ops
        >>> class Halved(fg.Sequential):
        ...     def train_step(self, data):
        ...         logs = super().train_step(data)
        ...         return {"half": ops.divide(logs["loss"], 2.0), **logs}
        >>> model = Halved([layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(fg.optimizers.SGD(0.1), loss="mse")
        >>> model.fit([1.0, 2.0], [1.0, 3.0], verbose=0).history
        {'half': [2.5], 'loss': [5.0]}
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        build_for_batch(self, x)
        weights = self.trainable_weights
        with _recording() as tape:
            values = [tape.watch(w.value) if isinstance(tape, Tape) else w.value for w in weights]
            with substituted(dict(zip(weights, values, strict=True))):
                y_pred = self(x, training=True)
                loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            gradients = gradient(as_tensor(loss), values) if weights else []
        self._track_loss(loss, x)
        if weights:
            compiled = self._compiled("train_step")
            compiled.optimizer.apply(gradients, weights)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch; to be overridden for an evaluation of your own.

        Parameters
        ----------
        data : tuple
            As for `train_step`.

        Returns
        -------
        dict of str to Tensor or number
            As from `train_step`.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Compute the outputs for one batch; to be overridden for a prediction of your own.

        Parameters
        ----------
        data : Tensor
            The inputs.

        Returns
        -------
        Tensor
            One row for each sample.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of `compile` and all that layers and regularizers add to it.

        Parameters
        ----------
        x : Tensor, optional
            Not used; a loss of your own may.
        y, y_pred : Tensor
            Targets and outputs.
        sample_weight : Tensor, optional
        training : bool, default True

        Returns
        -------
        Tensor
            One number.

        Raises
        ------
        ValueError
            There is no loss, of `compile` or of a layer.
        """
        loss = None if self.compiled is None else self.compiled.loss
        total: Tensor | None = None
        if loss is not None:
            target, outputs = as_tensor(y), as_tensor(y_pred)
            loss, outputs = at_logits(loss, outputs)
            if loss.targets != "labels" and outputs.shape == (*target.shape, 1):
                target = ops.expand_dims(target, -1)
            values = as_tensor(loss.call(target, outputs))
            total = reduce_values(values, loss.reduction, sample_weight, f"loss '{loss.name}'")
        for penalty in self.losses:
            total = penalty if total is None else ops.add(total, ops.cast(penalty, total.dtype))
        if total is None:
            raise ValueError(
                f"compute_loss(): '{self.name}' has no loss; write compile(loss=...), call add_loss"
                " in a layer, or override train_step and test_step"
            )
        if self.compiled is not None and y_pred is not None:
            self.compiled.loss_tracker.note(total, as_tensor(y_pred).shape[0])
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the metrics of `compile` and return the results of all.

        Parameters
        ----------
        x : Tensor
            Not used; metrics of your own may.
        y, y_pred : Tensor
            Targets and outputs.
        sample_weight : Tensor, optional
            For `weighted_metrics`.

        Returns
        -------
        dict of str to Tensor or number
        """
        if self.compiled is not None:
            for metric, weighted in self.compiled.tracked(self):
                if weighted and sample_weight is not None:
                    metric.update_state(y, y_pred, sample_weight)
                else:
                    metric.update_state(y, y_pred)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the result of each of `metrics` by its name.

        Returns
        -------
        dict of str to Tensor or number
        """
        results: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            results |= result if isinstance(result, dict) else {metric.name: result}
        return results

    @property
    def metrics(self) -> list[Metric]:
        """The loss, the metrics that are attributes of the model or of a layer, and of `compile`.

        A step of your own updates them, but for the loss where `compute_loss` gave it; `fit` and
        `evaluate` make them begin anew at each epoch.
        """
        compiled = self.compiled
        tracker = [] if compiled is None or compiled.loss is None else [compiled.loss_tracker]
        own = [held for held in held_by(self) if isinstance(held, Metric)]
        given = [] if compiled is None else [metric for metric, _ in compiled.tracked(self)]
        return [*tracker, *own, *given]

    def reset_metrics(self) -> None:
        """Make all of `metrics` begin anew."""
        for metric in self.metrics:
            metric.reset_state()

    def _compiled(self, where: str) -> Compiled:
        if self.compiled is None:
            raise ValueError(f"{where}(): the model is not compiled; call compile(loss=...) first")
        return self.compiled

    def _track_loss(self, loss: Any, x: Any) -> None:
        if self.compiled is not None:
            rows = as_tensor(x).shape[0]
            self.compiled.loss_tracker.update_state(loss, sample_weight=float(rows))


@contextmanager
def _recording() -> Iterator[Any]:
    """What gradients are taken on: the recording in progress, else a tape."""
    recorder = current_builder()
    if recorder is not None:
        yield recorder
        return
    with Tape() as tape:
        yield tape


def build_for_batch(model: Any, x: Any) -> None:
    """Make all weights of a model that are not there yet."""
    if not model.fully_built():
        model.build_for((None, *as_tensor(x).shape[1:]))


def is_own(model: Any, kind: str) -> bool:
    """Whether a step, "train", "test" or "predict", is of the model's own code."""
    methods = _METHODS.get(kind, ())
    return any(getattr(type(model), name) is not getattr(Overridable, name) for name in methods)


def held_by(model: Layer) -> list[Settings | Optimizer]:
    """Return losses, metrics, optimizers and the like that are attributes of a model or inside."""
    found: dict[int, Settings | Optimizer] = {}

    def look(value: Any) -> None:
        if isinstance(value, Settings | Optimizer):
            found[id(value)] = value
        elif isinstance(value, dict):
            for part in value.values():
                look(part)
        elif isinstance(value, list | tuple):
            for part in value:
                look(part)

    for layer in (model, *inner_layers(model)):
        for name, value in vars(layer).items():
            if name not in {"_own_weights", "_sublayers", "_added"}:
                look(value)
    return list(found.values())


def flat_logs(where: str, returned: Any) -> dict[str, Any]:
    """Return what a step returned as one dict, or raise ArgumentError."""
    expected = "a dict of names and values"
    if not isinstance(returned, dict):
        raise ArgumentError(where, "return value", expected, repr(returned))
    logs: dict[str, Any] = {}
    for name, value in returned.items():
        if not isinstance(name, str):
            raise ArgumentError(where, "return value", expected, f"the name {name!r}")
        logs |= flat_logs(where, value) if isinstance(value, dict) else {name: value}
    return logs
