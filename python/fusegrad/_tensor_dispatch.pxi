# One op: promotion of its operands, then evaluation, or recording by a Tape or Graph.

ctypedef const Array* ArrayPointer

cdef int64_t kBriefWork = 8192  # elements; longer ops let other Python threads run


cdef object dispatch(int index, list operands, const Attrs& attrs):
    """One op on Tensors whose dtypes are settled."""
    cdef const OpDef* op = op_defs[index]
    cdef Py_ssize_t i, count = len(operands)
    cdef Tensor x
    cdef Recorder recorder = None
    for i in range(count):
        x = <Tensor>operands[i]
        if x.recorder is not None and x.recorded():
            recorder = x.recorder
            if not seen_here(recorder):
                raise_argument(
                    op.name.decode(), f"operand {i}", "a value of the function being recorded now",
                    "a symbolic Tensor that was kept outside the trace it belongs to"
                    if recorder.is_graph else
                    "a Tensor that another grad, or another thread, is differentiating",
                )
        else:
            need_defined(x)
    if recorder is not None:
        recorder = <Recorder>current_recorder
        result = record(deref(op), recorder, PySequence_Fast_ITEMS(operands), <int>count, attrs)
        if recorder.is_graph and (<GraphHandle>recorder).nested:
            (<GraphHandle>recorder).batched.follow(as_graph(deref(recorder.builder)))
        return result
    return calculate(deref(op), PySequence_Fast_ITEMS(operands), <int>count, attrs)


cdef object calculate(const OpDef& op, PyObject** operands, int count, const Attrs& attrs):
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


cdef object calculate_several(
    const OpDef& op, ArrayPointer* inputs, int count, const Attrs& attrs
):
    """The same for an op with several results, or with as many as its operands say."""
    cdef Array[4] outputs
    cdef int i, num_outputs
    with nogil:
        num_outputs = evaluate(op, inputs, count, attrs, outputs)
    if num_outputs == 1:
        return plain(outputs[0])
    return tuple([plain(outputs[i]) for i in range(num_outputs)])


cdef object record(
    const OpDef& op, Recorder recorder, PyObject** operands, int count, const Attrs& attrs
):
    """One op on Tensors, which the caller holds, of which some are on `recorder`."""
    cdef Value[8] few
    cdef vector[Value] many
    cdef Value* inputs = few
    cdef Value[4] outputs
    cdef int i, num_outputs
    if count > 8:
        many.resize(count)
        inputs = many.data()
    for i in range(count):
        if (<Tensor>operands[i]).recorder is recorder and not recorder.forgets:
            inputs[i] = (<Tensor>operands[i]).value
        else:
            inputs[i] = recorder.value_of(<Tensor>operands[i])
    num_outputs = deref(recorder.builder).emit(op, inputs, count, attrs, outputs)
    if num_outputs == 1:
        return recorder.tensor(outputs[0])
    return tuple([recorder.tensor(outputs[i]) for i in range(num_outputs)])


cdef object settled(const OpDef& op, PyObject** operands, Py_ssize_t count, const Attrs& attrs):
    """One op on Tensors of one floating dtype, plain or on the current Tape; None for others.

    That is what most operands are, and such an op takes them as they are.
    """
    cdef Py_ssize_t i
    cdef bint recorded = False
    if count == 0 or op.traits & (kPromoteLogical | kPromoteSelect):
        return None
    if count != op.num_inputs and op.num_inputs >= 0:
        return None
    for i in range(count):
        if type(<object>operands[i]) is not Tensor:
            return None
        if (<Tensor>operands[i]).recorder is not None:
            if <PyObject*>(<Tensor>operands[i]).recorder != current_recorder:
                return None
            recorded = True
        if not (<Tensor>operands[i]).array.defined():
            return None
        if (<Tensor>operands[i]).array.dtype() != (<Tensor>operands[0]).array.dtype():
            return None
    if not is_floating((<Tensor>operands[0]).array.dtype()):
        return None
    if recorded:
        return record(op, <Recorder>current_recorder, operands, <int>count, attrs)
    return calculate(op, operands, <int>count, attrs)


