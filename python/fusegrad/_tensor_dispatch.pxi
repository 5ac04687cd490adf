# One op: promotion of its operands, then evaluation, or recording by a Tape or Graph.

ctypedef const Array* ArrayPointer

cdef int64_t kBriefWork = 8192  # elements; longer ops let other Python threads run


cdef object dispatch(int index, list operands, Attrs& attrs):
    """One op on Tensors whose dtypes are settled."""
    cdef const OpDef* op = op_defs[index]
    cdef Py_ssize_t i, count = len(operands)
    cdef Tensor x
    cdef Recorder recorder = None
    for i in range(count):
        x = <Tensor>operands[i]
        if x.recorder is not None and x.recorded():
            recorder = x.recorder
            if <PyObject*>recorder != current_recorder:
                raise_argument(
                    op.name.decode(), f"operand {i}", "a value of the function being recorded now",
                    "a symbolic Tensor that was kept outside the trace it belongs to"
                    if recorder.is_graph else
                    "a Tensor that another grad, or another thread, is differentiating",
                )
        else:
            need_defined(x)
    if recorder is not None:
        return record(deref(op), recorder, operands, attrs)
    return calculate(deref(op), PySequence_Fast_ITEMS(operands), <int>count, attrs)


cdef object calculate(const OpDef& op, PyObject** operands, int count, Attrs& attrs):
    """One op on plain Tensors, which the caller holds."""
    cdef ArrayPointer[8] few
    cdef vector[ArrayPointer] many
    cdef ArrayPointer* inputs = few
    cdef Tensor result
    cdef int i
    cdef int64_t work = 0
    if count > 8:
        many.resize(count)
        inputs = many.data()
    for i in range(count):
        inputs[i] = &(<Tensor>operands[i]).array
    if op.num_outputs != 1:
        return calculate_several(op, inputs, count, attrs)
    for i in range(count):
        work += inputs[i].size()
    result = Tensor.__new__(Tensor)
    if work > kBriefWork:
        with nogil:
            evaluate(op, inputs, count, attrs, &result.array)
    else:
        evaluate(op, inputs, count, attrs, &result.array)
    return result


cdef object calculate_several(const OpDef& op, ArrayPointer* inputs, int count, Attrs& attrs):
    """The same for an op with several results, or with as many as its operands say."""
    cdef Array[4] outputs
    cdef int i, num_outputs
    with nogil:
        num_outputs = evaluate(op, inputs, count, attrs, outputs)
    if num_outputs == 1:
        return plain(outputs[0])
    return tuple([plain(outputs[i]) for i in range(num_outputs)])


cdef bint settled(const OpDef& op, PyObject** operands, Py_ssize_t count) noexcept:
    """Whether these are plain Tensors of one floating dtype, which such an op takes as they are."""
    cdef Py_ssize_t i
    if count == 0 or op.traits & (kPromoteLogical | kPromoteSelect):
        return False
    if count != op.num_inputs and op.num_inputs >= 0:
        return False
    for i in range(count):
        if type(<object>operands[i]) is not Tensor or (<Tensor>operands[i]).recorder is not None:
            return False
        if not (<Tensor>operands[i]).array.defined():
            return False
        if (<Tensor>operands[i]).array.dtype() != (<Tensor>operands[0]).array.dtype():
            return False
    return is_floating((<Tensor>operands[0]).array.dtype())


cdef object record(const OpDef& op, Recorder recorder, list operands, Attrs& attrs):
    cdef vector[Value] inputs
    cdef Value[4] outputs
    cdef int i, num_outputs
    for x in operands:
        inputs.push_back(recorder.value_of(<Tensor>x))
    num_outputs = deref(recorder.builder).emit(
        op, inputs.data(), <int>inputs.size(), attrs, outputs)
    if num_outputs == 1:
        return recorder.tensor(outputs[0])
    return tuple([recorder.tensor(outputs[i]) for i in range(num_outputs)])


# Ops that get operands of one dtype.
cdef uint32_t TO_COMMON = (
    kPromote | kPromoteFloat | kPromoteLogical | kPromoteSelect | kPromoteTotal
)


