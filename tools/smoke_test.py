"""What a user of an installed fusegrad does first; stops where the source tree could be found.

`nox -s wheel` runs it in a fresh environment, from an empty folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import fusegrad
from fusegrad import Sequential, datasets, layers, losses


def main() -> None:
    """Train on the bundled digits and predict."""
    installed = Path(fusegrad.__file__).resolve()
    assert installed.is_relative_to(Path(sys.prefix).resolve()), f"{installed} is not installed"
    assert not any(Path(entry, "fusegrad", "_tensor.pyx").exists() for entry in sys.path)

    for needed in (
        Path(fusegrad.get_include(), "fusegrad", "extension.h"),
        Path(fusegrad.get_cmake_dir(), "fusegradConfig.cmake"),
        Path(fusegrad.get_library_dir(), "libfusegrad_core.so"),
    ):
        assert needed.is_file(), f"{needed} is not installed"
        assert needed.is_relative_to(installed.parent)

    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    fusegrad.utils.set_random_seed(1)
    model = Sequential(
        [
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(25, activation="relu"),
            layers.Dense(10, activation="linear"),
        ]
    )
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x_train, y_train, epochs=20, verbose=0)
    right = float((model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean())
    assert right > 0.9, f"only {right:.3f} of the test images are read right"
    print(f"{installed.parent}: {right:.3f} of the test images are read right")


if __name__ == "__main__":
    main()
