"""Layer: what holds weights and maps inputs to outputs."""

from __future__ import annotations

import inspect
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ClassVar

import numpy as np

from fusegrad import _core, initializers, ops, regularizers
from fusegrad._checks import flag, positive_int, storable
from fusegrad._checks import sizes as checked_sizes
from fusegrad._registry import Registry, named, snake_case
from fusegrad._scope import call_scope, current, next_call
from fusegrad._settings import changes
from fusegrad._spelling import Spelled, keywords, nearest
from fusegrad._tensor import GraphHandle, Tensor, as_tensor, current_builder, detached
from fusegrad.data.adapters import to_array
from fusegrad.dtype_policies import DTypePolicy, policy_of
from fusegrad.errors import ArgumentError
from fusegrad.layers.nests import holds_shapes, is_nest, map_nest, plain_shape, shape_of
from fusegrad.layers.tracked import TrackedDict, TrackedList
from fusegrad.variable import Variable

Shape = tuple[int | None, ...]

_BOOKKEEPING = frozenset({"_own_weights", "_sublayers"})
#: What this package sets on layers of the user's own; all else may be something their code reads.
_NO_CONSTANTS = frozenset(
    {"_edits", "_input_shape", "_trainable", "built", "compiled", "name", "programs", "seed"}
    | _BOOKKEEPING
)

_counts: dict[str, Iterator[int]] = defaultdict(itertools.count)


def auto_name(prefix: str) -> str:
    """Return ``dense``, ``dense_1``, ... : the next name with this prefix in the process."""
    number = next(_counts[prefix])
    return prefix if number == 0 else f"{prefix}_{number}"


def reset_names() -> None:
    """Start the numbers of automatic names again, as `fusegrad.utils.clear_session` does."""
    _counts.clear()


