# Recording: Tape, GraphHandle, which of them is current in a thread, gradients.

cdef class Recorder:
    """What the ops of a thread are recorded by: the base of Tape and GraphHandle."""

    cdef Value value_of(self, Tensor x) except *:
        """The place of a Tensor on this recorder; a plain one becomes a constant."""
        if x.recorder is self:
            if self.forgets and not self.is_graph:
                remember(deref(self.builder), x.value, x.array)
            return x.value
        if self.is_graph and (<GraphHandle>self).nested:
            return (<GraphHandle>self).nested_value(x)
        need_defined(x)
        if (self.is_graph or self.keeps) and x.foreign:  # its owner may write to it later
            return deref(self.builder).constant(copied(x.array, x.array.dtype()))
        return deref(self.builder).constant(x.array)

    cdef Tensor tensor(self, Value value):
        cdef Tensor tensor = Tensor.__new__(Tensor)
        tensor.recorder = self
        tensor.value = value
        if not self.is_graph:
            tensor.array = deref(self.builder).info(value).array
        return tensor

    def num_nodes(self):
        """How many nodes there are."""
        return deref(self.builder).num_nodes()

    def node_of(self, Tensor x not None):
        """The node that gives `x` on this recorder, also after it was left; -1 for others."""
        if x.recorder is not self or x.value.id >= deref(self.builder).num_values():
            return -1  # or of a tape that has let go
        return deref(self.builder).info(x.value).node

    def checkpoint(self, int first, kept):
        """Forgets what the nodes from `first` on gave, but for `kept`: gradients make it anew."""
        cdef vector[Value] values
        cdef NodeRange nodes
        for x in kept:
            if (<Tensor?>x).recorder is self:
                values.push_back((<Tensor>x).value)
        nodes.first = first
        nodes.end = deref(self.builder).num_nodes()
        deref(self.builder).checkpoint(nodes, values)
        self.forgets = True

    def captured(self, int first):
        """The values from before node `first` that the nodes from there on read."""
        return [self.tensor(value) for value in values_read(deref(self.builder), first)]

    cdef int enter(self) except -1:
        if self.live:
            raise RuntimeError("this recording is already in progress")
        self.previous = current_builder()
        self.live = True
        Py_INCREF(self)
        replace_current(<PyObject*>self)
        return 0

    cdef int leave(self) except -1:
        if <PyObject*>self != current_recorder:
            raise RuntimeError("recordings must end in the reverse order of their beginning")
        replace_current(<PyObject*>self.previous if self.previous is not None else NULL)
        self.previous = None
        self.live = False
        Py_DECREF(self)
        return 0


cdef bint seen_here(Recorder recorder) noexcept:
    """Whether what is being recorded is `recorder`, or a nested graph that sees its values."""
    cdef Recorder inner
    if <PyObject*>recorder == current_recorder:
        return True
    if current_recorder == NULL or not recorder.live:
        return False
    inner = <Recorder>current_recorder
    while inner is not None and inner.is_graph and (<GraphHandle>inner).nested:
        inner = inner.previous
        if inner is recorder:
            return True
    return False


cdef int replace_current(PyObject* recorder) noexcept:
    global current_recorder
    current_recorder = recorder
    return 0


@cython.final
cdef class Tape(Recorder):
    """Records the ops on watched Tensors while it is entered, so that they can be differentiated.

    When it is left, the Tensors on it become plain arrays and what it kept is freed, unless there
    is a Hold of it.
    """

    def __cinit__(self):
        self.builder = new_tape()

    def __enter__(self):
        if self.ended:
            raise RuntimeError("a Tape records once: make another one")
        self.enter()
        return self

    def __exit__(self, *exception):
        if not self.ended:
            self.end()

    cdef int end(self) except -1:
        self.leave()
        if self.holds == 0:
            self.release()

    cdef int release(self) except -1:
        self.ended = True
        self.builder = new_tape()
        return 0

    @property
    def nbytes(self):
        """The number of bytes of the elements that it keeps."""
        return kept_bytes(deref(self.builder))

    def suspend(self):
        """Leaves the tape for a while."""
        self.leave()

    def resume(self):
        """Enters the tape again after `suspend`."""
        self.enter()

    def watch(self, Tensor tensor not None):
        """A Tensor with the same elements that gradients can be taken of."""
        if <PyObject*>self != current_recorder:
            raise RuntimeError("watch() works while the tape is entered")
        if tensor.recorded():
            return identity(tensor)
        need_defined(tensor)
        return self.tensor(watch(deref(self.builder), tensor.array))

    def gradient(self, Tensor y not None, xs, Tensor seed=None):
        """The gradients of `y`, weighted by `seed` (ones), with respect to each of `xs`."""
        if <PyObject*>self != current_recorder:
            raise RuntimeError("gradient() works while the tape is entered")
        return gradient(y, xs, seed)

    def finish(self, Tensor y not None, xs):
        """What `gradient` gives, as plain Tensors; the recording ends.

        It takes less time and memory, because the gradients are not recorded.
        """
        cdef vector[Value] inputs
        cdef vector[Array] results
        cdef Value start, weight
        if <PyObject*>self != current_recorder:
            raise RuntimeError("finish() works while the tape is entered")
        if self.holds != 0:  # the recording goes on to be used
            found = gradient(y, xs)
            self.end()
            return [plain((<Tensor>x).array) for x in found]
        locate(self, y, xs, None, &start, &weight, inputs)
        results = last_gradients(deref(self.builder), start, weight, inputs)
        self.end()
        return [plain(array) for array in results]


