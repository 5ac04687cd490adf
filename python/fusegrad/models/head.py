"""Where the last layer meets the loss: which pairs are computed from logits, which are mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusegrad import activations, ops
from fusegrad._checks import warn
from fusegrad.errors import ArgumentError
from fusegrad.layers import Dense, Layer
from fusegrad.losses import Loss

if TYPE_CHECKING:
    from fusegrad.models.model import Model

# Activations whose outputs are probabilities.
_PROBABILITIES = frozenset({"softmax", "sigmoid", "hard_sigmoid"})


@dataclass(frozen=True)
class Head:
    """The last layer of a model together with its loss."""

    layer: Layer | None  # the last layer, where it is known
    activation: str | None  # what it applies last; None: unknown
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
    activation = None if layer is None else name_of(layer.head_activation())
    if layer is None or loss is None or loss.link is None:
        return Head(layer, activation, loss, fused=False, logits=False)
    if bool(getattr(loss, "from_logits", False)):
        return Head(layer, activation, loss, fused=False, logits=True)
    if activation == loss.link and not has_penalty(layer):
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
    if head.logits and activation in _PROBABILITIES:
        also = " (it is computed from the logits too)" if activation == loss.link else ""
        text = (
            f"the last layer '{layer.name}' already applies {activation}, and "
            f"{kind}(from_logits=True) applies {loss.link} to it again: "
            f"{_instead(layer, 'linear')}, or write {kind}(){also}"
        )
    elif not head.logits and activation not in _PROBABILITIES:
        logits = f"{kind}(from_logits=True)"
        if activation != "linear":
            logits = f"activation='linear' with {logits}"
        text = (
            f"the last layer '{layer.name}' is {activation}, so its outputs are no probabilities: "
            f"{_instead(layer, loss.link)}, or write {logits}"
        )
    else:
        return
    warn(text)


def _instead(layer: Layer, activation: str) -> str:
    """Return what to write for another activation at the end."""
    if isinstance(getattr(type(layer), "activation", None), property):
        return f"write activation='{activation}' in the layer"
    if activation == "linear":
        return "leave the layer out"
    return f"write layers.Activation('{activation}') in its place"


def units_of(layer: Layer | None) -> int | None:
    """Return the number of outputs of the last layer where it can be told before data are seen."""
    if isinstance(layer, Dense):
        return layer.units
    if layer is not None and layer.built and layer._input_shape is not None:
        return layer.output_shape[-1]
    return None


def name_of(function: Any) -> str | None:
    """Return the name of one of our functions; one of the user's own may do anything."""
    if function is None:
        return None
    name = activations.name_of(function)
    known = any(getattr(module, name, None) is function for module in (activations, ops))
    return name if known else None


def has_penalty(layer: Layer) -> bool:
    """Whether the output of a layer, or of one inside it, is regularized."""
    return layer.activity_regularizer is not None or any(map(has_penalty, layer._sublayers))
