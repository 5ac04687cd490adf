"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from fusegrad._checks import flag, number
from fusegrad.optimizers.base import Optimizer, register
from fusegrad.optimizers.schedules import LearningRateSchedule


@register
class SGD(Optimizer):
    """Gradient descent.

    Without momentum ``w -= lr * g``. With it ``m = momentum * m - lr * g`` and ``w += m``, or
    ``w += momentum * m - lr * g`` with `nesterov`. Y. Nesterov, 1983; I. Sutskever et al., "On the
    importance of initialization and momentum in deep learning", ICML 2013.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.01
    momentum : float, default 0.0
        In [0, 1].
    nesterov : bool, default False
    clipnorm, clipvalue, global_clipnorm : float, optional
        At most one of them: `Optimizer` has their formulas.
    name : str, default "sgd"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range, or there is more than one kind of clipping.

    Examples
    --------
    >>> from fusegrad import optimizers
    >>> optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    <SGD learning_rate=0.1>
    """

    rule = "sgd"

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "sgd",
    ) -> None:
        super().__init__(
            learning_rate,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            name=name,
        )
        self.momentum = number("SGD", "momentum", momentum, 0.0, 1.0)
        self.nesterov = flag("SGD", "nesterov", nesterov)

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the core's rule needs besides the learning rate."""
        return {"momentum": self.momentum, "nesterov": self.nesterov}