@cython.final
cdef class GraphHandle(Recorder):
    """A graph being traced; `fusegrad._core.Graph` owns one."""

    def __cinit__(self):
        self.states = {}
        self.pending = {}
        self.rules = []

    def __init__(self):
        raise TypeError("a GraphHandle is made by fusegrad._core.Graph")

    cpdef Recorder around(self):
        """The recorder around nested graphs; None where their values are computed at once."""
        cdef Recorder outer = self
        while outer is not None and outer.is_graph and (<GraphHandle>outer).nested:
            outer = outer.previous
        return outer

    cdef Value nested_value(self, Tensor x) except *:
        """What stands for a Tensor of a recorder around this graph; a constant for a plain one."""
        cdef Value value
        cdef Recorder outer
        if not x.recorded():
            need_defined(x)
            outer = self.around()
            if x.foreign and outer is not None and outer.is_graph:
                return deref(self.builder).constant(copied(x.array, x.array.dtype()))
            return deref(self.builder).constant(x.array)
        key = <size_t><PyObject*>x.recorder, x.value.id
        known = self.captures.get(key)
        if known is None:
            value = self.nested_input(x, kUnbatched)
            self.captures[key] = value.id
        else:
            value.id = known
        return value

    cdef Value nested_input(self, Tensor source, int axis) except *:
        """An input that stands for a Tensor, or for one example of those that an axis counts."""
        cdef Meta meta = source.meta()
        cdef Meta example
        cdef Value value
        cdef int i
        example.dtype = meta.dtype
        for i in range(meta.shape.rank()):
            if i != axis:
                example.shape.push_back(meta.shape[i])
        self.sources.append(source)
        self.axes.append(axis)
        value = as_graph(deref(self.builder)).input(
            example, b"captured" if axis == kUnbatched else b"example")
        if axis != kUnbatched:
            self.batched.add(value)
        return value

    def state(self, Tensor tensor not None, str name=""):
        """The value of a variable, as a symbolic Tensor: `tensor`'s memory is read at every run."""
        cdef Value value
        if tensor.recorder is not None and tensor.recorded():
            raise TypeError("a graph's state must be a Tensor with elements")
        key = (<size_t>tensor.array.data(), dims_tuple(tensor.array.shape()),
               dims_tuple(tensor.array.strides()), <int>tensor.array.dtype())
        known = self.states.get(key)
        if known is None:
            value = as_graph(deref(self.builder)).state(tensor.array, name.encode())
            self.states[key] = value.id
        else:
            value.id = known
        return self.tensor(value)

    def read(self, Tensor tensor not None, str name=""):
        """The value of a variable at this point of the trace."""
        cdef Recorder outer
        cdef Tensor state
        if self.nested:
            outer = self.around()
            if outer is None or not outer.is_graph:
                return tensor
            return (<GraphHandle>outer).read(tensor, name)
        state = self.state(tensor, name)
        pending = self.pending.get(state.value.id)
        if pending is not None:
            state.value.id = pending
        return state

    def assign(self, Tensor tensor not None, Tensor value not None, str name=""):
        """Gives a variable the new value from here on; it is written at the end of every run."""
        if self.nested:
            raise_argument(
                "vmap", "fun", "a function that assigns to no Variable (return the value, and"
                " assign it outside)", f"one that assigns to '{name}'")
        cdef Tensor state = self.state(tensor, name)
        self.pending[state.value.id] = self.value_of(value).id

    def nodes(self):
        """What has been recorded, in order.

        Of each node its place, the name of its op (None for inputs, constants and state), the
        values that it reads, and the first that it gives.
        """
        cdef Builder* builder = self.builder.get()
        cdef const Node* node
        cdef int i
        result = []
        for i in range(builder.num_nodes()):
            node = &builder.node(i)
            name = None if node.op == NULL else node.op.name.decode()
            inputs = [node.inputs[j].id for j in range(<Py_ssize_t>node.inputs.size())]
            result.append((i, name, inputs, node.first_output.id))
        return result

    def elements(self, int value):
        """The elements of a constant, or of a state as they are now; None for what has none."""
        cdef Value place
        if not 0 <= value < deref(self.builder).num_values():
            raise IndexError("there is no such value")
        place.id = value
        cdef const Array* array = &deref(self.builder).info(place).array
        return plain(deref(array)) if array.defined() else None

    def run_node(self, int index, list operands):
        """What the op of a node gives for other operands of its dtypes."""
        cdef const Node* node
        cdef Recorder recorder = None
        cdef Py_ssize_t count = len(operands)
        if not 0 <= index < deref(self.builder).num_nodes():
            raise IndexError("there is no such node")
        node = &deref(self.builder).node(index)
        if node.op == NULL or <Py_ssize_t>node.inputs.size() != count:
            raise_argument("run_node", "operands", f"those of node {index}", f"{count} operands")
        for x in operands:
            if (<Tensor?>x).recorded():
                recorder = (<Tensor>x).recorder
        if recorder is None:
            return calculate(
                deref(node.op), PySequence_Fast_ITEMS(operands), <int>count, node.attrs())
        return record(
            deref(node.op), recorder, PySequence_Fast_ITEMS(operands), <int>count, node.attrs())

    def flush(self):
        """Makes the assignments of the trace updates of the graph."""
        cdef Value state, value
        for state_id, value_id in self.pending.items():
            state.id = state_id
            value.id = value_id
            as_graph(deref(self.builder)).update(state, value)
        self.pending.clear()

    def forget_rules(self):
        """Lets go of the functions that gradients of custom_vjp would call: the trace is over."""
        for rule in self.rules:
            (<Rule>rule).function = None
        self.rules.clear()