class Layer(Spelled):
    """Base class of layers and models.

    A subclass defines `call(x)`, and `build(input_shape)` where it has weights, which it makes with
    `add_weight`. Weights are made at the first call, when the shape of the input is known. Layers
    that are attributes of a layer, also in a list, tuple or dict, belong to it. A `call` that takes
    `training` is told whether it is one of training. Where a layer is called on a list, tuple or
    dict of Tensors, `call` gets that, and `build` the same of shapes.

    A step of `fit` traces `call` once and then runs without Python. So it is written with
    `fusegrad.ops`, and does not look at elements; a change of an attribute takes effect at the next
    `fit`. With ``run_eagerly=True`` it runs anew for each batch.

    Parameters
    ----------
    trainable : bool, default True
        Whether `fit` changes the weights. A change takes effect at the next `fit`.
    dtype : str or DTypePolicy, optional
        ``"float32"``, ``"float64"`` or ``"mixed_bfloat16"``; by default
        `fusegrad.config.dtype_policy()`. Inputs are converted to the dtype of the weights.
    name : str, optional
        By default the class's name in snake case, numbered.
    input_shape : tuple of int, optional
        The shape of one sample, for the first layer of a Sequential: the same as an `Input` there.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument has the wrong type.

    Examples
    --------
    >>> from fusegrad import layers, ops
    >>> class Scale(layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight((input_shape[-1],), initializer="zeros")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> layer = Scale()
    >>> layer([[1.0, 2.0]]).tolist()
    [[0.0, 0.0]]
    >>> layer.count_params()
    2
    """

    #: Attributes that a compiled step takes as constants: setting one has steps compiled again.
    _constants: ClassVar[frozenset[str]] = frozenset()
    #: Attributes that nothing depends on, and that hold no layers or weights.
    _state: ClassVar[frozenset[str]] = frozenset()
    #: Whether the class is one of this package, which knows its constants.
    _ours: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._ours = cls.__module__.partition(".")[0] == "fusegrad"
        if "build" in cls.__dict__:
            cls.build = _noted(cls.build)  # type: ignore[method-assign]

    @keywords
    def __init__(
        self,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        kind = type(self).__name__
        _check_name(kind, name)
        self._edits = 0  # of constants; in models also of layers
        self._own_weights: list[Variable] = []
        self._sublayers: list[Layer] = []
        self._trainable = flag(kind, "trainable", trainable)
        self._dtype_policy = policy_of(kind, "dtype", dtype)
        self.name = name or auto_name(snake_case(kind))
        self.built = False
        self._input_shape: Shape | None = None
        # for Sequential, which makes an Input of it
        self.declared_shape = (
            None if input_shape is None else checked_sizes(kind, "input_shape", input_shape)
        )

    # ---- weights

    @keywords
    def add_weight(
        self,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = "none",
        name: str | None = None,
    ) -> Variable:
        """Make a weight of this layer.

        Parameters
        ----------
        shape : sequence of int, default ()
        initializer : str, Initializer, callable or array, optional
            By default ``"glorot_uniform"``, and ``"zeros"`` for integers.
        dtype : str, optional
            By default the layer's.
        trainable : bool, default True
        autocast : bool, default True
            Kept for Keras's signature; a weight is read in its own dtype.
        regularizer : str, Regularizer or callable, optional
            A penalty that a step adds to its loss while the weight is trained.
        constraint : callable, optional
            A function of the weight's elements; after each of its steps an optimizer replaces them
            by what it returns.
        aggregation : str, default "none"
            Kept for Keras's signature; there is one device.
        name : str, optional
            The last part of the weight's path; by default ``variable``, numbered.

        Returns
        -------
        Variable

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong, or the initializer gives values of another shape.

        Examples
        --------
        >>> from fusegrad import layers, ops
        >>> layer = layers.Layer(name="own")
        >>> layer.add_weight((3,), "ones", constraint=ops.relu, name="scale").path
        'own/scale'
        """
        where = f"{type(self).__name__}.add_weight"
        flag(where, "autocast", autocast)
        dtype = dtype or self.dtype
        given: Any = () if shape is None else shape
        given = (given,) if isinstance(given, int | np.integer) else given
        if not isinstance(given, tuple | list):
            raise ArgumentError(where, "shape", "a tuple of sizes", repr(shape))
        if all(isinstance(size, int | np.integer) for size in given):
            storable(tuple(given), dtype)
        sizes = tuple(positive_int(where, "shape", size, zero=True) for size in given)
        if initializer is None:
            initializer = "glorot_uniform" if np.dtype(dtype).kind == "f" else "zeros"
        with named(where, "initializer"):
            values = initializers.get(initializer)(sizes, dtype)
        with named(where, "regularizer"):
            penalty = regularizers.get(regularizer)
        if constraint is not None and (not callable(constraint) or isinstance(constraint, type)):
            raise ArgumentError(where, "constraint", "a function of an array", repr(constraint))
        array = np.asarray(values.numpy() if isinstance(values, Tensor) else values)
        if array.shape != sizes:
            raise ArgumentError(
                where, "initializer", f"values of shape {sizes}", f"values of shape {array.shape}"
            )
        name = name or _numbered("variable", len(self._own_weights))
        # A matrix (in, out) is stored as [out][in], whose rows the kernels of both passes read.
        variable = Variable(
            array,
            name=name,
            trainable=flag(where, "trainable", trainable),
            dtype=dtype,
            order="F" if array.ndim == 2 else "C",
        )
        variable.path = f"{self.name}/{name}"
        variable.regularizer = penalty
        variable.constraint = constraint
        self._own_weights.append(variable)
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Variable:
        """Make a weight: another name of `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._state:
            object.__setattr__(self, name, value)
            return
        changes.count += 1
        # What `call` sets while it is traced is no change from outside.
        own = not self._ours and name not in _NO_CONSTANTS
        own = own and not isinstance(current_builder(), GraphHandle)
        if own or name in self._constants or name == "call":
            self._note_edit()
        if name not in _BOOKKEEPING:
            parts = self._track(value)
            if type(value) is list and (parts or not value):
                value = TrackedList(value, self)
            elif type(value) is dict and (parts or not value):
                value = TrackedDict(value, self)
        object.__setattr__(self, name, value)

    def _note_edit(self) -> None:
        """Count a change of what compiled steps take as a constant."""
        changes.count += 1
        object.__setattr__(self, "_edits", self.__dict__.get("_edits", 0) + 1)

    def _track(self, value: Any) -> list[Any]:
        """Make the layers and weights in a value parts of this layer, and return them."""
        parts = _parts(value)
        for part in parts:
            own: list[Any] = self._sublayers if isinstance(part, Layer) else self._own_weights
            if not any(part is known for known in own):
                own.append(part)
        return parts

    def __getattr__(self, name: str) -> Any:
        kind = type(self).__name__
        if not name.startswith("__") and "_own_weights" not in self.__dict__:
            raise AttributeError(f"{kind}.__init__ must call super().__init__() before all else")
        found = getattr(type(self), name, None)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)  # again, for the AttributeError that Python has swallowed
        near = None if name.startswith("_") else nearest(name, _public(self), cutoff=0.75)
        hint = f"; did you mean '{near}'?" if near else ""
        raise AttributeError(f"'{kind}' object has no attribute '{name}'{hint}")

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the order in which they were made."""
        found: dict[int, Variable] = {}
        self._collect(found)
        return list(found.values())

    def _collect(self, found: dict[int, Variable]) -> None:
        for weight in self._own_weights:
            found[id(weight)] = weight
        for layer in self._sublayers:
            layer._collect(found)

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that `fit` changes."""
        found: dict[int, Variable] = {}
        self._collect_trainable(found)
        return list(found.values())

    def _collect_trainable(self, found: dict[int, Variable]) -> None:
        if not self._trainable:
            return
        for weight in self._own_weights:
            if weight.trainable:
                found[id(weight)] = weight
        for layer in self._sublayers:
            layer._collect_trainable(found)

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that `fit` does not change."""
        trainable = {id(weight) for weight in self.trainable_weights}
        return [weight for weight in self.weights if id(weight) not in trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether `fit` changes the weights; setting it also sets it on the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(type(self).__name__, "trainable", value)
        for layer in self._sublayers:
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return copies of the weights as NumPy arrays, in the order of `weights`.

        Returns
        -------
        list of numpy.ndarray
            Empty before the layer is built.

        Examples
        --------
        >>> from fusegrad import layers
        >>> layer = layers.Dense(2)
        >>> layer.build((None, 3))
        >>> [array.shape for array in layer.get_weights()]
        [(3, 2), (2,)]
        """
        return [np.array(weight.numpy(), order="C") for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights; nothing is written where one of them does not fit.

        Parameters
        ----------
        weights : sequence of array_like
            In the order of `weights`, of the same shapes.

        Raises
        ------
        fusegrad.errors.ArgumentError
            Their number or a shape differs, or values are beyond the range of the dtype. NaN and
            infinity are taken: a model that has diverged can be copied.

        Examples
        --------
        >>> from fusegrad import layers
        >>> layer = layers.Dense(1)
        >>> layer.build((None, 1))
        >>> layer.set_weights([[[2.0]], [1.0]])
        >>> layer([[3.0]]).tolist()
        [[7.0]]
        """
        where = f"{type(self).__name__}.set_weights"
        own = self.weights
        given: Any = weights
        if not isinstance(given, list | tuple | np.ndarray):
            raise ArgumentError(where, "weights", f"a list of {len(own)} arrays", repr(given))
        if len(weights) != len(own):
            built = "" if self.built else " (it is not built yet)"
            raise ArgumentError(
                where, "weights", f"{len(own)} arrays for '{self.name}'{built}", f"{len(weights)}"
            )
        arrays = []
        for i, (variable, value) in enumerate(zip(own, weights, strict=True)):
            expected = f"numbers of shape {tuple(variable.shape)}"
            try:
                array = np.asarray(value.numpy() if isinstance(value, Variable | Tensor) else value)
            except ValueError as error:  # rows of different lengths
                raise ArgumentError(where, f"weights[{i}]", expected, "a ragged list") from error
            if array.shape != tuple(variable.shape) or array.dtype.kind not in "fiub":
                got = f"{array.dtype} array of shape {array.shape}"
                raise ArgumentError(where, f"weights[{i}]", expected, got)
            if np.any(getattr(value, "mask", False)):
                raise ArgumentError(where, f"weights[{i}]", expected, "masked elements")
            with np.errstate(over="ignore"):
                converted = np.array(array, dtype=variable.dtype)
            if (np.isinf(converted) & np.isfinite(array)).any():
                got = f"values beyond the range of {variable.dtype}"
                raise ArgumentError(where, f"weights[{i}]", expected, got)
            arrays.append(converted)
        for variable, array in zip(own, arrays, strict=True):
            variable.assign(array)

    def count_params(self) -> int:
        """Return the number of scalars in the weights.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            The layer is not built.

        Examples
        --------
        >>> from fusegrad import layers
        >>> layer = layers.Dense(25)
        >>> layer.build((None, 64))
        >>> layer.count_params()
        1625
        """
        if not self.built:
            raise ValueError(
                f"count_params(): '{self.name}' has no weights yet; call build(input_shape) or "
                "call it on data first"
            )
        return sum(math.prod(weight.shape) for weight in self.weights)

    # ---- losses and updates

    @property
    def activity_regularizer(self) -> regularizers.RegularizerLike | None:
        """A penalty on the output, divided by the number of rows, that a step adds to its loss.

        It can be set to a name, a regularizer, a function or None, and takes effect at once.
        """
        penalty: regularizers.RegularizerLike | None = self.__dict__.get("_activity_regularizer")
        return penalty

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        with named(type(self).__name__, "activity_regularizer"):
            self._activity_regularizer = regularizers.get(value)
        self._edits += 1

    @property
    def losses(self) -> list[Tensor]:
        """What is added to a loss: penalties on weights that are trained, and of `add_loss`.

        Of the latter those of the latest call of the layer.
        """
        since = self.__dict__.get("_last_call", 0)
        added: list[Tensor] = []
        for layer in (self, *inner_layers(self)):
            call, values = layer.__dict__.get("_added", (-1, []))
            if call >= since:
                added += values
        return [*self._penalties(), *added]

    def _penalties(self) -> list[Tensor]:
        """Return the penalties on weights that are trained, which a step adds to its loss."""
        return [
            _one_number(f"weight '{weight.path}'", "regularizer", weight.regularizer(weight.value))
            for weight in self.trainable_weights
            if weight.regularizer is not None
        ]

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of the step that is calling this layer; from within `call`.

        Parameters
        ----------
        loss : Tensor
            One number. Outside of a step of `fit` or `evaluate` it is found in `losses` only.

        Raises
        ------
        fusegrad.errors.ArgumentError
            It is not one number.
        """
        loss = _one_number(f"{type(self).__name__} '{self.name}'", "loss", loss)
        call, values = self.__dict__.get("_added", (-1, []))
        if call != current.call:
            values = []
            self.__dict__["_added"] = current.call, values
        values.append(loss)
        if current.step is not None:
            current.step.losses.append(loss)
            current.step.givers.append(self)

    def add_update(self, variable: Variable, value: Any) -> None:
        """Give a weight that is not trained a new value; from within `call`.

        In a step of `fit` it is assigned at the end of the step, in `evaluate` and `predict` never,
        elsewhere at once, where gradients do not flow through it. A layer that a step calls more
        than once takes the value so far from `latest`.

        Parameters
        ----------
        variable : Variable
        value : Tensor
            Of the same shape.
        """
        if current.step is None:
            variable.assign(detached(as_tensor(value)))
            return
        updates = current.step.updates
        updates[:] = [pair for pair in updates if pair[0] is not variable]
        updates.append((variable, as_tensor(value)))

    def latest(self, variable: Variable) -> Tensor:
        """Return the value that `add_update` gave a weight in this step, else its value.

        Parameters
        ----------
        variable : Variable

        Returns
        -------
        Tensor
        """
        updates = [] if current.step is None else current.step.updates
        return next((value for known, value in updates if known is variable), variable.value)

    # ---- building and calling

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape; the base class has none."""
        _check_input_shape(self, input_shape)
        self.built = True

    def call(self, x: Any) -> Any:
        """Map inputs to outputs; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__} must define call(x)")

    def head_activation(self) -> Callable[[Any], Any] | None:
        """Return the function that the layer applies last, where `pre_activation` leaves one out.

        A layer that defines both can end a classifier whose loss is computed from the logits.
        """
        return None

    def pre_activation(self, x: Any) -> Tensor:
        """Return the output without the function of `head_activation`."""
        result: Tensor = self(x)
        return result

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for an input shape; by default found by tracing `call`.

        Parameters
        ----------
        input_shape : tuple
            None stands for any number of rows.

        Returns
        -------
        tuple
        """
        where = f"{type(self).__name__}.compute_output_shape"
        return traced_shape(where, self, input_shape, self.dtype)

    def build_for(self, input_shape: Shape) -> None:
        """Build once, for inputs of this shape."""
        if not self.built:
            with restored_on_error(self):
                self._input_shape = plain_shape(input_shape)
                self.build(self._input_shape)
                self.built = True

    def forget(self) -> None:
        """Forget the weights, so that they are made anew when the layer is built again."""
        self._own_weights.clear()
        self.built = False

    def __call__(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Apply the layer, building it first where that was not done.

        Parameters
        ----------
        x : array_like
            Converted to the layer's dtype.
        training : bool, optional
            Whether layers such as Dropout act as in training; False outside `fit`.

        Returns
        -------
        Tensor
        """
        several = not self._ours and is_nest(x)
        x = map_nest(self._converted_part, x) if several else self.convert(x)
        if not self.built:
            shape = shape_of(x)
            try:
                self.build_for(shape)
            except ArgumentError as error:
                if error.argument != "input_shape":
                    raise
                got = f"shape {x.shape if isinstance(x, Tensor) else shape}"
                raise ArgumentError(error.where, "x", error.expected, got) from None
        outer, mode = current.call, current.training
        if training is None:
            training = mode
        elif not isinstance(training, bool):
            training = flag(f"{type(self).__name__} '{self.name}'", "training", training)
        if self._call_takes_training():
            kwargs["training"] = training
        current.call, current.training = outer or next_call(), training  # for the layers inside
        if not outer:
            self.__dict__["_last_call"] = current.call
        try:
            y = self.call(x, *args, **kwargs)
            if self.activity_regularizer is not None:
                where = f"{type(self).__name__} '{self.name}'"
                penalty = _one_number(where, "activity_regularizer", self.activity_regularizer(y))
                self.add_loss(ops.divide(penalty, float(y.shape[0])))
        finally:
            current.call, current.training = outer, mode
        return y

    def convert(self, x: Any) -> Tensor:
        """Return `x` as a Tensor of the layer's dtype."""
        tensor = self._as_tensor(x)
        return tensor if tensor.dtype == self.dtype else ops.cast(tensor, self.dtype)

    def _converted_part(self, x: Any) -> Tensor:
        """Return one of several inputs, which may also be labels or a mask."""
        tensor = self._as_tensor(x)
        convert = tensor.dtype.kind == "f" and tensor.dtype != self.dtype
        return ops.cast(tensor, self.dtype) if convert else tensor

    def _as_tensor(self, x: Any) -> Tensor:
        try:
            return as_tensor(x)
        except ArgumentError as error:
            where = f"{type(self).__name__} '{self.name}'"
            to_array(where, "x", x)  # which describes the more unusual data better
            raise ArgumentError(where, "x", error.expected, error.got) from None

    def _call_takes_training(self) -> bool:
        known: bool | None = self.__dict__.get("_takes_training")
        if known is None:
            parameters = inspect.signature(self.call).parameters.values()
            known = any(
                p.name == "training" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters
            )
            object.__setattr__(self, "_takes_training", known)
        return known

    # ---- description

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtypes of the weights and of matrix products.

        It can be set to a policy or its name; a layer that is built keeps the dtype of its weights.
        """
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        where = type(self).__name__
        policy = policy_of(where, "dtype_policy", value)
        if self.built and policy.variable_dtype != self.dtype:
            expected = f"a policy of {self.dtype} weights, which '{self.name}' has"
            raise ArgumentError(where, "dtype_policy", expected, repr(policy))
        self._dtype_policy = policy
        self._edits += 1

    @property
    def dtype(self) -> str:
        """The dtype of the weights, the same as `variable_dtype`; setting it sets the policy."""
        return self._dtype_policy.variable_dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        self.dtype_policy = value

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights and of the output."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of what matrix products multiply; "bfloat16" under "mixed_bfloat16"."""
        return self._dtype_policy.compute_dtype

    @property
    def input_shape(self) -> Shape:
        """The shape that the layer was built for; None stands for any number of rows."""
        if self._input_shape is None:
            raise AttributeError(f"'{self.name}' is not built, so it has no input_shape yet")
        return self._input_shape

    @property
    def output_shape(self) -> Shape:
        """The shape of the output for `input_shape`."""
        return self.compute_output_shape(self.input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns
        -------
        dict

        Examples
        --------
        >>> from fusegrad import layers
        >>> layers.Dropout(0.5, name="drop").get_config()["rate"]
        0.5
        """
        return {"name": self.name, "trainable": self._trainable, "dtype": self.dtype_policy.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """Build a layer from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def inner_layers(layer: Layer) -> list[Layer]:
    """Return the layers inside a layer, also inside those."""
    result = []
    for inner in layer._sublayers:
        result.append(inner)
        if inner._sublayers:
            result += inner_layers(inner)
    return result


LAYERS: Registry[type[Layer]] = Registry("layers.deserialize", "layer")


def register(cls: type[Layer]) -> type[Layer]:
    """Add a layer to the closed table that saved models resolve in."""
    return LAYERS.add(cls, cls.__name__)


def forget_weights(layer: Layer) -> None:
    """Make a layer and those inside it unbuilt, but for what they have learned from data alone."""
    layer.forget()
    for inner in layer._sublayers:
        forget_weights(inner)


@contextmanager
def restored_on_error(layer: Layer) -> Iterator[None]:
    """Leave a layer and those inside it as they were, also unbuilt, where something raises."""
    saved = _snapshot(layer)
    try:
        yield
    except BaseException:
        for inner, attributes in saved:
            inner.__dict__.clear()
            inner.__dict__.update(attributes)
            if "programs" in attributes:  # which may read the weights that were made meanwhile
                attributes["programs"].clear()
        changes.count += 1
        raise


def _snapshot(layer: Layer) -> list[tuple[Layer, dict[str, Any]]]:
    attributes = {
        name: list(value) if isinstance(value, list) else value
        for name, value in layer.__dict__.items()
    }
    result = [(layer, attributes)]
    for inner in layer._sublayers:
        result.extend(_snapshot(inner))
    return result


def _public(layer: Layer) -> list[str]:
    return [name for name in dir(layer) if not name.startswith("_")]


def _one_number(where: str, argument: str, value: Any) -> Tensor:
    """Return a penalty as a 0-d Tensor, or raise ArgumentError."""
    expected = "a penalty that is one number"
    try:
        penalty = as_tensor(value)
    except ArgumentError as error:
        raise ArgumentError(where, argument, expected, error.got) from None
    if penalty.ndim:
        got = f"shape {penalty.shape} (write ops.sum(...))"
        raise ArgumentError(where, argument, expected, got)
    return penalty


def _check_input_shape(layer: Layer, shape: Any) -> None:
    """Raise ArgumentError for what is no shape of inputs: sizes, and None where one is unknown."""
    if not layer._ours and holds_shapes(shape):
        for inner in shape.values() if isinstance(shape, dict) else shape:
            _check_input_shape(layer, inner)
        return
    known = isinstance(shape, tuple | list) and all(
        size is None
        or (isinstance(size, int | np.integer) and not isinstance(size, bool) and size >= 0)
        for size in shape
    )
    if not known:
        where, expected = f"{type(layer).__name__}.build", "a tuple of sizes such as (None, 4)"
        raise ArgumentError(where, "input_shape", expected, repr(shape))


def traced_shape(
    where: str, function: Callable[[Any], Any], input_shape: Shape, dtype: Any
) -> Shape:
    """Return the shape of what a function makes of batches of a shape, by tracing it."""
    sizes = [size for size in input_shape[1:] if size is not None]
    if len(sizes) + 1 != len(input_shape):
        expected = "known sizes after the first"
        raise ArgumentError(where, "input_shape", expected, str(tuple(input_shape)))
    graph = _core.Graph()
    with graph, call_scope(False):
        y = function(graph.input((2, *sizes), dtype, "x"))
    return (None, *y.shape[1:])


def features_of(where: str, input_shape: Any) -> int:
    """Return the last size of the shape that a layer is built for, or raise ArgumentError."""
    known = isinstance(input_shape, tuple | list) and len(input_shape) > 1
    features = input_shape[-1] if known else None
    if isinstance(features, bool) or not isinstance(features, int | np.integer) or features < 1:
        expected = "at least two axes, the last of known size, the features"
        raise ArgumentError(where, "input_shape", expected, repr(input_shape))
    return int(features)


def _noted(build: Callable[..., None]) -> Callable[..., None]:
    """Let a layer know that it is built when its `build` has been called, by whomever."""

    @wraps(build)
    def noting(self: Layer, input_shape: Shape, *args: Any, **kwargs: Any) -> None:
        _check_input_shape(self, input_shape)
        build(self, input_shape, *args, **kwargs)
        if self._input_shape is None:
            self._input_shape = plain_shape(input_shape)
        self.built = True

    return noting


def axis_of(layer: Layer, axis: int, shape: Shape) -> int:
    """Return an axis of an input as a number >= 0, or raise ArgumentError."""
    if not -len(shape) <= axis < len(shape):
        where = f"{type(layer).__name__} '{layer.name}'"
        raise ArgumentError(where, "x", f"an input that has axis {axis}", f"shape {tuple(shape)}")
    return axis % len(shape)


def _check_name(where: str, name: Any) -> None:
    if name is not None and (not isinstance(name, str) or not name or "/" in name):
        raise ArgumentError(where, "name", "a non-empty string without '/'", repr(name))


def _parts(value: Any) -> list[Any]:
    """Return the layers and weights in an attribute's value, also in a list, tuple or dict."""
    if isinstance(value, Layer | Variable):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [part for element in value for part in _parts(element)]


def _numbered(prefix: str, number: int) -> str:
    return prefix if number == 0 else f"{prefix}_{number}"
