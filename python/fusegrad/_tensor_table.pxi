# Errors, dtypes and the op table, as _tensor.pyx sees them.

# ---- errors ------------------------------------------------------------------------------------


cdef int translate_exception() except -1:
    """Raises the Python form of the C++ exception that is being handled."""
    cdef string[4] fields
    cdef Raised kind = describe_exception(&fields[0])
    if kind == Raised.python:
        return -1
    texts = [field.decode("utf-8", "replace") for field in fields]
    if kind == Raised.argument:
        raise errors.ArgumentError(texts[0], texts[1], texts[2], texts[3])
    if kind == Raised.memory:
        raise MemoryError(texts[0])
    raise RuntimeError(texts[0])


cdef object raise_argument(str where, str argument, str expected, str got):
    raise errors.ArgumentError(where, argument, expected, got)


cdef str describe(object x):
    """An operand in an error message."""
    if type(x) is Tensor:
        return f"a Tensor of shape {x.shape} and dtype {dtype_text((<Tensor>x).meta().dtype)}"
    if hasattr(x, "dtype") and hasattr(x, "shape"):
        return f"an array of shape {x.shape} and dtype {x.dtype}"
    text = repr(x)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(x).__name__})"


# ---- dtypes and attributes ---------------------------------------------------------------------

cdef tuple DTYPE_NAMES = ("float32", "float64", "int32", "int64", "uint8", "bool")
cdef dict DTYPES = {name: i for i, name in enumerate(DTYPE_NAMES)}
cdef list numpy_dtypes = []
cdef object numpy_module = None
cdef object ndarray_type = None
cdef object float32_type = None
cdef object float64_type = None
cdef DType default_float = DType.float32

cdef tuple ACTIVATIONS = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus")


cdef object numpy():
    """NumPy, imported when first needed."""
    global numpy_module, ndarray_type, float32_type, float64_type
    if numpy_module is None:
        import numpy as module
        ndarray_type = module.ndarray
        float32_type = module.float32
        float64_type = module.float64
        numpy_dtypes.extend(module.dtype(name) for name in DTYPE_NAMES)
        numpy_module = module
    return numpy_module


cdef inline str dtype_text(DType dtype):
    return <str>DTYPE_NAMES[<int>dtype]


cdef DType parse_dtype(object dtype, str where) except *:
    cdef int i = 0
    for known in numpy_dtypes:  # mostly that of another Tensor; its name takes NumPy microseconds
        if dtype is known:
            return <DType>i
        i += 1
    if type(dtype) is str:
        name = dtype
    elif dtype is float:
        name = "float64"
    elif dtype is int:
        name = "int64"
    else:
        name = getattr(dtype, "name", None)
        if type(name) is not str:
            name = getattr(dtype, "__name__", None)
    index = DTYPES.get(name)
    if index is None and dtype is not None:
        try:
            index = DTYPES.get(numpy().dtype(dtype).name)  # "f8" and the like
        except TypeError:
            pass
    if index is None:
        raise_argument(where, "dtype", "one of " + ", ".join(DTYPE_NAMES), repr(dtype))
    return <DType><int>index


cdef int read_dims(object values, Dims* dims, str where, str argument) except -1:
    """An int or a sequence of ints."""
    if isinstance(values, (tuple, list)):
        for value in values:
            if not hasattr(value, "__index__"):
                raise_argument(where, argument, "integers", repr(values))
            dims.push_back(value)
    elif isinstance(values, int):
        dims.push_back(values)
    elif hasattr(values, "tolist"):  # an array, which has __index__ whatever it holds
        read_dims(values.tolist(), dims, where, argument)
    elif hasattr(values, "__index__"):
        dims.push_back(values)
    elif isinstance(values, str) or not hasattr(values, "__iter__"):
        raise_argument(where, argument, "an integer or a sequence of integers", repr(values))
    else:
        read_dims(tuple(values), dims, where, argument)
    return 0


cdef tuple dims_tuple(const Dims& dims):
    cdef Dims copy = dims
    return tuple([copy[i] for i in range(copy.rank())])


def _set_default_float(str name):
    """The dtype of Tensors made from Python floats; called by ``config.set_floatx``."""
    global default_float
    default_float = parse_dtype(name, "set_floatx")


# ---- the op table ------------------------------------------------------------------------------

ctypedef const OpDef* OpPointer

cdef dict OPS = {}
cdef vector[OpPointer] op_list  # the table, and what extensions added
cdef OpPointer* op_defs


cdef int add_op(const OpDef* op, str name) except -1:
    global op_defs
    OPS[name] = <int>op_list.size()
    op_list.push_back(op)
    op_defs = op_list.data()
    return 0


cdef int load_ops() except -1:
    cdef int count = 0
    cdef int i
    cdef const OpDef* const* table = op_table(&count)
    for i in range(count):
        add_op(table[i], sys.intern(table[i].name.decode()))
    return 0


cdef int op_index(str name) except -1:
    index = OPS.get(name)
    if index is None:
        raise_argument("apply", "name", "the name of an op", repr(name))
    return index


load_ops()

cdef int ABS = OPS["abs"]
cdef int ADD = OPS["add"]
cdef int CALLBACK = OPS["callback"]
cdef int CAST = OPS["cast"]
cdef int CUSTOM_VJP = OPS["custom_vjp"]
cdef int DIVIDE = OPS["divide"]
cdef int EQUAL = OPS["equal"]
cdef int FLOOR_DIVIDE = OPS["floor_divide"]
cdef int GREATER = OPS["greater"]
cdef int GREATER_EQUAL = OPS["greater_equal"]
cdef int IDENTITY = OPS["identity"]
cdef int LESS = OPS["less"]
cdef int LESS_EQUAL = OPS["less_equal"]
cdef int LOGICAL_AND = OPS["logical_and"]
cdef int LOGICAL_NOT = OPS["logical_not"]
cdef int LOGICAL_OR = OPS["logical_or"]
cdef int MATMUL = OPS["matmul"]
cdef int MULTIPLY = OPS["multiply"]
cdef int NEGATIVE = OPS["negative"]
cdef int NOT_EQUAL = OPS["not_equal"]
cdef int POWER = OPS["power"]
cdef int RAVEL_MULTI_INDEX = OPS["ravel_multi_index"]
cdef int REMAINDER = OPS["remainder"]
cdef int RESHAPE = OPS["reshape"]
cdef int SLICE = OPS["slice"]
cdef int SQUARE = OPS["square"]
cdef int STACK = OPS["stack"]
cdef int STOP_GRADIENT = OPS["stop_gradient"]
cdef int SUBTRACT = OPS["subtract"]
cdef int TAKE = OPS["take"]
cdef int TRANSPOSE = OPS["transpose"]