def current_builder():
    """The Tape or GraphHandle that records the ops of this thread; None where ops just run."""
    if current_recorder == NULL:
        return None
    return <Recorder>current_recorder


def in_current_trace(Tensor tensor not None):
    """Whether `tensor` belongs to what is being recorded in this thread, or is seen from there."""
    return tensor.recorded() and seen_here(tensor.recorder)


def identity_on(Recorder recorder, Tensor x not None, bint stopped=False):
    """`identity` on a recorder around what is being recorded; `stopped`: gradients end there."""
    cdef Value value
    cdef Value result
    if recorder is None:
        return x
    if <PyObject*>recorder == current_recorder and not stopped:
        return identity(x)
    if not x.recorded() and not recorder.is_graph and not stopped:
        need_defined(x)
        return recorder.tensor(watch(deref(recorder.builder), x.array))
    value = recorder.value_of(x)
    deref(recorder.builder).emit(
        deref(op_defs[STOP_GRADIENT if stopped else IDENTITY]), &value, 1, Attrs.none(), &result)
    return recorder.tensor(result)


def identity(Tensor x not None):
    """A fresh value equal to `x` on what is being recorded, which gradients can be taken of."""
    cdef Recorder recorder = current_builder()
    if recorder is None:
        return x
    if x.recorder is not recorder:
        if x.recorded():
            return dispatch(IDENTITY, [x], Attrs.none())  # raises
        need_defined(x)
        if not recorder.is_graph:
            if recorder.keeps and x.foreign:
                return recorder.tensor(
                    watch(deref(recorder.builder), copied(x.array, x.array.dtype())))
            return recorder.tensor(watch(deref(recorder.builder), x.array))
        x = recorder.tensor(recorder.value_of(x))
    return dispatch(IDENTITY, [x], Attrs.none())


def gradient(Tensor y not None, xs, Tensor seed=None):
    """The gradients of `y` with respect to each of `xs`, on what is being recorded.

    Parameters
    ----------
    y : Tensor
        Any shape; what does not depend on any of `xs` has zero gradients.
    xs : sequence of Tensor
        Values of the recording in progress.
    seed : Tensor, optional
        The weight of each element of `y`; ones.

    Returns
    -------
    list of Tensor
    """
    cdef Recorder recorder = current_builder()
    cdef vector[Value] inputs, results
    cdef Value start, weight
    if recorder is None:
        raise RuntimeError("gradient() needs a recording in progress: use fusegrad.grad")
    locate(recorder, y, xs, seed, &start, &weight, inputs)
    if recorder.is_graph and (<GraphHandle>recorder).exact:
        rewrite_exact(as_graph(deref(recorder.builder)))
    results = differentiate(deref(recorder.builder), start, weight, inputs)
    return [recorder.tensor(results[i]) for i in range(<Py_ssize_t>results.size())]


cdef int locate(
    Recorder recorder, Tensor y, object xs, Tensor seed, Value* start, Value* weight,
    vector[Value]& inputs
) except -1:
    """The places of `y`, of its seed and of `xs` on the recorder, which is current."""
    cdef Meta meta
    for x in xs:
        if (<Tensor?>x).recorder is not recorder:
            raise RuntimeError("gradient() needs Tensors of the recording in progress")
        inputs.push_back((<Tensor>x).value)
    if y.recorded() and y.recorder is not recorder:
        dispatch(IDENTITY, [y], Attrs.none())  # raises
    start[0] = recorder.value_of(y)
    if seed is not None:
        weight[0] = recorder.value_of(seed)
        return 0
    meta = y.meta()
    if meta.shape.rank() == 0:
        weight[0] = deref(recorder.builder).constant(1.0, meta.dtype)
    else:
        weight[0] = deref(recorder.builder).constant(filled(meta.dtype, meta.shape, 1.0))
    return 0
