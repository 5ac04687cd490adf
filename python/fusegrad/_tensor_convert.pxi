# From Python values to Tensors: numbers, nested lists, buffers, what only NumPy can read.

# The kinds of Python numbers, in order of promotion.
cdef enum Kind:
    NOT_A_NUMBER = -1
    BOOLEAN
    INTEGER
    REAL


cdef inline int need_defined(Tensor x) except -1:
    if not x.array.defined():
        raise TypeError("a Tensor that was never initialised")
    return 0


cdef inline Tensor plain(const Array& array):
    cdef Tensor tensor = Tensor.__new__(Tensor)
    tensor.array = array
    return tensor


cdef Kind number_kind(object x):
    """A Python number; NumPy's scalars are arrays here."""
    kind = type(x)
    if kind is float:
        return Kind.REAL
    if kind is int:
        return Kind.INTEGER
    if kind is bool:
        return Kind.BOOLEAN
    if isinstance(x, (int, float)) and not hasattr(x, "dtype"):
        return Kind.INTEGER if isinstance(x, int) else Kind.REAL
    return Kind.NOT_A_NUMBER


cdef DType dtype_of_kind(Kind kind):
    if kind == Kind.REAL:
        return default_float
    return DType.int64 if kind == Kind.INTEGER else DType.boolean


cdef int store(object x, DType dtype, char* place) except -1:
    """Writes a Python number as an element."""
    cdef int64_t integer
    if dtype == DType.float32:
        (<float*>place)[0] = <float><double>x
    elif dtype == DType.float64:
        (<double*>place)[0] = <double>x
    elif dtype == DType.boolean:
        place[0] = 1 if x else 0
    else:
        integer = x if type(x) is int else int(x)
        if dtype == DType.int64:
            (<int64_t*>place)[0] = integer
        elif dtype == DType.int32:
            if not -0x80000000 <= integer <= 0x7fffffff:
                raise OverflowError(f"Python integer {x} out of bounds for int32")
            (<int32_t*>place)[0] = <int32_t>integer
        else:
            if not 0 <= integer <= 255:
                raise OverflowError(f"Python integer {x} out of bounds for uint8")
            (<uint8_t*>place)[0] = <uint8_t>integer
    return 0


cdef Tensor from_number(object x, DType dtype):
    cdef Dims shape
    cdef Tensor tensor = Tensor.__new__(Tensor)
    tensor.array = Array(dtype, shape)
    store(x, dtype, <char*>tensor.array.data())
    return tensor


cdef Kind scan_list(object x, int depth, Dims& shape):
    """The kind of the numbers in a nested list; NOT_A_NUMBER for what NumPy must read."""
    cdef Kind kind, least = Kind.BOOLEAN
    if depth == shape.rank():
        value = type(x)
        if value is float:
            return Kind.REAL
        if value is int:
            return Kind.INTEGER
        return Kind.BOOLEAN if value is bool else Kind.NOT_A_NUMBER
    if not isinstance(x, (list, tuple)) or len(x) != shape[depth]:
        return Kind.NOT_A_NUMBER
    if len(x) == 0:
        return Kind.REAL
    for item in x:
        kind = scan_list(item, depth + 1, shape)
        if kind == Kind.NOT_A_NUMBER:
            return kind
        if kind > least:
            least = kind
    return least


cdef char* store_list(object x, int depth, Dims& shape, DType dtype, char* place) except? NULL:
    cdef int64_t count = 0
    if depth == shape.rank():
        store(x, dtype, place)
        return place + itemsize(dtype)
    for item in x:
        count += 1
        if count <= shape[depth]:
            place = store_list(item, depth + 1, shape, dtype, place)
    if count != shape[depth]:  # a subclass of list that iterates as it likes
        raise_argument("Tensor", "data", f"a sequence of {shape[depth]} items", f"{count} items")
    return place


cdef Tensor from_list(object x, object dtype):
    """A Tensor from a rectangular nested list of Python numbers; None for anything else."""
    cdef Dims shape
    cdef DType element
    level = x
    while isinstance(level, (list, tuple)) and shape.rank() < kMaxRank:
        shape.push_back(len(level))
        if not level:
            break
        level = level[0]
    cdef Kind kind = scan_list(x, 0, shape)
    if kind == Kind.NOT_A_NUMBER:
        return None
    element = dtype_of_kind(kind) if dtype is None else parse_dtype(dtype, "Tensor")
    cdef Tensor tensor = plain(Array(element, shape))
    store_list(x, 0, shape, element, <char*>tensor.array.data())
    return tensor


cdef Tensor from_buffer(object x):
    """A view of the memory of `x`; None where its elements cannot be used as they lie."""
    cdef DType dtype
    cdef Py_buffer* buffer
    try:
        buffer = acquire_buffer(x)
    except (BufferError, ValueError):  # NumPy raises ValueError for dtypes without a format
        return None
    if not native_dtype(deref(buffer), &dtype) or not aligned(deref(buffer)):
        release_buffer(buffer)
        return None
    cdef Tensor tensor = plain(borrow_buffer(buffer, dtype))
    tensor.foreign = True
    if dtype == DType.boolean:
        tensor.array = clean_booleans(tensor.array)
    return tensor