cdef object run(int index, tuple inputs, Attrs& attrs):
    """One op on any operands."""
    if settled(deref(op_defs[index]), PySequence_Fast_ITEMS(inputs), len(inputs)):
        return calculate(
            deref(op_defs[index]), PySequence_Fast_ITEMS(inputs), <int>len(inputs), attrs)
    return convert_and_run(index, inputs, attrs)


cdef object convert_and_run(int index, tuple inputs, Attrs& attrs):
    """The same where they may not be settled: converts them, settles their dtypes, dispatches."""
    cdef uint32_t traits = op_defs[index].traits
    cdef Py_ssize_t i, first = 0, count = len(inputs)
    cdef list operands = [None] * count
    cdef Kind kind, weakest = Kind.NOT_A_NUMBER
    cdef bint strong = False
    cdef DType dtype = DType.boolean, own
    if count == 0 or (op_defs[index].num_inputs >= 0 and count != op_defs[index].num_inputs):
        name = op_defs[index].name.decode()
        raise_argument(
            name, "inputs", f"{max(1, op_defs[index].num_inputs)} operand(s)", str(count)
        )
    if traits & kPromoteSelect:
        first = 1
    for i in range(count):
        x = inputs[i]
        if type(x) is not Tensor:
            kind = number_kind(x)
            if kind != Kind.NOT_A_NUMBER and i >= first:
                weakest = max(weakest, kind)
                continue
            x = convert(x, op_defs[index].name.decode())
        operands[i] = x
        if i < first:
            continue
        own = (<Tensor>x).meta().dtype
        dtype = promote(dtype, own) if strong else own
        strong = True
    # Python numbers take the dtype of the arrays they meet (NEP 50).
    if not strong:
        dtype = dtype_of_kind(weakest)
    elif weakest == Kind.REAL and not is_floating(dtype):
        dtype = DType.float64
    elif weakest == Kind.INTEGER and dtype == DType.boolean:
        dtype = DType.int64
    if traits & kPromoteFloat and not is_floating(dtype):
        dtype = DType.float64 if strong else default_float
    elif traits & kPromoteTotal and not is_floating(dtype):
        dtype = DType.int64
    elif traits & kPromoteLogical:
        dtype = DType.boolean
    for i in range(count):
        if operands[i] is None:
            kind = number_kind(inputs[i])
            if not traits & TO_COMMON:
                operands[i] = from_number(inputs[i], dtype_of_kind(kind))
            else:
                operands[i] = from_number(inputs[i], dtype)
        elif traits & kPromoteFirst:
            own = (<Tensor>operands[0]).meta().dtype
            if i == 0 and not is_floating(own):
                operands[0] = cast(operands[0], DType.float64)
        elif i < first:
            operands[i] = cast(operands[i], DType.boolean)
        elif traits & TO_COMMON and (<Tensor>operands[i]).meta().dtype != dtype:
            operands[i] = cast(operands[i], dtype)
    return dispatch(index, operands, attrs)


cdef object binary(int index, object left, object right):
    """An operator; NotImplemented where the other operand should answer."""
    cdef Attrs attrs
    cdef (PyObject*)[2] operands
    operands[0] = <PyObject*>left
    operands[1] = <PyObject*>right
    if settled(deref(op_defs[index]), operands, 2):
        return calculate(deref(op_defs[index]), operands, 2, attrs)
    for x in (left, right):
        if type(x) is not Tensor and (x is None or isinstance(x, (str, bytes, dict, set, slice))):
            return NotImplemented
    return convert_and_run(index, (left, right), attrs)


cdef object unary(int index, object x):
    cdef Attrs attrs
    return run(index, (x,), attrs)


cdef int no_destination(str name, object dtype, object out) except -1:
    """Arguments that NumPy's functions of the same name pass on to a Tensor's methods."""
    if dtype is not None:
        raise_argument(name, "dtype", "None (write .astype(dtype))", repr(dtype))
    if out is not None:
        raise_argument(name, "out", "None: Tensors do not change", "an array")
    return 0


cdef object reduce(str name, Tensor x, object axis, bint keepdims):
    cdef Attrs attrs
    attrs.keepdims = keepdims
    if axis is None:
        attrs.all_axes = True
    else:
        read_dims(axis, &attrs.axes)
    return run(OPS[name], (x,), attrs)
