"""Sequential: layers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._checks import flag, positive_int
from fusegrad._scope import current
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError
from fusegrad.layers import InputLayer, Layer, deserialize, serialize
from fusegrad.layers.base import Shape, inner_layers, register, restored_on_error
from fusegrad.models import quick
from fusegrad.models.head import has_penalty, name_of
from fusegrad.models.model import Model


@register
class Sequential(Model):
    """A stack of layers, each applied to the output of the one before.

    Parameters
    ----------
    layers : list of Layer, optional
        It may start with an `Input`; then the weights are made at once, otherwise when the first
        data are seen.
    trainable : bool, default True
    name : str, optional
        By default ``sequential``, numbered.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An entry is not a layer, two have the same name, or there is a second Input.

    Examples
    --------
    >>> import fusegrad as fg
    >>> model = fg.Sequential([
    ...     fg.Input((64,)),
    ...     fg.layers.Dense(25, activation="relu"),
    ...     fg.layers.Dense(15, activation="relu"),
    ...     fg.layers.Dense(10),
    ... ])
    >>> model.count_params()
    2175
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        given: Any = layers
        if isinstance(given, Layer | str | bytes) or not isinstance(given, Iterable | None):
            got = f"{given!r} (write Sequential([...]))"
            raise ArgumentError("Sequential", "layers", "a list of layers", got)
        super().__init__(trainable=trainable, name=name)
        self._input: tuple[tuple[int, ...], dict[str, Any]] | None = None
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer, rebuild: bool = True) -> None:
        """Append a layer; in a model that is built, its weights are made at once.

        Parameters
        ----------
        layer : Layer
        rebuild : bool, default True
            False leaves the new layer without weights until the next use.

        Raises
        ------
        fusegrad.errors.ArgumentError
            It is not a layer, its name is taken, or it is an Input and not the first.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.Input((3,))])
        >>> model.add(fg.layers.Dense(2))
        >>> model.output_shape
        (None, 2)
        """
        flag("Sequential.add", "rebuild", rebuild)
        if not isinstance(layer, Layer):
            got = repr(layer)
            if isinstance(layer, type) and issubclass(layer, Layer):
                got = f"the class {layer.__name__} (write {layer.__name__}(...))"
            raise ArgumentError("Sequential.add", "layer", "a layer such as Dense(10)", got)
        if layer is self or self in inner_layers(layer):
            got = f"'{self.name}' itself"
            raise ArgumentError("Sequential.add", "layer", "a layer that does not hold it", got)
        if isinstance(layer, InputLayer):
            if self._input is not None or self._sublayers:
                raise ArgumentError(
                    "Sequential.add", "layer", "an Input only as the first entry", repr(layer)
                )
            self._input = (layer.shape, layer.get_config())
            self._input_shape = layer.batch_shape
            return
        for other in self._sublayers:
            if other.name == layer.name:
                raise ArgumentError(
                    "Sequential.add",
                    "layer",
                    "a layer with a name of its own",
                    f"a second layer named '{layer.name}'",
                )
        with restored_on_error(self):
            if layer.declared_shape is not None and self._input is None and not self._sublayers:
                self.add(InputLayer(layer.declared_shape))
            shape = self._input_shape
            if rebuild and shape is not None:
                for other in self._sublayers:
                    shape = other.compute_output_shape(shape)
                layer.build_for(shape)
            self._sublayers.append(layer)
            self.programs.clear()
            self._settle(rebuild)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer and return it.

        Parameters
        ----------
        rebuild : bool, default True
            Kept for Keras's signature; the other layers keep their weights.

        Returns
        -------
        Layer

        Raises
        ------
        ValueError
            There is no layer.

        Examples
        --------
        >>> import fusegrad as fg
        >>> fg.Sequential([fg.layers.Dense(2, name="last")]).pop().name
        'last'
        """
        flag("Sequential.pop", "rebuild", rebuild)
        if not self._sublayers:
            raise ValueError("pop(): the model has no layers")
        layer = self._sublayers.pop()
        self.programs.clear()
        self._settle(rebuild)
        return layer

    def build(self, input_shape: Shape) -> None:
        """Make the weights of all layers for inputs of this shape.

        Parameters
        ----------
        input_shape : tuple
            ``(None, features)``; None stands for any number of rows.

        Raises
        ------
        fusegrad.errors.ArgumentError
            The model was built for another shape.
        ValueError
            There are no layers.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(2)])
        >>> model.build((None, 3))
        >>> model.count_params()
        8
        """
        wanted = _batch_shape(input_shape)
        known = self._input_shape
        if (self.built or self._input is not None) and known is not None and known != wanted:
            raise ArgumentError(
                "Sequential.build",
                "input_shape",
                f"{known}, which '{self.name}' has been built for",
                str(wanted),
            )
        if not self._sublayers:
            raise ValueError(f"'{self.name}' has no layers; add some first")
        with restored_on_error(self):
            shape = wanted
            for layer in self._sublayers:
                layer.build_for(shape)
                shape = layer.compute_output_shape(shape)
        self._input_shape = wanted
        self.set_paths()
        self.built = True

    def build_for(self, input_shape: Shape) -> None:
        """Build once, for inputs of this shape."""
        if not self.fully_built():
            self.build(input_shape)

    def __call__(self, x: Any, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Apply the layers in order; `training` may also stand second, as in Keras."""
        if args:
            if len(args) > 1 or training is not None or not isinstance(args[0], bool | None):
                got = f"{len(args) + 1} arguments"
                expected = "one array, and training=True or False"
                raise ArgumentError(f"model '{self.name}'", "x", expected, got)
            training = args[0]
        if not training and not kwargs:
            y = quick.called(self, x)
            if y is not None:
                return y
        return super().__call__(x, training=training, **kwargs)

    def call(self, x: Any, training: bool = False) -> Tensor:
        """Apply the layers in order."""
        expected = self.sample_shape()
        if expected is not None and tuple(x.shape[1:]) != expected:
            sizes = ", ".join(str(size) for size in expected)
            got = f"shape {tuple(x.shape)}"
            if tuple(x.shape) == expected:
                got += f" (one sample? write x.reshape({(1, *expected)}))"
            raise ArgumentError(f"model '{self.name}'", "x", f"shape (n, {sizes})", got)
        fused = self._fused_activation()
        layers = self._sublayers if fused is None else self._sublayers[:-1]
        for layer in layers:
            x = layer(x, training=training)
        if fused is not None and current.step is not None:
            logits = self._sublayers[-1].pre_activation(x)
            x = ops.softmax(logits) if fused == "softmax" else ops.sigmoid(logits)
            current.step.logits.append((x, fused, logits))
        result: Tensor = x
        return result

    def _fused_activation(self) -> str | None:
        """The last activation, where a loss in a model's own step may ask for its logits."""
        if current.step is None or current.step.model is None or not self._sublayers:
            return None
        last = self._sublayers[-1]
        name = name_of(last.head_activation())
        return name if name in {"softmax", "sigmoid"} and not has_penalty(last) else None

    def head_activation(self) -> Callable[[Any], Any] | None:
        """Return the function that the last layer applies last, where that is known."""
        return self._sublayers[-1].head_activation() if self._sublayers else None

    def pre_activation(self, x: Any) -> Tensor:
        """Return what the last layer's activation is applied to: the logits of a classifier."""
        result: Tensor = self.run_layers(x, logits=True)
        return result

    def run_layers(self, x: Any, skip: int = 0, logits: bool = False) -> Any:
        """Apply the layers from `skip` on; with `logits` without the last activation."""
        layers = self._sublayers[skip:]
        for i, layer in enumerate(layers):
            if logits and i == len(layers) - 1:
                return layer.pre_activation(x)
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output shape of the last layer."""
        shape = tuple(input_shape)
        for layer in self._sublayers:
            shape = layer.compute_output_shape(shape)
        return shape

    def head_layer(self) -> Layer | None:
        """Return the last layer, also of a Sequential that is the last layer."""
        if not self._sublayers:
            return None
        last = self._sublayers[-1]
        return last.head_layer() if isinstance(last, Model) else last

    def first_layer(self) -> Layer | None:
        """Return the first layer."""
        return self._sublayers[0] if self._sublayers else None

    def input_dtype(self) -> str:
        """Return the dtype of the first layer."""
        first = self.first_layer()
        if isinstance(first, Model):
            return first.input_dtype()
        return self.dtype if first is None else first.dtype

    def get_config(self) -> dict[str, Any]:
        """Return name, layers and the shape that the model was built for.

        Returns
        -------
        dict

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Flatten()], name="flat")
        >>> fg.Sequential.from_config(model.get_config()).name
        'flat'
        """
        entries = [serialize(layer) for layer in self._sublayers]
        if self._input is not None:
            entries.insert(0, {"class_name": "InputLayer", "config": self._input[1]})
        return {
            "name": self.name,
            "trainable": self._trainable,
            "layers": entries,
            "build_input_shape": list(self._input_shape) if self._input_shape else None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """Build a model from the result of `get_config`, with new initial weights."""
        model = cls(
            [deserialize(entry) for entry in config["layers"]],
            trainable=config.get("trainable", True),
            name=config.get("name"),
        )
        shape = config.get("build_input_shape")
        if shape and model._sublayers:
            model.build_for(tuple(shape))
        return model

    def _settle(self, rebuild: bool) -> None:
        """After a change of layers: built where all layers are, and the input is known."""
        known = self._input_shape is not None
        self._edits += 1
        self.built = known and bool(self._sublayers) and all(s.built for s in self._sublayers)
        if rebuild and self.built:
            self.set_paths()
        if not self.built and self._input is None and not any(s.built for s in self._sublayers):
            self._input_shape = None


def _batch_shape(shape: Any) -> Shape:
    known = isinstance(shape, tuple | list) and len(shape) > 1
    if not known or not isinstance(shape[0], int | np.integer | None):
        raise ArgumentError(
            "Sequential.build", "input_shape", "a tuple (None, sizes...)", repr(shape)
        )
    return (
        None,
        *(
            None if size is None else positive_int("Sequential.build", "input_shape", size)
            for size in shape[1:]
        ),
    )
