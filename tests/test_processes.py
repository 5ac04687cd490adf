"""Interrupts, forks and threads: nothing hangs, and the model is always at a batch boundary."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import datasets
from fusegrad.layers import Dense

INTERRUPTED = """
    import os, signal, sys, threading, time
    import numpy as np
    import fusegrad as fg
    from fusegrad.layers import Dense

    # A process whose parent runs in the background is started with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200_000, 64)).astype(np.float32)
    y = rng.integers(0, 10, size=200_000)

    def build():
        fg.utils.set_random_seed(1)
        model = fg.Sequential([fg.Input((64,)), Dense(25, activation="relu"), Dense(10)])
        model.compile("adam", fg.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    model = build()
    late = []
    for _ in range(5):
        sent = []

        def interrupt():
            time.sleep(0.2)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        try:
            model.fit(x, y, epochs=10_000, verbose=0)
        except KeyboardInterrupt:
            late.append(time.perf_counter() - sent[0])
        else:
            sys.exit("no KeyboardInterrupt")
        if len(late) < 5:
            model = build()

    steps = int(model.optimizer.iterations)
    per_epoch = -(-len(x) // 32)
    twin = build()
    epochs, rest = divmod(steps, per_epoch)

    class Stop(fg.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == steps:
                self.model.stop_training = True

    twin.fit(x, y, epochs=epochs + 1, verbose=0, callbacks=[Stop()])
    same = all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights()))
    model.fit(x[:64], y[:64], verbose=0)
    print(f"{sorted(late)[2]:.4f} {int(same)} {steps}")
"""


def test_sigint_stops_at_a_batch_boundary() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(INTERRUPTED)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    late, same, steps = run.stdout.split()
    assert int(steps) > 0
    assert same == "1"
    assert float(late) <= 0.1  # the median of five


def trained_hash(epochs: int = 2) -> str:
    (x, y), _ = datasets.load_digits()
    x = x.reshape(-1, 64).astype(np.float32) / np.float32(16)
    fg.utils.set_random_seed(4)
    model = fg.Sequential([fg.Input((64,)), Dense(512, activation="relu"), Dense(10)])
    model.compile("adam", fg.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, epochs=epochs, batch_size=128, verbose=0)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def report_hash(queue: Any) -> None:
    queue.put(trained_hash())


def hash_in_child(method: str) -> str:
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=report_hash, args=(queue,))
    with warnings.catch_warnings():
        # Python 3.12 warns of any fork beside threads; that it works is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    got: str = queue.get(timeout=60)
    child.join(timeout=60)
    assert child.exitcode == 0
    return got


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_child_process_trains_to_the_same_bits(method: str) -> None:
    fg.set_num_threads(2)
    try:
        want = trained_hash()  # the pool is running when the child starts
        assert hash_in_child(method) == want
    finally:
        fg.set_num_threads(None)


def test_fork_during_training_in_another_thread() -> None:
    want = trained_hash()
    stop = threading.Event()

    def train() -> None:
        while not stop.is_set():
            rng = np.random.default_rng(0)
            model = fg.Sequential([fg.Input((64,)), Dense(256, activation="relu"), Dense(10)])
            model.compile("sgd", fg.losses.SparseCategoricalCrossentropy(from_logits=True))
            model.fit(rng.normal(size=(512, 64)), rng.integers(0, 10, 512), verbose=0)

    thread = threading.Thread(target=train)
    thread.start()
    try:
        for _ in range(5):
            time.sleep(0.05)
            assert hash_in_child("fork") == want
    finally:
        stop.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def test_two_threads_predict_with_one_model() -> None:
    x = np.random.default_rng(0).normal(size=(300, 20)).astype(np.float32)
    model = fg.Sequential([fg.Input((20,)), Dense(30, activation="tanh"), Dense(3)])
    want = model.predict(x, verbose=0)
    wrong: list[int] = []

    def predict(number: int) -> None:
        for _ in range(20):
            if model.predict(x, verbose=0).tobytes() != want.tobytes():
                wrong.append(number)

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


def test_interrupt_signal_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    trained_hash(1)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_default_threads_follow_affinity() -> None:
    cpu = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, {{{cpu}}})\n"
        "import fusegrad as fg; print(fg.get_num_threads())"
    )
    environment = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["1"]
