# The C API for _core: Tensors and recorders in and out.

cdef api int tensor_check(object x) noexcept:
    return type(x) is Tensor


cdef api object tensor_wrap(const Array* array):
    return plain(deref(array))


cdef api object array_numpy(const Array* array):
    """A NumPy copy of the elements; a scalar where there are no axes."""
    return own_numpy(deref(array))


cdef api int tensor_unwrap(object tensor, Array* array) except -1:
    """The elements of a Tensor; a tracked one gives its own."""
    cdef Tensor x = <Tensor?>tensor
    if x.recorder is not None and x.recorder.is_graph:
        x.need_elements("this call")
    if not x.array.defined():
        raise TypeError("a Tensor that was never initialised")
    array[0] = x.array
    return 0


cdef api object graph_handle(const shared_ptr[Builder]* graph, int exact):
    cdef GraphHandle handle = GraphHandle.__new__(GraphHandle)
    handle.builder = deref(graph)
    handle.is_graph = True
    handle.exact = exact
    return handle


cdef api object function_wrap(const shared_ptr[ProgramCall]* program):
    cdef Function function = Function.__new__(Function)
    function.program = deref(program)
    return function


cdef api object recorder_wrap(object recorder, int value_id):
    """The Tensor of a value on a recorder."""
    cdef Value value
    value.id = value_id
    return (<Recorder?>recorder).tensor(value)


cdef api int recorder_value(object recorder, object tensor) except -1:
    """The id of a Tensor on a recorder; a plain one becomes a constant."""
    cdef Recorder target = <Recorder?>recorder
    cdef Tensor x = <Tensor?>tensor
    if x.recorded() and x.recorder is not target:
        raise_argument(
            "graph", "tensor", "a value of this graph", "a Tensor of another recording")
    return target.value_of(x).id


cdef api object tensor_graph(object tensor):
    """The GraphHandle that a symbolic Tensor belongs to; None for others."""
    cdef Tensor x = <Tensor?>tensor
    if x.recorder is not None and x.recorder.is_graph:
        return x.recorder
    return None


cdef api int recorder_builder(object recorder, shared_ptr[Builder]* builder) except -1:
    builder[0] = (<Recorder?>recorder).builder
    return 0


cdef api int preserve_states(const vector[Array]* arrays) except -1:
    """Before a program writes states: what tapes keep of them is copied."""
    return preserve_written(arrays[0])


cdef api int recorder_enter(object recorder) except -1:
    return (<Recorder?>recorder).enter()


cdef api int recorder_leave(object recorder) except -1:
    return (<Recorder?>recorder).leave()


cdef api int set_error() except -1:
    """Raises the Python form of the C++ exception that is being handled."""
    return translate_exception()
