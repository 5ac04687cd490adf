"""The command ``fusegrad``: a demonstration, and what this build is."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fusegrad.callbacks import History
    from fusegrad.models import Model

__all__ = ["main"]

_EPOCHS = 100
_MISREAD = 4  # pictures shown
_PICTURE = 20  # columns of one, with the space after it
_SHADES = " .:-=+*#%@"
_FORMATS = (".safetensors", ".npz")

Array = NDArray[Any]


class _Failure(Exception):
    """What ends the command with one line of text."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, by default those of the process.

    Returns
    -------
    int
        The exit code: 0; 1 where something failed; 130 after Ctrl-C. Wrong arguments leave with
        `SystemExit` and code 2.

    Examples
    --------
    >>> from fusegrad.cli import main
    >>> main(["info"])  # doctest: +ELLIPSIS
    fusegrad ...
    0
    """
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], None] = arguments.command
    try:
        command(arguments)
    except KeyboardInterrupt:
        print("fusegrad: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough: `fusegrad demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (_Failure, OSError, ValueError) as error:
        print(f"fusegrad: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    import fusegrad

    parser = argparse.ArgumentParser(
        prog="fusegrad", description="Train small and medium neural networks on CPUs."
    )
    parser.add_argument("--version", action="version", version=f"fusegrad {fusegrad.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser(
        "demo",
        help="train a network that reads handwritten digits",
        description="Train Dense(25, relu) Dense(15, relu) Dense(10) on four fifths of the bundled "
        "handwritten digits and show how it reads the others.",
    )
    demo.add_argument("--epochs", type=_count, default=_EPOCHS, help="default %(default)s")
    demo.add_argument("--seed", type=_seed, default=0, help="default %(default)s")
    demo.add_argument("--save", type=Path, metavar="FILE", help="weights: .safetensors or .npz")
    demo.add_argument("--plot", type=Path, metavar="FILE", help="training curve: .png")
    demo.add_argument("--quiet", action="store_true", help="print the accuracy only")
    demo.set_defaults(command=_demo)
    info = commands.add_parser("info", help="show version, compiler, instruction sets and threads")
    info.set_defaults(command=_info)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number below 2**32, got {text!r}")
    return int(text)


def _info(arguments: argparse.Namespace) -> None:
    from fusegrad import config

    config.show()


def _demo(arguments: argparse.Namespace) -> None:
    from fusegrad import Input, Sequential, datasets, layers, losses, optimizers, utils

    save: Path | None = arguments.save
    plot: Path | None = arguments.plot
    say: Callable[[str], None] = _silence if arguments.quiet else print
    if save is not None:
        _check_target("--save", save, _FORMATS)
    if plot is not None:
        _check_target("--plot", plot, (".png",))
        _check_matplotlib()

    utils.set_random_seed(arguments.seed)
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    model = Sequential(
        [
            Input((8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(25, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(10, activation="linear"),
        ],
        name="digits",
    )
    model.compile(
        optimizer=optimizers.Adam(),
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    say(f"{len(x_train)} handwritten digits to learn from, {len(x_test)} held out.")
    if not arguments.quiet:
        model.summary()
    started = time.perf_counter()
    history = _train(model, (x_train, y_train), (x_test, y_test), arguments)
    say(f"Trained for {arguments.epochs} epochs in {time.perf_counter() - started:.2f} s.\n")

    predicted = np.argmax(model.predict(x_test, batch_size=256, verbose=0), axis=1)
    accuracy = float(np.mean(predicted == y_test))
    say(classification_table(y_test, predicted, 10))
    wrong = np.flatnonzero(predicted != y_test)
    if wrong.size:
        say(f"\n{wrong.size} of {len(y_test)} misread, among them:\n")
        fitting = max(1, (shutil.get_terminal_size().columns + 4) // _PICTURE)
        say(_pictures(x_test, y_test, predicted, wrong[: min(_MISREAD, fitting)]))
    if arguments.quiet:
        print(f"accuracy {accuracy:.4f}")
    if save is not None:
        _save_weights(model, save)
        say(f"\nWeights saved to {save}")
    if plot is not None:
        history.plot(path=plot)
        say(f"Training curve saved to {plot}")


def _silence(text: str) -> None:
    """Print nothing."""


def _train(
    model: Model,
    train: tuple[Array, Array],
    test: tuple[Array, Array],
    arguments: argparse.Namespace,
) -> History:
    """Train with one bar over all epochs on a terminal, and ten lines elsewhere."""
    from fusegrad.callbacks import Callback
    from fusegrad.callbacks.progress import format_value, make_bar, style

    epochs: int = arguments.epochs

    class Report(Callback):
        def __init__(self) -> None:
            super().__init__()
            self.style = 0 if arguments.quiet else style("auto")
            self.bar = (
                make_bar(epochs, unit="epoch", dynamic_ncols=True) if self.style == 1 else None
            )

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            text = ", ".join(f"{name} {format_value(v)}" for name, v in (logs or {}).items())
            if self.bar is not None:
                accuracy = format_value((logs or {}).get("val_accuracy", 0.0))
                self.bar.set_postfix_str(f"val_accuracy {accuracy}", refresh=False)
                self.bar.update(1)
            elif self.style == 2 and (epoch + 1) % max(1, epochs // 10) == 0:
                print(f"epoch {epoch + 1:>{len(str(epochs))}}: {text}")

    report = Report()
    try:
        return model.fit(*train, epochs=epochs, verbose=0, callbacks=[report], validation_data=test)
    finally:
        if report.bar is not None:
            report.bar.close()


def classification_table(truth: Array, predicted: Array, classes: int) -> str:
    """Return precision, recall, F1 and support of each class, and the accuracy, as text.

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n,)
    classes : int

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> print(classification_table(np.array([0, 1]), np.array([0, 0]), 2))
    digit  precision  recall  f1-score  support
        0      0.500   1.000     0.667        1
        1      0.000   0.000     0.000        1
    accuracy 0.500 (1 of 2)
    """
    lines = ["digit  precision  recall  f1-score  support"]
    for label in range(classes):
        right = int(np.sum((truth == label) & (predicted == label)))
        support = int(np.sum(truth == label))
        said = int(np.sum(predicted == label))
        precision = right / said if said else 0.0
        recall = right / support if support else 0.0
        f1 = 2 * right / (said + support) if said + support else 0.0
        lines.append(f"{label:>5}{precision:>11.3f}{recall:>8.3f}{f1:>10.3f}{support:>9}")
    right = int(np.sum(truth == predicted))
    lines.append(f"accuracy {right / len(truth):.3f} ({right} of {len(truth)})")
    return "\n".join(lines)


def _pictures(images: Array, truth: Array, predicted: Array, rows: Array) -> str:
    """Return some images side by side in characters, two for each pixel."""
    titles = [f"{truth[i]} read as {predicted[i]}" for i in rows]
    lines = ["    ".join(f"{title:<16}" for title in titles).rstrip()]
    for y in range(images.shape[1]):
        parts = []
        for i in rows:
            shades = images[i, y].astype(int) * (len(_SHADES) - 1) // 16
            parts.append("".join(_SHADES[shade] * 2 for shade in shades))
        lines.append("    ".join(parts).rstrip())
    return "\n".join(lines)


def _check_target(option: str, path: Path, suffixes: tuple[str, ...]) -> None:
    """See before training that a file can be written there."""
    if path.suffix not in suffixes:
        raise _Failure(f"{option}: expected a name ending in {' or '.join(suffixes)}, got '{path}'")
    if not path.absolute().parent.is_dir():
        raise _Failure(f"{option}: there is no folder '{path.absolute().parent}'")
    if path.is_dir():
        raise _Failure(f"{option}: '{path}' is a folder")


def _check_matplotlib() -> None:
    from fusegrad.callbacks.history import matplotlib_figure

    try:
        matplotlib_figure("--plot")
    except ImportError as error:
        raise _Failure(str(error)) from None


def _save_weights(model: Model, path: Path) -> None:
    arrays: dict[str, Any] = {weight.path: weight.numpy() for weight in model.weights}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return
    from safetensors.numpy import save

    path.write_bytes(save(arrays))  # save_file would deny others the reading, whatever the umask
