"""Bad input: the right error, naming the argument, and a model that is bit for bit as before."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bad_input import (
    CALLING,
    CLASS_NAMES,
    KINDS,
    ROWS,
    RUNS,
    Run,
    good_x,
    good_y,
    model_of,
    with_value,
)

import fusegrad as fg
from fusegrad import layers, losses
from fusegrad.errors import ArgumentError


def digest(model: fg.Sequential) -> str:
    """Everything that a call can change."""
    text = hashlib.sha256()
    for array in model.get_weights():
        text.update(array.tobytes())
    for variable in model.optimizer.variables if model.optimizer.built else []:
        text.update(variable.numpy().tobytes())
    state = (
        model._epochs,
        model.seed,
        model.built,
        model.trainable,
        model._input_shape,
        [(layer.name, layer.built, len(layer.weights)) for layer in model.layers],
        id(model.compiled),
        float(model.optimizer.learning_rate.numpy()),
        model.optimizer.built,
    )
    text.update(repr(state).encode())
    return text.hexdigest()


def refused(run: Run, model: fg.Sequential) -> None:
    before = digest(model)
    with pytest.raises(run.error, match=run.text) as caught:
        run.call(model)
    message = str(caught.value)
    assert re.match(run.start, message), message
    assert "\n" not in message
    assert len(message) < 600
    if isinstance(caught.value, ArgumentError):
        named = caught.value.argument
        assert named == run.argument or named.startswith(f"{run.argument}["), message
        assert caught.value.expected
        assert caught.value.got
    else:
        assert run.argument is None
    assert digest(model) == before


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.title)
def test_refused_and_nothing_changed(run: Run) -> None:
    model = model_of(run.kind)
    refused(run, model)
    model.fit(good_x(), KINDS[run.kind].y(), verbose=0)  # and it is of use
    assert all(np.isfinite(array).all() for array in model.get_weights())


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize(
    "run", [run for run in RUNS if not run.built and run.entry not in CALLING], ids=lambda r: r.title
)
def test_an_unbuilt_model_stays_unbuilt(run: Run, eagerly: bool) -> None:
    model = model_of(run.kind, built=False, eagerly=eagerly)
    refused(run, model)
    assert not model.built
    assert model.get_weights() == []
    assert not model.optimizer.built
