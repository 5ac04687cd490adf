"""RMSprop: gradients divided by a running mean of their size."""

from __future__ import annotations

from typing import Any

from fusegrad._checks import flag, number
from fusegrad.optimizers.base import Optimizer, register
from fusegrad.optimizers.schedules import LearningRateSchedule


@register
class RMSprop(Optimizer):
    """Gradient descent with each gradient divided by a running root mean square.

    ``v = rho * v + (1 - rho) * g**2``, ``step = lr * g / sqrt(v + epsilon)``; with `centered` also
    ``a = rho * a + (1 - rho) * g`` and ``sqrt(v - a**2 + epsilon)``; with momentum
    ``b = momentum * b + step``, ``w -= b``. T. Tieleman and G. Hinton, 2012. The default of
    `compile`, as in Keras.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.001
    rho : float, default 0.9
        In [0, 1].
    momentum : float, default 0.0
        In [0, 1].
    epsilon : float, default 1e-7
    centered : bool, default False
    clipnorm, clipvalue, global_clipnorm : float, optional
        At most one of them: `Optimizer` has their formulas.
    name : str, default "rmsprop"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range, or there is more than one kind of clipping.

    Examples
    --------
    >>> from fusegrad import optimizers
    >>> optimizers.RMSprop()
    <RMSprop learning_rate=0.001>
    """

    rule = "rmsprop"

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "rmsprop",
    ) -> None:
        super().__init__(
            learning_rate,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            name=name,
        )
        self.rho = number("RMSprop", "rho", rho, 0.0, 1.0)
        self.momentum = number("RMSprop", "momentum", momentum, 0.0, 1.0)
        self.epsilon = number("RMSprop", "epsilon", epsilon, 0.0)
        self.centered = flag("RMSprop", "centered", centered)

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the core's rule needs besides the learning rate."""
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
