# Python in the place of an op's eval: callbacks, LAPACK through numpy.linalg, ops of extensions.

cdef object elements_of(const View& view):
    """A NumPy array of its own with the elements, which are gone when the eval returns."""
    result = numpy().empty(dims_tuple(view.shape), numpy_dtypes[<int>view.dtype])
    fill_array(result, view)
    return result


cdef int put_result(object value, const View& to, str where, int i) except -1:
    """Copies what a function returned; it must be what the op was told."""
    cdef Tensor result
    cdef Kind kind = number_kind(value)
    if kind != Kind.NOT_A_NUMBER and (kind != Kind.REAL or is_floating(to.dtype)):
        result = from_number(value, to.dtype)
    else:
        result = convert(value, where)
    result.need_elements(where)
    if not result.array.dtype() == to.dtype or not result.array.shape() == to.shape:
        raise_argument(
            where, "callback",
            f"a function whose result {i} has shape {dims_tuple(to.shape)} and dtype"
            f" {dtype_text(to.dtype)}, as result_shape_dtypes says",
            f"shape {result.shape} and dtype {dtype_text(result.array.dtype())}",
        )
    copy_elements(to, result.array.view())
    return 0


cdef int put_results(object values, const EvalContext& context, str where) except -1:
    cdef int i
    if len(values) != context.num_outputs:
        raise_argument(
            where, "callback", f"a function with {context.num_outputs} results", str(len(values)))
    for i in range(context.num_outputs):
        put_result(values[i], context.outputs[i], where, i)
    return 0


cdef PyObject* call_function(PyObject* function, const EvalContext& context) noexcept with gil:
    """Runs the function of a callback; a reference to what it raised, or NULL."""
    cdef PyObject* recorder = current_recorder
    cdef int i
    replace_current(NULL)  # nothing that it does is recorded
    try:
        operands = [elements_of(context.inputs[i]) for i in range(context.num_inputs)]
        put_results((<object>function)(operands), context, "pure_callback")
        return NULL
    except BaseException as error:
        Py_INCREF(error)
        return <PyObject*>error
    finally:
        replace_current(recorder)


cdef PyObject* call_lapack(LinearAlgebra function, const EvalContext& context) noexcept with gil:
    """The same for a factorization by numpy.linalg."""
    cdef PyObject* recorder = current_recorder
    cdef int i
    replace_current(NULL)
    try:
        from fusegrad import _lapack

        operands = [elements_of(context.inputs[i]) for i in range(context.num_inputs)]
        put_results(
            _lapack.FUNCTIONS[<int>function](
                *operands, context.attrs.transpose_a, context.attrs.flag,
                context.attrs.scalars[0]),
            context, "linalg")
        return NULL
    except BaseException as error:
        Py_INCREF(error)
        return <PyObject*>error
    finally:
        replace_current(recorder)


lend_python(call_function, call_lapack)


def callback(
    function, str name not None, list results not None, list operands not None,
    bint vectorized=False,
):
    """The results of an opaque function of NumPy arrays: a Tensor, or a tuple of them.

    Parameters
    ----------
    function : callable
        Gets a list of NumPy arrays of its own and returns a list of arrays.
    name : str
        Shown in printed graphs and errors.
    results : list of (shape, dtype)
        What it returns, at most four.
    operands : list
        At least one.
    vectorized : bool
        Whether it takes further leading axes.
    """
    cdef Attrs attrs
    cdef vector[Meta] metas
    cdef Meta meta
    for shape, dtype in results:
        meta = Meta()
        read_dims(shape, &meta.shape, "pure_callback", "result_shape_dtypes")
        meta.dtype = parse_dtype(dtype, "pure_callback")
        metas.push_back(meta)
    attrs.data = make_callback(function, name.encode(), metas, vectorized)
    return run(CALLBACK, tuple(operands), attrs)


def add_custom_op(capsule):
    """The name by which `apply` knows the op of a capsule that an extension module made."""
    cdef const OpDef* op
    cdef const char* name = NULL
    if PyCapsule_CheckExact(capsule):
        name = PyCapsule_GetName(capsule)
    expected = kOpDefCapsule.decode()
    if name == NULL or name.decode("utf-8", "replace") != expected:
        raise_argument(
            "custom_op", "capsule",
            f"a PyCapsule named '{expected}', which fusegrad/extension.h of this"
            " version makes (build the extension again)",
            "one without a name" if PyCapsule_CheckExact(capsule) and name == NULL
            else describe(capsule) if name == NULL
            else f"one named '{name.decode('utf-8', 'replace')}'",
        )
    op = <const OpDef*>PyCapsule_GetPointer(capsule, name)
    if op.name == NULL or op.infer == NULL or op.eval == NULL:
        raise_argument("custom_op", "capsule", "an OpDef with name, infer and eval", "one without")
    if op.num_inputs < -1 or op.num_inputs == 0:
        raise_argument(
            "custom_op", "capsule", "an OpDef whose num_inputs is -1 or at least 1",
            str(op.num_inputs))
    if op.num_outputs < -1 or op.num_outputs == 0 or op.num_outputs > kMaxOutputs:
        raise_argument(
            "custom_op", "capsule", f"an OpDef whose num_outputs is -1 or 1 to {kMaxOutputs}",
            str(op.num_outputs))
    text = op.name.decode()
    known = f"{text} of an extension at {<size_t>op:#x}"
    if known not in OPS:
        add_op(op, known)
    return known
