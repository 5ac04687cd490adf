"""Training steps of fusegrad and of JAX in one process, taken in turns.

    python benchmarks/side_by_side.py [--rounds 15] [--threads 2] [--rows 60000]

Prints the time of a step of each, the median of the paired ratios with its quartiles, and checks
that both train to the same loss from the same weights. Needs `jax` from the `peers` extra.
Workloads: the notes' networks, Adam, float32. JAX runs a whole epoch as one jitted scan over
batches that are gathered inside it, its fastest form.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

import fusegrad as fg
from conftest import load_images
from fusegrad import _core, datasets
from fusegrad.layers import Dense


def jax_epoch(weights: list[Any], batch_size: int) -> Any:
    """A function (state, x, y, order) -> (state, mean loss), and its first state."""
    import jax
    import jax.numpy as jnp

    def loss(params: Any, x: Any, y: Any) -> Any:
        for w, b in params[:-1]:
            x = jax.nn.relu(x @ w + b)
        w, b = params[-1]
        log_p = jax.nn.log_softmax(x @ w + b)
        return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], 1))

    def step(state: Any, rows: Any, x: Any, y: Any) -> Any:
        params, m, v, t = state
        value, grads = jax.value_and_grad(loss)(params, x[rows], y[rows])
        t = t + 1
        alpha = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, grads)
        v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, grads)
        params = jax.tree.map(lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + 1e-7), params, m, v)
        return (params, m, v, t), value

    def epoch(state: Any, x: Any, y: Any, order: Any) -> Any:
        batches = order[: len(order) // batch_size * batch_size].reshape(-1, batch_size)
        return jax.lax.scan(lambda s, rows: step(s, rows, x, y), state, batches)

    params = [
        (jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights[::2], weights[1::2], strict=True)
    ]
    zeros = jax.tree.map(jnp.zeros_like, params)
    return jax.jit(epoch), (params, zeros, zeros, jnp.zeros(()))


def compare(
    name: str, x: Any, y: Any, widths: list[int], batch_size: int, rounds: int
) -> dict[str, Any]:
    import jax

    rows = len(x) // batch_size * batch_size
    x, y = x[:rows], y[:rows]
    fg.utils.set_random_seed(0)
    hidden = [Dense(n, activation="relu") for n in widths[:-1]]
    model = fg.Sequential([fg.Input((x.shape[1],)), *hidden, Dense(widths[-1])])
    model.compile(optimizer="adam", loss=fg.losses.SparseCategoricalCrossentropy(from_logits=True))
    epoch, state = jax_epoch(model.get_weights(), batch_size)
    device_x, device_y = jax.device_put(x), jax.device_put(y.astype(np.int32))
    rng = np.random.default_rng(0)
    orders = [rng.permutation(rows).astype(np.int32) for _ in range(rounds + 1)]
    state, _ = jax.block_until_ready(epoch(state, device_x, device_y, orders[0]))
    model.fit(x, y, batch_size=batch_size, verbose=0)
    ours, theirs = [], []
    for order in orders[1:]:
        start = time.perf_counter()
        history = model.fit(x, y, batch_size=batch_size, verbose=0)
        middle = time.perf_counter()
        state, losses = jax.block_until_ready(epoch(state, device_x, device_y, order))
        theirs.append(time.perf_counter() - middle)
        ours.append(middle - start)
    steps = rows // batch_size
    ratio = np.asarray(ours) / np.asarray(theirs)
    own_loss, peer_loss = history.history["loss"][-1], float(losses.mean())
    assert abs(own_loss - peer_loss) <= 0.05 * max(own_loss, peer_loss) + 0.02, (
        own_loss,
        peer_loss,
    )
    return {
        "workload": name,
        "fusegrad us/step": round(float(np.median(ours)) / steps * 1e6, 2),
        "jax scan us/step": round(float(np.median(theirs)) / steps * 1e6, 2),
        "ratio median": round(float(np.median(ratio)), 4),
        "ratio quartiles": [round(float(q), 4) for q in np.quantile(ratio, [0.25, 0.75])],
        "losses": [round(own_loss, 4), round(peer_loss, 4)],
        "rounds": len(ratio),
        "threads": _core.num_threads(),
        "isa": _core.isa(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, help="threads of fusegrad; its default if not given")
    parser.add_argument("--rows", type=int, default=60_000)
    options = parser.parse_args()
    fg.set_num_threads(options.threads)
    x, y = load_images()
    (digits, labels), _ = datasets.load_digits()
    digits = digits.reshape(-1, 64).astype(np.float32) / np.float32(16)
    n, rounds = options.rows, options.rounds
    for result in (
        compare("784-25-15-10, batch 32", x[:n], y[:n], [25, 15, 10], 32, rounds),
        compare("64-25-15-10, batch 32", digits, labels, [25, 15, 10], 32, rounds * 5),
    ):
        print(json.dumps(result))


if __name__ == "__main__":
    main()
