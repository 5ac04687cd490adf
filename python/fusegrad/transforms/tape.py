"""GradientTape: gradients of what a block of statements computes, with TensorFlow's meaning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from fusegrad import ops
from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import (
    GraphHandle,
    Hold,
    Tape,
    Tensor,
    as_tensor,
    current_builder,
    gradients,
    identity,
    identity_on,
    rebind,
)
from fusegrad.errors import ArgumentError
from fusegrad.transforms.jacobians import block, units
from fusegrad.transforms.trees import fill, leaves, leaves_like, recording, zeros_like
from fusegrad.variable import Variable, substitutes

__all__ = ["GradientTape"]

__getattr__ = missing(__name__, __all__)


class GradientTape(Spelled):
    """Records what is computed in its block, to differentiate it.

    Parameters
    ----------
    persistent : bool, default False
        Whether `gradient` and `jacobian` can be called more than once. What was recorded is kept
        until then: as long as the tape itself.
    watch_accessed_variables : bool, default True
        Whether trainable Variables are watched when the block reads them.

    Notes
    -----
    Tapes nest, for higher orders. In a function that is traced, by `jit` or `compile`, a tape is a
    part of what is compiled. Elements of Tensors that are being recorded cannot be looked at in the
    block, which would cut the gradient: look at them after it, or within `stop_recording`.

    Examples
    --------
    >>> import fusegrad as fg
    >>> x = fg.Tensor(3.0)
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    Tensor(6., dtype=float32)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = bool(persistent)
        self._accessed = bool(watch_accessed_variables)
        self._recorder: Tape | GraphHandle | None = None
        self._hold: Hold | None = None
        self._owner = False  # the block began the recording
        self._readable = False  # of the recorder before
        self._active = False  # in the block
        self._used = False
        self._cut = False  # ended by the end of a block around it
        self._first = 0  # node of the recorder
        self._open: int | None = None
        self._ranges: list[tuple[int, int]] = []
        self._watched: dict[int, tuple[Any, list[Tensor]]] = {}
        self._variables: dict[int, Variable] = {}
        self._reads: dict[int, tuple[Tensor | None, Tensor]] = {}
        self._rebound: list[tuple[Tensor, Tensor]] = []

    def __enter__(self) -> Self:
        if self._recorder is not None:
            raise RuntimeError("a GradientTape records one block: make another one")
        self._begin()
        substitutes.tapes.append(self)
        self._active = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._active and substitutes.tapes[-1] is not self:
            # Generators can end blocks in any order, but that one records on what this one began.
            inner = substitutes.tapes[-1]
            inner._cut = True
            inner._stop()
        self._stop()
        if self._used and not self._persistent:
            self._release()

    def _stop(self) -> None:
        if self._active:
            substitutes.tapes.remove(self)
            self._active = False
            self._end()

    def _begin(self) -> None:
        recorder = current_builder()
        self._owner = recorder is None
        if recorder is None:
            recorder = Tape()
            recorder.__enter__()
        if isinstance(recorder, Tape):
            self._hold = Hold(recorder)
            self._readable, recorder.readable = recorder.readable, False
        self._recorder = recorder
        self._first = self._open = recorder.num_nodes()
        self._ranges = []

    def _end(self) -> None:
        self._close()
        for tensor, before in reversed(self._rebound):
            rebind(tensor, before)
        self._rebound.clear()
        self._reads.clear()
        if isinstance(self._recorder, Tape):
            self._recorder.readable = self._readable
            if self._owner:
                self._recorder.__exit__(None, None, None)

    def _close(self) -> None:
        if self._open is not None and self._recorder is not None:
            self._ranges.append((self._open, self._recorder.num_nodes()))
        self._open = None

    def _release(self) -> None:
        self._hold = None
        self._watched.clear()
        self._ranges.clear()

    # ---- what is recorded

    def watch(self, tensor: Any) -> None:
        """Record what is computed from `tensor` from here on.

        Parameters
        ----------
        tensor : Tensor, Variable, or nested containers of them
            Floating.

        Raises
        ------
        fusegrad.errors.ArgumentError
            For anything else, such as NumPy arrays and numbers.
        RuntimeError
            Outside of the block.
        """
        if not self._active:
            raise RuntimeError("watch() works in the block of the GradientTape")
        for leaf in leaves(tensor):
            if not isinstance(leaf, Tensor | Variable):
                expected = "Tensors and Variables (write fusegrad.Tensor(x) for an array x)"
                raise ArgumentError("GradientTape.watch", "tensor", expected, f"{leaf!r:.200}")
            if leaf.dtype.kind != "f":
                raise ArgumentError(
                    "GradientTape.watch", "tensor", "floating Tensors", f"dtype {leaf.dtype}"
                )
        for leaf in leaves(tensor):
            if isinstance(leaf, Variable):
                self._variables[id(leaf)] = leaf
                _ = leaf.value
            elif id(leaf) not in self._watched and not self._has(leaf):
                # In place: the very Tensor stands for a value on the recording, until the block
                # ends.
                value = identity(leaf)
                self._rebound.append((leaf, rebind(leaf, value)))
                self._watched[id(leaf)] = (leaf, [value])

    def read_variable(self, variable: Variable, value: Tensor, substitute: Tensor | None) -> Tensor:
        """Return what a Variable is in the block; called by `Variable.value`."""
        key = id(variable)
        if self._open is None or not (
            key in self._variables
            or (self._accessed and variable.trainable and variable.dtype.kind == "f")
        ):
            return value
        known = self._reads.get(key)
        if known is not None and known[0] is substitute:
            return known[1]
        self._variables[key] = variable
        recorder = current_builder()
        if isinstance(recorder, GraphHandle):  # maybe of an example of a batch
            recorder = recorder.around()
        watched = identity_on(recorder, value)
        self._reads[key] = substitute, watched
        self._watched.setdefault(key, (variable, []))[1].append(watched)
        return watched

    def variable_assigned(self, variable: Variable) -> None:
        """Forget what a Variable was; called by `Variable.assign`."""
        self._reads.pop(id(variable), None)

    def variables_read(self, first: int) -> list[Tensor]:
        """Return what stands for the Variables that were read at node `first` or later."""
        recorder = self._recorder
        if recorder is None:
            return []
        return [x for _, x in self._reads.values() if recorder.node_of(x) >= first]

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the Variables that have been watched, in the order in which they were read."""
        return tuple(self._variables.values())

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Within this block, record nothing: what it computes is constant to the tape.

        Raises
        ------
        RuntimeError
            Where nothing is being recorded.
        """
        if self._open is None or self._recorder is None:
            raise RuntimeError("stop_recording() works in the block of the GradientTape")
        self._close()
        tape = self._recorder
        # A tape that nobody else records on is left, so that nothing is kept.
        alone = self._owner and substitutes.tapes[-1] is self and current_builder() is tape
        if alone and isinstance(tape, Tape):
            tape.suspend()
        try:
            yield
        finally:
            if alone and isinstance(tape, Tape):
                tape.resume()
            self._reads.clear()
            if not self._used or self._persistent:
                self._open = tape.num_nodes()

    def reset(self) -> None:
        """Forget all that was recorded and watched, and go on.

        Raises
        ------
        RuntimeError
            In the block of another tape within this one.
        """
        if self._active and substitutes.tapes[-1] is not self:
            raise RuntimeError("reset() works in the innermost block of a GradientTape")
        if self._active:
            self._end()
        self._release()
        self._variables.clear()
        self._used = False
        if self._active:
            self._begin()

    # ---- derivatives

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: str = "none",
    ) -> Any:
        """Return the gradient of `target` with respect to `sources`.

        Parameters
        ----------
        target : Tensor, Variable, or nested containers of them
            Floating, of any shapes: the elements of all are added up.
        sources : Tensor, Variable, or nested containers of them
            What was watched, or computed from it in the block.
        output_gradients : array_like, or nested containers of such, optional
            The weights of the elements of `target`, of its structure and shapes; ones.
        unconnected_gradients : {"none", "zero"}, default "none"
            What stands for the gradient with respect to what `target` does not depend on: None, or
            zeros.

        Returns
        -------
        gradient
            Of the structure of `sources`.

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is something else.
        RuntimeError
            At the second call of `gradient` or `jacobian` where the tape is not persistent; where
            the block of a tape around this one ended first.

        Examples
        --------
        >>> import fusegrad as fg
        >>> v, w = fg.Variable(2.0), fg.Variable(5.0)
        >>> with GradientTape() as tape:
        ...     y = v * v * v
        >>> tape.gradient(y, {"v": v, "w": w})
        {'v': Tensor(12., dtype=float32), 'w': None}
        """
        where = "GradientTape.gradient"
        zero = self._checked(where, sources, unconnected_gradients)
        targets, seeds = self._targets(where, target, output_gradients)
        places = [self._places(source) for source in leaves(sources)]
        found = iter(self._differentiated(targets, seeds, places))
        result = [
            self._sum(found, source, place, zero)
            for source, place in zip(leaves(sources), places, strict=True)
        ]
        self._finish()
        return fill(sources, result)

    def jacobian(self, target: Any, sources: Any, unconnected_gradients: str = "none") -> Any:
        """Return the derivatives of each element of `target` with respect to `sources`.

        Parameters
        ----------
        target : Tensor or Variable
            Floating.
        sources, unconnected_gradients
            As for `gradient`.

        Returns
        -------
        jacobian
            Of the structure of `sources`; arrays of shape ``target.shape + source.shape``.

        Raises
        ------
        fusegrad.errors.ArgumentError, RuntimeError
            As for `gradient`.

        Examples
        --------
        >>> import fusegrad as fg
        >>> x = fg.Tensor([1.0, 2.0])
        >>> with GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x**2
        >>> tape.jacobian(y, x)
        Tensor([[2., 0.],
                [0., 4.]], dtype=float32)
        """
        where = "GradientTape.jacobian"
        if not isinstance(target, Tensor | Variable):
            raise ArgumentError(where, "target", "one Tensor", f"{target!r:.200}")
        zero = self._checked(where, sources, unconnected_gradients)
        targets, _ = self._targets(where, target, None)
        y = targets[0]
        places = [self._places(source) for source in leaves(sources)]
        rows = []
        for seed in units(y):
            found = iter(self._differentiated(targets, [seed], places))
            rows.append(
                [
                    self._sum(found, source, place, False)
                    for source, place in zip(leaves(sources), places, strict=True)
                ]
            )
        result: list[Tensor | None] = []
        for i, source in enumerate(leaves(sources)):
            lines = [row[i] for row in rows]
            if not zero and all(line is None for line in lines):
                result.append(None)
            else:
                like = as_tensor(source)
                result.append(block(lines, y, like, (*y.shape, *like.shape), 0))
        self._finish()
        return fill(sources, result)

    def _checked(self, where: str, sources: Any, unconnected: str) -> bool:
        if unconnected not in ("none", "zero"):
            raise ArgumentError(
                where, "unconnected_gradients", "'none' or 'zero'", repr(unconnected)
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "this GradientTape has given its gradients: make it with persistent=True to ask"
                " more than once"
            )
        if self._cut:
            raise RuntimeError(
                "the block of this GradientTape began in that of another one, which ended first:"
                " what followed was not recorded"
            )
        if self._recorder is None:
            raise RuntimeError("this GradientTape has recorded nothing: use it in a with statement")
        for source in leaves(sources):
            if not isinstance(source, Tensor | Variable):
                expected = "Tensors and Variables that were watched"
                raise ArgumentError(where, "sources", expected, f"{source!r:.200}")
        if not self._persistent and self._active and substitutes.tapes[-1] is self:
            self._stop()  # what follows in the block is not recorded
        return unconnected == "zero"

    def _targets(self, where: str, target: Any, weights: Any) -> tuple[list[Tensor], list[Any]]:
        found = []
        for leaf in leaves(target):
            if not isinstance(leaf, Tensor | Variable):
                raise ArgumentError(where, "target", "Tensors", f"{leaf!r:.200}")
            if leaf.dtype.kind != "f":
                raise ArgumentError(where, "target", "floating Tensors", f"dtype {leaf.dtype}")
            places = self._places(leaf)
            found.append(places[-1] if places else as_tensor(leaf))
        if weights is None:
            return found, [None] * len(found)
        seeds = []
        given = leaves_like(where, "output_gradients", weights, target)
        for leaf, y in zip(given, found, strict=True):
            seed = None if leaf is None else as_tensor(leaf, y.dtype)
            if seed is not None and seed.shape != y.shape:
                expected = f"shape {y.shape}, as that of the target"
                raise ArgumentError(where, "output_gradients", expected, f"shape {seed.shape}")
            seeds.append(seed)
        return found, seeds

    def _has(self, tensor: Tensor) -> bool:
        """Return whether a Tensor is on this tape."""
        if self._recorder is None:
            return False
        node = self._recorder.node_of(tensor)
        ends = [*self._ranges, *([] if self._open is None else [(self._open, 1 << 31)])]
        return any(begin <= node < end for begin, end in ends)

    def _places(self, source: Tensor | Variable) -> list[Tensor]:
        """Return what stands for a source on the recording: a Variable once for each value."""
        known = self._watched.get(id(source))
        if known is not None:
            return known[1]
        if isinstance(source, Tensor) and self._has(source):
            return [source]
        return []

    def _differentiated(
        self, targets: list[Tensor], seeds: list[Any], places: list[list[Tensor]]
    ) -> list[Tensor | None]:
        within = list(self._ranges)
        if self._open is not None and self._recorder is not None:
            within.append((self._open, self._recorder.num_nodes()))
        xs = [x for place in places for x in place]
        with recording():
            return gradients(targets, xs, seeds, within)

    def _sum(
        self, found: Iterator[Tensor | None], source: Any, place: list[Tensor], zero: bool
    ) -> Tensor | None:
        total: Tensor | None = None
        for _ in place:
            part = next(found)
            if part is not None:
                total = part if total is None else ops.add(total, part)
        return zeros_like(source) if total is None and zero else total

    def _finish(self) -> None:
        self._used = True
        if self._persistent:
            return
        self._close()
        if not self._active:
            self._release()
