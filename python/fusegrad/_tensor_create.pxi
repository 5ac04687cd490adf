# Tensors from arrays, shapes and other Tensors, and the one function that writes into one.


def as_tensor(x, dtype=None):
    """`x` as a Tensor; elements are shared where they can be used as they lie.

    Python floats become `config.floatx()`, Python integers int64; arrays keep their dtype, except
    that float16 becomes float32, int8, int16 and uint16 become int32, uint32 and uint64 int64.

    Parameters
    ----------
    x : array_like
        A Tensor, Variable, array, number, or nested list of numbers.
    dtype : str or numpy.dtype, optional
        The dtype of the result.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For what is no rectangular array of real numbers or booleans.
    """
    return tensor_of(x, dtype, "as_tensor")


cdef Tensor tensor_of(object x, object dtype, str where):
    cdef Tensor tensor = None
    cdef Kind kind
    if dtype is not None:
        kind = number_kind(x)
        if kind != Kind.NOT_A_NUMBER:
            return from_number(x, parse_dtype(dtype, where))
        if isinstance(x, (list, tuple)):
            tensor = from_list(x, dtype)
    if tensor is None:
        tensor = convert(x, where)
    return tensor if dtype is None else cast(tensor, parse_dtype(dtype, where))


def from_numpy(array):
    """A Tensor that shares the memory of `array`; a copy where its elements cannot be used so.

    Any strides are shared. Other byte orders, unaligned memory and unsupported dtypes are copied.
    Writing to `array` later changes the Tensor.

    Parameters
    ----------
    array : numpy.ndarray
        Or any object with the buffer protocol.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For dtypes that are not numbers or booleans.
    """
    cdef Tensor tensor = from_buffer(array)
    return through_numpy(array, "from_numpy") if tensor is None else tensor


def empty(shape, dtype="float32", str order="C"):
    """An uninitialised Tensor; order "F" keeps the first axis contiguous."""
    cdef Dims dims
    read_dims(shape, &dims, "empty", "shape")
    return plain(empty_array(parse_dtype(dtype, "empty"), dims, order == "F"))


def full(shape, fill_value, dtype=None):
    """A Tensor with every element equal to the number `fill_value`."""
    cdef Dims dims
    cdef DType element
    cdef Kind kind = number_kind(fill_value)
    read_dims(shape, &dims, "full", "shape")
    for i in range(dims.rank()):
        if dims[i] < 0:
            raise_argument("full", "shape", "sizes of at least 0", repr(shape))
    if kind == Kind.NOT_A_NUMBER:
        fill_value = float(fill_value)
        kind = Kind.REAL
    element = dtype_of_kind(kind) if dtype is None else parse_dtype(dtype, "full")
    if kind == Kind.INTEGER and not -(1 << 53) <= fill_value <= 1 << 53:
        raise_argument("full", "fill_value", "an integer within 2**53", repr(fill_value))
    if element == DType.uint8 and not 0 <= fill_value < 256:
        raise_argument("full", "fill_value", "a number in [0, 256) for uint8", repr(fill_value))
    if element == DType.int32 and not -(1 << 31) <= fill_value < 1 << 31:
        raise_argument("full", "fill_value", "a number that int32 holds", repr(fill_value))
    if element == DType.int64 and not -(1 << 63) <= fill_value < 1 << 63:
        raise_argument("full", "fill_value", "a number that int64 holds", repr(fill_value))
    return plain(filled(element, dims, fill_value))


def has_floating_dtype(Tensor x not None):
    """Whether the dtype is float32 or float64."""
    return is_floating(x.meta().dtype)


def detached(Tensor x not None):
    """A Tensor on a Tape as a plain one: gradients end there. Others are returned as they are."""
    if x.recorder is None or x.recorder.is_graph or not x.recorded():
        return x
    return plain(x.array)


def copy_into(Tensor destination not None, Tensor source not None):
    """Writes the elements of `source` into the memory of `destination`, converting the dtype."""
    cdef Array elements
    cdef Recorder recorder = current_builder()
    if source.recorded() or destination.recorded():
        raise TypeError("copy_into() needs Tensors with elements, got one that is being recorded")
    if destination.foreign:
        raise TypeError("copy_into() does not write to memory of other libraries")
    if not source.array.defined() or not destination.array.defined():
        raise TypeError("a Tensor that was never initialised")
    if not destination.array.shape() == source.array.shape():
        raise_argument(
            "copy_into", "source", f"shape {destination.shape}", f"shape {source.shape}")
    elements = source.array
    if elements.storage().get() == destination.array.storage().get():
        elements = copied(elements, elements.dtype())
    while recorder is not None:
        if not recorder.is_graph:
            preserve(deref(recorder.builder), destination.array)
        recorder = recorder.previous
    for tape in held_tapes:
        preserve(deref((<Tape>tape).builder), destination.array)
    with nogil:
        copy_elements(destination.array.view(), elements.view())
