# apply: any op by its name.


def apply(
    str name not None, inputs, *, axes=None, bint all_axes=False, shape=None, start=None, step=None,
    scalars=None, uint64_t seed=0, uint64_t stream=0, dtype=None, str activation="linear",
    bint keepdims=False, bint transpose_a=False, bint transpose_b=False, bint flag=False,
    bint bfloat16=False,
):
    """The result of the op `name`: a Tensor, or a tuple of Tensors for an op with several results.

    Parameters
    ----------
    name : str
        A name in the op table.
    inputs : sequence
        Operands: Tensors, Variables, arrays, numbers, nested lists.
    axes, all_axes, shape, start, step, scalars, seed, stream, dtype, activation, keepdims, \
transpose_a, transpose_b, flag, bfloat16
        The op's attributes; the functions in `fusegrad.ops` know which op reads which.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For an unknown name, and for operands that do not fit.
    """
    cdef int index = op_index(name)
    if op_defs[index].traits & kNoAttrs:
        return run(index, tuple(inputs), Attrs.none())
    return apply_with_attributes(
        name, index, tuple(inputs), axes, all_axes, shape, start, step, scalars, seed, stream,
        dtype, activation, keepdims, transpose_a, transpose_b, flag, bfloat16)


cdef object apply_with_attributes(
    str name, int index, tuple inputs, object axes, bint all_axes, object shape, object start,
    object step, object scalars, uint64_t seed, uint64_t stream, object dtype, str activation,
    bint keepdims, bint transpose_a, bint transpose_b, bint flag, bint bfloat16
):
    cdef Attrs attrs
    cdef int i
    if axes is not None:
        read_dims(axes, &attrs.axes, name, "axes")
    if shape is not None:
        read_dims(shape, &attrs.shape, name, "shape")
    if start is not None:
        read_dims(start, &attrs.start, name, "start")
    if step is not None:
        read_dims(step, &attrs.step, name, "step")
    if scalars is not None:
        if len(scalars) > 4:
            raise_argument(name, "scalars", "at most 4 numbers", str(len(scalars)))
        for i in range(<int>len(scalars)):
            attrs.scalars[i] = scalars[i]
    if dtype is not None:
        attrs.dtype = parse_dtype(dtype, name)
    if activation != "linear":
        if activation not in ACTIVATIONS:
            raise_argument(name, "activation", "one of " + ", ".join(ACTIVATIONS), repr(activation))
        attrs.activation = <Activation><int>ACTIVATIONS.index(activation)
    attrs.seed = seed
    attrs.stream = stream
    attrs.all_axes = all_axes
    attrs.keepdims = keepdims
    attrs.transpose_a = transpose_a
    attrs.transpose_b = transpose_b
    attrs.flag = flag
    attrs.bfloat16 = bfloat16
    return run(index, inputs, attrs)


def apply_one(str name not None, x):
    """``apply(name, (x,))``, without attributes."""
    return run_one(op_index(name), x, Attrs.none())


def apply_two(str name not None, x1, x2):
    """``apply(name, (x1, x2))``, without attributes."""
    return run_two(op_index(name), x1, x2, Attrs.none())


def apply_reduction(str name not None, x, axis=None, bint keepdims=False):
    """The result of the op `name` over `axis`: an int, a tuple of ints, or None for all axes.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For operands and axes that do not fit.
    """
    return reduce(name, x, axis, None, None, keepdims)
