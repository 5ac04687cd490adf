"""Where the last layer meets the loss: which pairs are computed from logits, which are mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusegrad import activations, ops
from fusegrad._checks import warn
from fusegrad.errors import ArgumentError
from fusegrad.layers import Activation, Dense, Layer
from fusegrad.losses import Loss

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_LINKS: dict[Any, str] = {
    activations.softmax: "softmax",
    ops.softmax: "softmax",
    activations.sigmoid: "sigmoid",
    ops.sigmoid: "sigmoid",
}


@dataclass(frozen=True)
class Head:
    """The last layer of a model together with its loss."""

    layer: Layer | None  # the last layer, where it is one with an activation
    activation: str | None  # that activation; None: unknown
    loss: Loss | None  # what is computed: the given loss, or the same from logits
    fused: bool  # the activation is left out, and the loss gets the logits
    logits: bool  # the loss gets logits

    @property
    def note(self) -> str:
        """What `summary` says about it; empty where nothing is fused."""
        if not self.fused or self.layer is None:
            return ""
        return (
            f"Fused: the {self.activation} of '{self.layer.name}' is computed together with the "
            "loss, from the logits"
        )


def head_of(model: Model, loss: Loss | None) -> Head:
    """Return how the model's last layer and a loss meet."""
    layer = model.head_layer()
    activation = _activation_of(layer)
    if layer is None or loss is None or loss.link is None:
        return Head(layer, activation, loss, fused=False, logits=False)
    if bool(getattr(loss, "from_logits", False)):
        return Head(layer, activation, loss, fused=False, logits=True)
    if activation == loss.link and layer.activity_regularizer is None:
        return Head(layer, activation, loss.with_logits(), fused=True, logits=True)
    return Head(layer, activation, loss, fused=False, logits=False)


def check_units(where: str, head: Head, units: int | None) -> None:
    """Raise ArgumentError for one output where the loss or the activation needs several."""
    if units != 1 or head.loss is None:
        return
    kind = type(head.loss).__name__
    if head.loss.link == "softmax":
        raise ArgumentError(
            where,
            "loss",
            f"at least 2 outputs for {kind}; for two classes and 1 output write BinaryCrossentropy",
            "a model with 1 output",
        )
    if head.activation == "softmax":
        raise ArgumentError(
            where,
            "model",
            "at least 2 outputs under a softmax, which is always 1 for a single one; write "
            "activation='sigmoid'",
            "a softmax over 1 output",
        )


def warn_mismatch(head: Head) -> None:
    """Warn where probabilities are taken for logits, or the other way round."""
    loss, activation, layer = head.loss, head.activation, head.layer
    if loss is None or loss.link is None or activation is None or layer is None or head.fused:
        return
    kind = type(loss).__name__
    if head.logits and activation in {"softmax", "sigmoid"}:
        text = (
            f"the last layer '{layer.name}' already applies {activation}, and "
            f"{kind}(from_logits=True) applies {loss.link} to it again: write "
            f"activation='linear' in the layer, or {kind}() (it is computed from the logits too)"
        )
    elif not head.logits and activation not in {"softmax", "sigmoid"}:
        text = (
            f"the last layer '{layer.name}' is {activation}, so its outputs are no probabilities: "
            f"write {kind}(from_logits=True), or activation='{loss.link}' in the layer"
        )
    else:
        return
    warn(text)


def units_of(layer: Layer | None) -> int | None:
    """Return the number of outputs of the last layer where it can be told before data are seen."""
    if isinstance(layer, Dense):
        return layer.units
    if layer is not None and layer.built and layer._input_shape is not None:
        return layer.output_shape[-1]
    return None


def _activation_of(layer: Any) -> str | None:
    if not isinstance(layer, Dense | Activation):
        return None
    function = layer.activation
    if isinstance(function, Activation):
        return None  # a layer inside the layer: called as it is
    return _LINKS.get(function) or activations.name_of(function)