cdef object settled_two(const OpDef& op, object left, object right, const Attrs& attrs):
    """The same where one of two may be a Python number, or a NumPy array or scalar."""
    cdef (PyObject*)[2] operands
    cdef Tensor a, b
    operands[0] = <PyObject*>left
    operands[1] = <PyObject*>right
    result = settled(op, operands, 2, attrs)
    if result is not None:
        return result
    a = at_hand(left)
    b = at_hand(right)
    if a is None and b is not None:
        a = number_beside(op, left, b)
    elif b is None and a is not None:
        b = number_beside(op, right, a)
    if a is None or b is None:
        return None
    operands[0] = <PyObject*>a
    operands[1] = <PyObject*>b
    return settled(op, operands, 2, attrs)


cdef Tensor number_beside(const OpDef& op, object x, Tensor other):
    """A Python number in the dtype of the floating Tensor that it meets; None for all else."""
    if type(x) is not float and type(x) is not int or not op.traits & (kPromote | kPromoteFloat):
        return None
    return from_number(x, other.array.dtype()) if is_floating(other.array.dtype()) else None


# Ops that get operands of one dtype.
cdef uint32_t TO_COMMON = (
    kPromote | kPromoteFloat | kPromoteLogical | kPromoteSelect | kPromoteTotal
)


cdef object run(int index, tuple inputs, const Attrs& attrs):
    """One op on any operands."""
    cdef Py_ssize_t count = len(inputs)
    if count == 1:
        return run_one(index, inputs[0], attrs)
    if count == 2:
        return run_two(index, inputs[0], inputs[1], attrs)
    result = settled(deref(op_defs[index]), PySequence_Fast_ITEMS(inputs), count, attrs)
    return convert_and_run(index, inputs, attrs) if result is None else result


cdef object run_one(int index, object x, const Attrs& attrs):
    cdef PyObject* operand = <PyObject*>x
    cdef Tensor tensor
    result = settled(deref(op_defs[index]), &operand, 1, attrs)
    if result is None:
        tensor = at_hand(x)
        if tensor is not None:
            operand = <PyObject*>tensor
            result = settled(deref(op_defs[index]), &operand, 1, attrs)
    return convert_and_run(index, (x,), attrs) if result is None else result


cdef object run_two(int index, object left, object right, const Attrs& attrs):
    result = settled_two(deref(op_defs[index]), left, right, attrs)
    return convert_and_run(index, (left, right), attrs) if result is None else result


cdef object convert_and_run(int index, tuple inputs, const Attrs& attrs):
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
    result = settled_two(deref(op_defs[index]), left, right, Attrs.none())
    if result is not None:
        return result
    for x in (left, right):
        if type(x) is Tensor:
            continue
        if x is None or isinstance(x, (str, bytes, dict, set, slice)):
            return NotImplemented
        if getattr(type(x), "__array_ufunc__", NotImplemented) is None:
            return NotImplemented  # NumPy's sign that an operand answers itself: pytest.approx(x)
    return convert_and_run(index, (left, right), Attrs.none())


cdef object unary(int index, object x):
    return run_one(index, x, Attrs.none())


cdef int no_destination(str name, object out) except -1:
    if out is not None:
        raise_argument(name, "out", "None: Tensors do not change", describe(out))
    return 0


cdef bint read_order(str name, str order) except -1:
    """Whether the first axis is fastest; "A" and "K" are the order of a Tensor, which is "C"."""
    if order not in ("C", "F", "A", "K"):
        raise_argument(name, "order", "'C', 'F', 'A' or 'K'", repr(order))
    return order == "F"


cdef object reduce(
    str name, object x, object axis, object dtype, object out, bint keepdims
):
    """A reduction with NumPy's arguments; `dtype` is that of the sum and of the result."""
    cdef Attrs attrs
    no_destination(name, out)
    if dtype is not None:
        x = cast(x, parse_dtype(dtype, name))
    attrs.keepdims = keepdims
    if axis is None:
        attrs.all_axes = True
    else:
        read_dims(axis, &attrs.axes, name, "axis")
    result = run_one(op_index(name), x, attrs)
    return result if dtype is None else cast(result, parse_dtype(dtype, name))


cdef object ops_module = None


cdef object ops_function(str name):
    """A function of fusegrad.ops, which is imported when first needed."""
    global ops_module
    if ops_module is None:
        from fusegrad import ops
        ops_module = ops
    return getattr(ops_module, name)


def _composed(str name, Tensor x, dtype, out, **arguments):
    """The same for functions of fusegrad.ops."""
    no_destination(name, out)
    if dtype is not None:
        x = cast(x, parse_dtype(dtype, name))
    result = ops_function(name)(x, **arguments)
    return result if dtype is None else cast(result, parse_dtype(dtype, name))
