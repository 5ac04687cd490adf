"""Model: a layer that can be trained."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from fusegrad import _core, random
from fusegrad._scope import call_scope
from fusegrad._settings import edits_of
from fusegrad._spelling import keywords
from fusegrad._tensor import Tensor
from fusegrad.callbacks import History
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import Layer, Shape, forget_weights, inner_layers, restored_on_error
from fusegrad.models import training
from fusegrad.models.compiled import Compiled, make_compiled
from fusegrad.models.overridable import Overridable
from fusegrad.models.step import Programs
from fusegrad.models.summary import print_summary


class Model(Overridable):
    """A layer that can be compiled and trained: the base class of `Sequential`.

    A subclass makes its layers in ``__init__`` and connects them in ``call``.

    Parameters
    ----------
    trainable : bool, default True
    dtype : str or DTypePolicy, optional
        As for every `Layer`.
    name : str, optional
        By default the class's name in snake case, numbered.

    Attributes
    ----------
    history : History or None
        Of the last `fit`, also where it was interrupted.
    stop_training : bool
        A callback sets it to end the training.

    Examples
    --------
    >>> import fusegrad as fg
    >>> class Twice(fg.models.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = fg.layers.Dense(1)
    ...     def call(self, x):
    ...         return self.dense(x) * 2.0
    >>> Twice()([[1.0, 2.0]]).shape
    (1, 1)
    """

    _state = frozenset({"history", "stop_training", "_epochs"})

    def __init__(
        self, *, trainable: bool = True, dtype: Any = None, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, dtype=dtype, name=name)
        self.compiled: Compiled | None = None
        self.programs = Programs()
        self.history: History | None = None
        self.stop_training = False
        self.seed = random.next_seed("shuffle")
        self._epochs = 0

    # ---- training

    @keywords
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        *,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
    ) -> None:
        """Set how the model is trained.

        Parameters
        ----------
        optimizer : str or Optimizer, default "rmsprop"
            A name in any case, or an optimizer.
        loss : str, Loss or callable, optional
            A name, a loss, or a function ``f(y_true, y_pred)`` that returns one value per sample.
        metrics : list of str, Metric or callable, optional
            ``"accuracy"`` becomes the accuracy that fits the loss, and knows about logits. Sample
            and class weights do not touch them.
        weighted_metrics : list of str, Metric or callable, optional
            The same, weighed by sample and class weights.
        run_eagerly : bool, default False
            Run each step op by op in Python, so that layers and losses of your own can be debugged;
            with the same results.

        Raises
        ------
        fusegrad.errors.ArgumentError
            A name is unknown, or loss, last layer and metrics do not go together.

        Warns
        -----
        UserWarning
            The last layer's outputs are probabilities and the loss takes logits, or the other way
            round.

        Notes
        -----
        A softmax or sigmoid in the last layer and a cross-entropy without ``from_logits`` are
        computed together from the logits: the trained weights are, bit for bit, those of a linear
        last layer with ``from_logits=True``.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse")
        """
        self.compiled = make_compiled(self, optimizer, loss, metrics, weighted_metrics, run_eagerly)
        self.programs.clear()

    @keywords
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        *,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train the model.

        Parameters
        ----------
        x : array_like
            One row per sample; ``(n,)`` is one feature per sample. Arrays of float32, float64 and
            uint8 are used where they lie.
        y : array_like
            Targets, one row per sample. Labels for `SparseCategoricalCrossentropy`, else the shape
            of the outputs, where ``(n,)`` stands for ``(n, 1)``. They never broadcast.
        batch_size : int, optional
            32 by default. The last batch of an epoch may be smaller.
        epochs : int, default 1
            Train up to this epoch.
        verbose : {"auto", 0, 1, 2}, default "auto"
            0: nothing; 1: a bar per epoch on a terminal or in a notebook, else as 2; 2: a line per
            epoch; ``"auto"``: as 1.
        callbacks : list of Callback, optional
        validation_split : float, default 0.0
            Measure on the last fraction of the rows, as they are given, instead of training on it.
        validation_data : (array_like, array_like), optional
            Inputs and targets to measure on after each epoch; a third entry holds sample weights.
            Where it is given, `validation_split` is not used.
        shuffle : bool, default True
            Take the rows in a new order in each epoch. The order depends on the model's seed and on
            how many epochs it has been trained: ``fit(epochs=5)`` twice gives the same weights as
            ``fit(epochs=10)``.
        class_weight : dict or "balanced", optional
            The weight of each class in the loss, ``{0: 1.0, 1: 5.0}``; a class without an entry
            weighs 1, with a warning. ``"balanced"``: the number of rows divided by the number of
            classes and by the rows of the class. Only for training, and only where each row has one
            class. A row's class weight is multiplied by its sample weight.
        sample_weight : array_like, optional
            The weight of each row in the loss, ``(n,)``. The weighted losses of a batch are divided
            by the number of its rows, as in Keras, unless the loss has another reduction.
        initial_epoch : int, default 0
            The epoch to start at, at most `epochs`.
        validation_batch_size : int, optional
            By default `batch_size`.
        validation_freq : int, default 1
            Measure after every so many epochs.

        Returns
        -------
        History
            Its ``history`` holds the mean loss and metrics of each epoch.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong. Everything is checked before anything is built or changed: NaN and
            infinity, shapes, lengths, labels out of range.
        ValueError
            The model is not compiled.
        KeyboardInterrupt
            Ctrl-C; the model is as after the last complete batch, and ``model.history`` holds the
            epochs before.

        Examples
        --------
        >>> import numpy as np
        >>> import fusegrad as fg
        >>> fg.utils.set_random_seed(0)
        >>> model = fg.Sequential([fg.layers.Dense(1)])
        >>> model.compile(fg.optimizers.SGD(0.1), loss="mse")
        >>> x = np.linspace(-1, 1, 64)
        >>> history = model.fit(x, 2 * x + 1, epochs=50, verbose=0)
        >>> history.history["loss"][-1] < 1e-3
        True
        """
        return training.fit(
            self,
            x,
            y,
            batch_size,
            epochs,
            verbose,
            callbacks,
            validation_split,
            validation_data,
            shuffle,
            class_weight,
            sample_weight,
            initial_epoch,
            validation_batch_size,
            validation_freq,
        )

    @keywords
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        *,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Measure the loss and the metrics.

        Parameters
        ----------
        x, y : array_like
            As for `fit`.
        batch_size : int, optional
            32 by default.
        verbose : {"auto", 0, 1, 2}, default "auto"
        sample_weight : array_like, optional
            As for `fit`.
        callbacks : list of Callback, optional
        return_dict : bool, default False

        Returns
        -------
        float, list of float or dict
            The loss; with metrics a list of loss and metrics in the order of `compile`; a dict by
            name with `return_dict`.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong.
        ValueError
            The model is not compiled.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.evaluate([1.0, 2.0], [1.0, 3.0], verbose=0)
        5.0
        """
        return training.evaluate(
            self, x, y, batch_size, verbose, callbacks, sample_weight, return_dict
        )

    @keywords
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        callbacks: Any = None,
    ) -> NDArray[Any]:
        """Compute the outputs for these inputs.

        Parameters
        ----------
        x : array_like
            As for `fit`.
        batch_size : int, optional
            32 by default. The outputs do not depend on it.
        verbose : {"auto", 0, 1, 2}, default "auto"
        callbacks : list of Callback, optional

        Returns
        -------
        numpy.ndarray
            One row per sample.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.predict([1.0, 2.0], verbose=0)
        array([[0.],
               [0.]], dtype=float32)
        """
        return training.predict(self, x, batch_size, verbose, callbacks)

    @keywords
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch, all of `x`, and return its loss and metrics before the step.

        Parameters
        ----------
        x, y, sample_weight, class_weight
            As for `fit`.
        return_dict : bool, default False

        Returns
        -------
        float, list of float or dict
            As from `evaluate`.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong.
        ValueError
            The model is not compiled.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(fg.optimizers.SGD(0.1), loss="mse")
        >>> model.train_on_batch([1.0, 2.0], [1.0, 3.0])
        5.0
        >>> model.train_on_batch([1.0, 2.0], [1.0, 3.0]) < 5.0
        True
        """
        return training.on_batch(self, "train", x, y, sample_weight, class_weight, return_dict)

    @keywords
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Measure the loss and the metrics on one batch, all of `x`.

        Parameters
        ----------
        x, y, sample_weight
            As for `fit`.
        return_dict : bool, default False

        Returns
        -------
        float, list of float or dict
            As from `evaluate`.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong.
        ValueError
            The model is not compiled.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(loss="mse")
        >>> model.test_on_batch([1.0, 2.0], [1.0, 3.0])
        5.0
        """
        return training.on_batch(self, "test", x, y, sample_weight, None, return_dict)

    @keywords
    def predict_on_batch(self, x: Any) -> NDArray[Any]:
        """Compute the outputs for one batch, all of `x`.

        Parameters
        ----------
        x : array_like
            As for `fit`.

        Returns
        -------
        numpy.ndarray
            One row per sample.

        Raises
        ------
        fusegrad.errors.ArgumentError
            The argument is wrong.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.predict_on_batch([1.0, 2.0]).shape
        (2, 1)
        """
        return training.predict_on_batch(self, x)

    @property
    def optimizer(self) -> Any:
        """The optimizer of `compile`."""
        return None if self.compiled is None else self.compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss of `compile`."""
        return None if self.compiled is None else self.compiled.loss

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run op by op."""
        return self.compiled is not None and self.compiled.run_eagerly

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        return [] if self.compiled is None else self.compiled.names

    def next_epoch(self, at_least: int, count: int = 1) -> int:
        """Count epochs; return the number that the first's shuffle and dropout derive from."""
        epoch = max(self._epochs, at_least)
        if count:
            self._epochs = epoch + count
        return epoch

    def reset(self) -> None:
        """Start again: new initial weights from the same seeds, no optimizer state, no epochs.

        A model that was not built with an `Input` keeps the shape that it was built for.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.Input((2,)), fg.layers.Dense(1)])
        >>> first = model.get_weights()
        >>> model.set_weights([[[1.0], [1.0]], [1.0]])
        >>> model.reset()
        >>> bool((model.get_weights()[0] == first[0]).all())
        True
        """
        shape = self._input_shape
        forget_weights(self)
        self._edits += 1
        self.programs.clear()
        self.history = None
        self._epochs = 0
        if self.compiled is not None:
            self.compiled.optimizer.reset()
        if shape is not None:
            self.build_for(shape)

    # ---- structure

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return list(self._sublayers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or by its index.

        Parameters
        ----------
        name : str, optional
        index : int, optional

        Returns
        -------
        Layer

        Raises
        ------
        fusegrad.errors.ArgumentError
            Not exactly one of both is given, or there is no such layer.

        Examples
        --------
        >>> import fusegrad as fg
        >>> fg.Sequential([fg.layers.Dense(3, name="first")]).get_layer("first").units
        3
        """
        if (name is None) == (index is None):
            raise ArgumentError("get_layer", "name", "either name or index", f"{name!r}, {index!r}")
        if name is not None and not isinstance(name, str):
            got = f"{name!r}" + (f" (write index={name})" if isinstance(name, int) else "")
            raise ArgumentError("get_layer", "name", "a name", got)
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    "get_layer", "index", f"an index of {len(layers)} layers", repr(index)
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        known = ", ".join(f"'{layer.name}'" for layer in layers)
        raise ArgumentError("get_layer", "name", f"one of {known or 'no layers'}", repr(name))

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers for inputs of this shape, by tracing `call`.

        Parameters
        ----------
        input_shape : tuple
            ``(None, features)``; None stands for any number of rows.
        """
        self._input_shape = tuple(input_shape)
        self.built = True  # the call below must not come back here
        sizes = [size for size in input_shape[1:] if size is not None]
        graph = _core.Graph()
        with graph, call_scope(False, None):
            self.run_layers(graph.input((2, *sizes), self.input_dtype(), "x"))
        self.set_paths()

    def build_for(self, input_shape: Shape) -> None:
        """Note the shape; the layers inside make their weights when they are first called."""
        if self.built:
            return
        self._input_shape = tuple(input_shape)
        if type(self).build is not Model.build:
            self.build(self._input_shape)
        self.built = True

    def __call__(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Apply the model; where it was not built and something fails, it still is not."""
        if self.built:
            return super().__call__(x, *args, training=training, **kwargs)
        with restored_on_error(self):
            y = super().__call__(x, *args, training=training, **kwargs)
        self.set_paths()
        return y

    def convert(self, x: Any) -> Tensor:
        """Return `x` as a Tensor; each layer converts it to its own dtype."""
        return self._as_tensor(x)

    def run_layers(self, x: Any, skip: int = 0, logits: bool = False) -> Any:
        """Apply the model within a step; Sequential can leave out its ends."""
        return self(x)

    def head_layer(self) -> Layer | None:
        """Return the last layer, where that is known."""
        return None

    def first_layer(self) -> Layer | None:
        """Return the first layer, where that is known."""
        return None

    def input_dtype(self) -> str:
        """Return the dtype that inputs are converted to."""
        return self.dtype

    def sample_shape(self) -> tuple[int, ...] | None:
        """Return the shape of a sample that the model was built for; None before."""
        if self._input_shape is None or None in self._input_shape[1:]:
            return None
        return tuple(int(size) for size in self._input_shape[1:] if size is not None)

    def fully_built(self) -> bool:
        """Whether no layer would still make weights."""
        memo = self.programs.memo()
        known: bool | None = memo.get("built")
        if known is None:
            known = self.built and all(layer.built for layer in inner_layers(self))
            memo["built"] = known
        return known

    def structure(self) -> tuple[int, ...]:
        """Return what changes when layers or their constants do, here or inside."""
        memo = self.programs.memo()
        known: tuple[int, ...] | None = memo.get("structure")
        if known is None:
            result = [self._edits]
            for layer in inner_layers(self):
                result += (layer._edits, edits_of(layer.activity_regularizer))
            known = memo["structure"] = tuple(result)
        return known

    def set_paths(self) -> None:
        """Put the model's name before the paths of its weights."""
        for weight in self.weights:
            if not weight.path.startswith(f"{self.name}/"):
                weight.path = f"{self.name}/{weight.path}"

    # ---- description

    @keywords
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and their numbers of parameters.

        Below the table stand the totals, and which activation is computed together with the loss.

        Parameters
        ----------
        line_length : int, optional
            Columns of the table, at least 40. By default 4 fewer than the terminal has, at most 88,
            or 100 with `show_trainable`.
        positions : sequence of 3 numbers, default (0.45, 0.8, 1.0)
            Where the columns end: shares of the line, or where the last is above 1, columns.
        print_fn : callable, optional
            Called once, with the whole text, instead of printing it.
        expand_nested : bool, default False
            Also list the layers of models inside.
        show_trainable : bool, default False
            Add a column: Y, N, or - for a layer without weights.
        layer_range : (str, str), optional
            List the layers from the first whose name begins with a match of the one regular
            expression to the last that does with one of the other. The totals stay those of all.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong, or no layer matches `layer_range`.

        Examples
        --------
        >>> import fusegrad as fg
        >>> lines = []
        >>> fg.Sequential([fg.Input((4,)), fg.layers.Dense(3)]).summary(print_fn=lines.append)
        >>> " Total params: 15 (60.00 B)" in lines[0].splitlines()
        True
        """
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def print_graph(self, stage: str = "plan", batch_size: int = 32) -> None:
        """Print the compiled training step as text; before `compile` the one of `predict`.

        Parameters
        ----------
        stage : str, default "plan"
            ``"trace"``, ``"rewrite"``, ``"simplify"``, ``"fuse"``, ``"layout"`` or ``"plan"``.
        batch_size : int, default 32

        Raises
        ------
        ValueError
            The model is not built.
        fusegrad.errors.ArgumentError
            There is no such stage.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.Input((4,)), fg.layers.Dense(3)])
        >>> model.print_graph("fuse")  # doctest: +ELLIPSIS
        %0...
        """
        shape = self.sample_shape()
        if not self.built or shape is None:
            raise ValueError("print_graph(): the model is not built; call build or fit first")
        sys.stdout.write(training.graph_text(self, stage, batch_size, shape).rstrip() + "\n")
