"""Optimizer updates."""

from __future__ import annotations

from typing import Any

import numpy as np

from op_cases.table import case, draw, internal, normal, positive, scalar
from references import rmsprop_update

LR = scalar(0.125)
case(
    "adam_step_size",
    internal("adam_step_size", scalars=(0.9, 0.999)),
    draw(scalar(0.01), lambda rng: np.asarray(6)),
    lambda lr, t: lr * np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1)),
    float_inputs=(),
)
for _axes, _label in ((None, ""), ((0,), "axis0"), ((0, 2), "axes")):
    _attrs: dict[str, Any] = {"all_axes": True} if _axes is None else {"axes": _axes}
    case(
        "sum_squares",
        internal("sum_squares", **_attrs),
        draw(normal(3, 21, 2)),
        lambda x, a=_axes: np.sum(np.square(x * np.float64(1)), axis=a),
        grad=(0,),
        label=_label,
        rtol32=1e-15,  # in float64 also of float32
    )
case(
    "sgd_update",
    internal("sgd_update"),
    draw(normal(3, 5), normal(3, 5), LR),
    lambda w, g, lr: w - lr * g,
    float_inputs=(0, 1),
)
for _nesterov in (False, True):
    case(
        "momentum_update",
        internal("momentum_update", scalars=(0.9,), flag=_nesterov),
        draw(normal(3, 5), normal(3, 5), normal(3, 5), LR),
        lambda w, m, g, lr, n=_nesterov: (
            w + (0.9 * (0.9 * m - lr * g) - lr * g if n else 0.9 * m - lr * g),
            0.9 * m - lr * g,
        ),
        label="nesterov" if _nesterov else "",
        float_inputs=(0, 1, 2),
    )
for _centered in (False, True):
    for _momentum in (0.0, 0.8):
        _state = [normal(3, 5), lambda rng: rng.uniform(2.0, 3.0, size=(3, 5))]
        _state += [normal(3, 5)] * (int(_centered) + int(_momentum > 0))
        case(
            "rmsprop_update",
            internal("rmsprop_update", scalars=(0.9, _momentum, 1e-7, float(_centered))),
            draw(*_state, normal(3, 5), LR),
            lambda *xs, c=_centered, m=_momentum: rmsprop_update(*xs, centered=c, momentum=m),
            label=f"centered{int(_centered)}-momentum{_momentum}",
            float_inputs=tuple(range(len(_state) + 1)),
        )
for _amsgrad in (False, True):
    _state = [normal(3, 5), normal(3, 5), positive(3, 5)] + [positive(3, 5)] * int(_amsgrad)

    def _adam(w: Any, m: Any, v: Any, *rest: Any) -> tuple[Any, ...]:
        *vhat, g, alpha = rest
        m = m + (g - m) * (1 - 0.9)
        v = v + (g * g - v) * (1 - 0.999)
        top = [np.maximum(vhat[0], v)] if vhat else []
        return (w - alpha * m / (np.sqrt(top[0] if top else v) + 1e-7), m, v, *top)

    case(
        "adam_update",
        internal("adam_update", scalars=(0.9, 0.999, 1e-7)),
        draw(*_state, normal(3, 5), LR),
        _adam,
        label="amsgrad" if _amsgrad else "",
        float_inputs=tuple(range(len(_state) + 1)),
    )