cdef bint numpy_view(object x, View* view) except *:
    """The elements of a NumPy array as they lie, or of a floating scalar; it holds no reference."""
    if type(x) is ndarray_type:
        return strided_view(x, view)
    if type(x) is float32_type:
        scalar_view(x, DType.float32, view)
        return True
    if type(x) is float64_type:
        scalar_view(x, DType.float64, view)
        return True
    return False


cdef Tensor at_hand(object x):
    """A Tensor, or a NumPy array or scalar as one; None for what takes a longer way."""
    cdef View view
    if type(x) is Tensor:
        return <Tensor>x
    if not numpy_view(x, &view):
        return None
    cdef Tensor tensor = Tensor.__new__(Tensor)
    if type(x) is ndarray_type:
        tensor.array = borrow_object(x, view)
        tensor.foreign = True
    else:
        tensor.array = copied_view(view)
    return tensor


cdef Tensor through_numpy(object x, str where):
    """What only NumPy can read: other dtypes, other byte orders, nested arrays."""
    np = numpy()
    try:
        array = np.asarray(x)
    except (TypeError, ValueError) as error:
        if isinstance(error, errors.ArgumentError):
            raise
        raise_argument(where, "data", "numbers in a rectangular shape", f"{describe(x)}: {error}")
    kind, size = array.dtype.kind, array.dtype.itemsize
    target = None
    if kind == "b":
        target = "bool"
    elif kind == "f" and size <= 8:
        target = "float64" if size == 8 else "float32"
    elif kind == "i":
        target = "int64" if size == 8 else "int32"
    elif kind == "u":
        target = ("uint8", "int32", None, "int64")[size.bit_length() - 1]
        if size == 4:
            target = "int64"
        elif size == 8 and array.size and int(array.max()) > 0x7fffffffffffffff:
            raise_argument(
                where, "data", "unsigned integers below 2**63",
                f"{array.max()} in {describe(array)}"
            )
    if target is None:
        raise_argument(where, "data", "real numbers or booleans", describe(array))
    tensor = from_buffer(np.require(array, target, ["ALIGNED"]))
    if tensor is None:
        raise_argument(where, "data", "an array of real numbers", describe(x))
    return tensor


cdef bint is_array_like(object x):
    return (
        hasattr(x, "__array__")
        or hasattr(x, "__array_interface__")
        or hasattr(x, "__array_struct__")
    )


cdef bint holds_recorded(object x) except -1:
    """Whether a nested list has Tensors on a recorder, which NumPy cannot read."""
    for item in x:
        if type(item) is Tensor:
            if (<Tensor>item).recorded():
                return True
        elif isinstance(item, (list, tuple)):
            if holds_recorded(item):
                return True
        elif hasattr(item, "__fusegrad_tensor__"):
            if (<Tensor>item.__fusegrad_tensor__()).recorded():
                return True
    return False


cdef Tensor stacked(object x):
    cdef Attrs attrs
    attrs.axes.push_back(0)
    return run(STACK, tuple(x), attrs)


cdef Tensor convert(object x, str where):
    """A Tensor over the elements of `x`, shared where possible."""
    cdef Kind kind
    cdef Tensor quick = at_hand(x)
    if quick is not None:
        return quick
    if numpy_module is None and type(x).__module__ == "numpy":
        numpy()
        return convert(x, where)
    kind = number_kind(x)
    if kind != Kind.NOT_A_NUMBER:
        return from_number(x, dtype_of_kind(kind))
    if hasattr(x, "__fusegrad_tensor__"):
        return x.__fusegrad_tensor__()
    if x is None or isinstance(x, (str, bytes, dict, set)):
        raise_argument(where, "data", "an array, a number or a nested list of numbers", describe(x))
    tensor = None
    if isinstance(x, (list, tuple)):
        tensor = from_list(x, None)
        if tensor is None and holds_recorded(x):
            return stacked(x)
    else:
        if hasattr(x, "mask") and hasattr(x, "fill_value") and numpy().any(x.mask):
            raise_argument(where, "data", "data without masked elements", describe(x))
        try:
            tensor = from_buffer(x)
        except TypeError:  # no buffer protocol: NumPy knows more ways
            # But it would iterate over whatever has items, such as a data set without an end.
            if not isinstance(x, range) and not is_array_like(x):
                raise_argument(
                    where, "data", "an array, a number or a nested list of numbers", describe(x))
    return through_numpy(x, where) if tensor is None else tensor


cdef Tensor cast(Tensor x, DType dtype):
    if x.meta().dtype == dtype:
        return x
    cdef Attrs attrs
    attrs.dtype = dtype
    return dispatch(CAST, [x], attrs)
