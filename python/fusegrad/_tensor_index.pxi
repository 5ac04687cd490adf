# Indexing: x[key] as slice, reshape and take.

cdef list expand_key(Tensor x, object key):
    """The key as a list with one entry per axis, and None for new axes."""
    entries = list(key) if type(key) is tuple else [key]
    cdef int rank = x.meta().shape.rank()
    used = sum([1 for entry in entries if entry is not None and entry is not Ellipsis])
    if used > rank:
        raise IndexError(f"too many indices: {used} for a Tensor of shape {x.shape}")
    if sum([1 for entry in entries if entry is Ellipsis]) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    rest = [slice(None)] * (rank - used)
    for i, entry in enumerate(entries):
        if entry is Ellipsis:
            return entries[:i] + rest + entries[i + 1:]
    return entries + rest


cdef object subscript(Tensor x, object key):
    cdef Attrs window, target, gather
    cdef Dims shape = x.meta().shape
    cdef int axis = 0
    cdef int64_t size, position, first, stride, count
    cdef bint sliced = False, reshaped = False
    indices = None
    for entry in expand_key(x, key):
        if entry is None:
            target.shape.push_back(1)
            reshaped = True
            continue
        size = shape[axis]
        first, stride, count = 0, 1, size
        if isinstance(entry, slice):
            first, stop, stride = entry.indices(size)
            count = len(range(first, stop, stride))
            target.shape.push_back(count)
        elif type(entry) is int or (
            hasattr(entry, "__index__") and type(entry) is not bool
            and getattr(entry, "shape", ()) == () and type(entry) is not Tensor
        ):
            position = entry.__index__()
            if not -size <= position < size:
                raise IndexError(
                    f"index {position} is out of bounds for axis {axis} with size {size}")
            first, count = position + size if position < 0 else position, 1
            reshaped = True
        else:
            if indices is not None:
                raise IndexError("only one index may be an array: index twice, or use ops.take")
            indices = index_array(entry)
            read_dims(target.shape.rank(), &gather.axes)
            target.shape.push_back(count)
        sliced = sliced or first != 0 or stride != 1 or count != size
        window.start.push_back(first)
        window.step.push_back(stride)
        window.shape.push_back(count)
        axis += 1
    result = x
    if sliced:
        result = dispatch(SLICE, [result], window)
    if reshaped:
        result = dispatch(RESHAPE, [result], target)
    if indices is not None:
        result = dispatch(TAKE, [result, indices], gather)
    if result is x and not x.recorded():
        result = plain(x.array)
    return result


cdef Tensor index_array(object entry):
    cdef Tensor indices
    if isinstance(entry, (str, bytes, bool, float, dict)):
        raise IndexError(
            f"indices must be integers, slices, None, ... or integer arrays, got {entry!r}")
    indices = convert(entry, "__getitem__")
    cdef Meta meta = indices.meta()
    if meta.dtype == DType.boolean:
        raise IndexError(
            "a boolean mask gives a result whose shape depends on the data: use ops.where, or index"
            " the NumPy array"
        )
    if is_floating(meta.dtype):
        if num_elements(meta.shape) != 0:
            raise IndexError(f"index arrays must hold integers, got {describe(indices)}")
        indices = cast(indices, DType.int64)  # [] reads as float
    return indices
