"""A problem that several tests of transforms share."""

import numpy as np
import pytest


@pytest.fixture
def problem():
    """Return parameters, inputs and labels of `differences.network`."""
    rng = np.random.default_rng(0)
    parameters = [
        (rng.normal(size=(4, 5)), rng.normal(size=5)),
        (rng.normal(size=(5, 3)), rng.normal(size=3)),
    ]
    return parameters, rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
