"""What a step tells the layers that it calls, and what they tell it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusegrad._tensor import Tensor, detached
from fusegrad.variable import Variable

if TYPE_CHECKING:
    from fusegrad.layers.base import Layer


@dataclass(frozen=True)
class Step:
    """One step of training, evaluation or prediction, as the layers see it."""

    training: bool
    #: Returns the place in training as int64 {epoch, first row}, for layers with random masks.
    position: Callable[[], Any] | None = None
    #: Added to the loss: what `Layer.add_loss` was given.
    losses: list[Tensor] = field(default_factory=list)
    #: The layers that gave `losses`, which keep them until the step is over.
    givers: list[Layer] = field(default_factory=list)
    #: New values of weights that are not trained: what `Layer.add_update` was given.
    updates: list[tuple[Variable, Tensor]] = field(default_factory=list)
    #: The model whose `train_step` or `test_step` this is, where that is its own code.
    model: Layer | None = None
    #: In it: outputs of a model under a softmax or sigmoid, its name and the logits.
    logits: list[tuple[Tensor, str, Tensor]] = field(default_factory=list)


class Current(threading.local):
    """Where this thread is."""

    step: Step | None = None
    #: Whether layers that are called now act as in training.
    training: bool = False
    #: The number of the outermost call of a layer that is under way; 0 outside of calls.
    call: int = 0


current = Current()

_calls = itertools.count(1)


def next_call() -> int:
    """Return the number of a new outermost call; they ascend."""
    return next(_calls)


@contextmanager
def call_scope(
    training: bool, position: Callable[[], Any] | None = None, model: Layer | None = None
) -> Iterator[Step]:
    """Set the mode and the place in training for the layer calls inside."""
    saved = current.step, current.training, current.call
    step = Step(training, position, model=model)
    current.step, current.training, current.call = step, training, 0
    try:
        yield step
    finally:
        current.step, current.training, current.call = saved
        for layer in step.givers:
            layer.__dict__.pop("_added", None)


def current_position() -> Any | None:
    """Return the place in training as int64 {epoch, first row}, or None outside a step."""
    step = current.step
    return None if step is None or step.position is None else step.position()


def logits_of(y: Any, activation: str) -> Tensor | None:
    """Return the logits of an output under this activation, in a step of a model's own."""
    step = current.step
    known = () if step is None else step.logits
    return next((x for seen, name, x in known if seen is y and name == activation), None)


def plain(y: Tensor) -> Tensor:
    """Return an output without its gradient; its logits stay known."""
    result = detached(y)
    if result is not y and current.step is not None:
        logits = current.step.logits
        logits += [(result, name, detached(x)) for seen, name, x in logits if seen is y]
    return result
