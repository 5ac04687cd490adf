"""Adam: running means of the gradient and of its square."""

from __future__ import annotations

from typing import Any

from fusegrad._checks import flag, number
from fusegrad.optimizers.base import Optimizer, register
from fusegrad.optimizers.schedules import LearningRateSchedule


@register
class Adam(Optimizer):
    """Adaptive moments.

    ``m += (g - m) * (1 - beta_1)``, ``v += (g**2 - v) * (1 - beta_2)``,
    ``w -= alpha * m / (sqrt(v) + epsilon)`` with
    ``alpha = lr * sqrt(1 - beta_2**t) / (1 - beta_1**t)`` at step t = 1, 2, ...; `amsgrad` takes
    the largest v so far. This is Keras's form: epsilon is not bias-corrected. D. Kingma and J. Ba,
    "Adam: a method for stochastic optimization", ICLR 2015; S. Reddi et al., "On the convergence of
    Adam and beyond", ICLR 2018.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule, default 0.001
    beta_1 : float, default 0.9
        In [0, 1).
    beta_2 : float, default 0.999
        In [0, 1).
    epsilon : float, default 1e-7
    amsgrad : bool, default False
    clipnorm, clipvalue, global_clipnorm : float, optional
        At most one of them: `Optimizer` has their formulas.
    name : str, default "adam"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range, or there is more than one kind of clipping.

    Examples
    --------
    >>> from fusegrad import optimizers
    >>> optimizers.Adam(learning_rate=3e-4)
    <Adam learning_rate=0.0003>
    """

    rule = "adam"

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "adam",
    ) -> None:
        super().__init__(
            learning_rate,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            name=name,
        )
        self.beta_1 = number("Adam", "beta_1", beta_1, 0.0, 1.0, below=True)
        self.beta_2 = number("Adam", "beta_2", beta_2, 0.0, 1.0, below=True)
        self.epsilon = number("Adam", "epsilon", epsilon, 0.0)
        self.amsgrad = flag("Adam", "amsgrad", amsgrad)

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the core's rule needs besides the learning rate."""
        return {
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }
