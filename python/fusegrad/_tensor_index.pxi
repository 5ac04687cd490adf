# Indexing: x[key] by NumPy's rules, as slice, reshape, transpose, ravel_multi_index and take.

cdef object subscript(Tensor x, object key):
    cdef Attrs window, target
    cdef Dims shape = x.meta().shape
    cdef int axis = 0, place = 0
    cdef int64_t size, position, first, stride, count
    cdef bint sliced = False, reshaped = False, apart = False, after_gap = False
    cdef list arrays = [], places = []  # index arrays, and the axes of the result of reshape
    cdef Tensor result = x
    cdef bint fancy = False  # an integer or an array has been seen
    for entry in expand_key(x, key):
        if entry is None or entry is Ellipsis or isinstance(entry, slice):
            after_gap = fancy
        elif after_gap:
            apart = True  # two indices with something between them
        else:
            fancy = True
        if entry is Ellipsis:
            continue
        if entry is None:
            target.shape.push_back(1)
            place += 1
            reshaped = True
            continue
        if type(entry) is Tensor and (<Tensor>entry).meta().dtype == DType.boolean:
            count = masked_axes(x, <Tensor>entry, axis, window)
            axis += (<Tensor>entry).meta().shape.rank()
            reshaped = reshaped or (<Tensor>entry).meta().shape.rank() != 1
            arrays.append(places_of(<Tensor>entry))
            places.append(place)
            place += 1
            target.shape.push_back(count)
            continue
        size = shape[axis]
        first, stride, count = 0, 1, size
        if isinstance(entry, slice):
            begin, stop, step = entry.indices(size)
            count = len(range(begin, stop, step))
            first, stride = begin, step if count > 1 else 1  # a longer step may not fit
            target.shape.push_back(count)
            place += 1
        elif type(entry) is Tensor:
            arrays.append(entry)
            places.append(place)
            target.shape.push_back(count)
            place += 1
        else:
            try:
                position = entry
            except OverflowError:
                raise IndexError(
                    f"index {entry} is out of bounds for axis {axis} with size {size}") from None
            if not -size <= position < size:
                raise IndexError(
                    f"index {position} is out of bounds for axis {axis} with size {size}")
            first, count = position + size if position < 0 else position, 1
            reshaped = True
        sliced = sliced or first != 0 or stride != 1 or count != size
        window.start.push_back(first)
        window.step.push_back(stride)
        window.shape.push_back(count)
        axis += 1
    if sliced:
        result = dispatch(SLICE, [result], window)
    if reshaped:
        result = dispatch(RESHAPE, [result], target)
    if arrays:
        return gather(result, arrays, places, apart)
    if result is x and not x.recorded():
        result = plain(x.array)
    return result


cdef list expand_key(Tensor x, object key):
    """The key as a list of None, slices, ints and Tensors that says something of every axis."""
    cdef int rank = x.meta().shape.rank(), used = 0, ellipsis = -1
    cdef list entries = []
    for entry in key if type(key) is tuple else (key,):
        if entry is Ellipsis:
            if ellipsis >= 0:
                raise IndexError("an index can only have a single ellipsis ('...')")
            ellipsis = <int>len(entries)
        elif entry is not None:
            if not isinstance(entry, slice):
                entry = integer_or_array(entry)
            if type(entry) is Tensor and (<Tensor>entry).meta().dtype == DType.boolean:
                used += (<Tensor>entry).meta().shape.rank()
            else:
                used += 1
        entries.append(entry)
    if used > rank:
        raise IndexError(f"too many indices: {used} for a Tensor of shape {x.shape}")
    rest = [slice(None)] * (rank - used)
    if ellipsis >= 0:  # it stays: it parts indices also where it stands for no axis
        return entries[:ellipsis + 1] + rest + entries[ellipsis + 1:]
    return entries + rest


cdef object integer_or_array(object entry):
    """An index as an int, or as a Tensor of integers or booleans."""
    cdef Tensor indices
    if type(entry) is int:
        return entry
    if (
        hasattr(entry, "__index__") and type(entry) is not bool
        and getattr(entry, "shape", ()) == () and type(entry) is not Tensor
    ):
        return entry.__index__()
    if isinstance(entry, (str, bytes, float, dict)):
        raise IndexError(
            f"indices must be integers, slices, None, ... or arrays of integers or booleans, got"
            f" {entry!r}")
    try:
        indices = convert(entry, "__getitem__")
    except errors.ArgumentError as error:
        raise IndexError(f"indices must be integers or booleans: {error}") from None
    cdef Meta meta = indices.meta()
    if is_floating(meta.dtype):
        if num_elements(meta.shape) != 0:
            raise IndexError(
                f"index arrays must hold integers or booleans, got {describe(indices)}")
        return cast(indices, DType.int64)  # [] reads as float
    return indices


cdef int64_t masked_axes(Tensor x, Tensor mask, int axis, Attrs& window) except -1:
    """The number of elements of the axes that a mask is for, all of which the slice takes."""
    cdef Dims shape = x.meta().shape, sizes = mask.meta().shape
    cdef int64_t count = 1
    cdef int i
    for i in range(sizes.rank()):
        if shape[axis + i] != sizes[i]:
            raise IndexError(
                f"a mask of shape {mask.shape} does not match: axis {axis + i} has size"
                f" {shape[axis + i]}, the mask has {sizes[i]}")
        count *= sizes[i]
        window.start.push_back(0)
        window.step.push_back(1)
        window.shape.push_back(sizes[i])
    return count


cdef Tensor places_of(Tensor mask):
    """Where a mask is true, counted in C order."""
    if mask.recorder is not None and mask.recorder.is_graph:
        raise IndexError(
            "a boolean mask gives a result whose shape depends on the data, but this mask is"
            " symbolic: the function is being traced. Use ops.where, which keeps the shape"
        )
    need_defined(mask)
    np = numpy()
    return from_buffer(np.flatnonzero(np.asarray(plain(mask.array))).astype(np.int64))


cdef Tensor gather(Tensor x, list arrays, list places, bint apart):
    """The elements of `x` at index arrays for the axes `places`, which ascend.

    Their axes stand where those of `x` were; first where `apart`.
    """
    cdef Attrs order, merged, flat, where
    cdef Dims shape = x.meta().shape
    cdef int i, first = <int>places[0], count = <int>len(places)
    try:
        if apart and places != list(range(count)):
            first = 0
            for i in places + [i for i in range(shape.rank()) if i not in places]:
                order.axes.push_back(i)
            x = dispatch(TRANSPOSE, [x], order)
            shape = x.meta().shape
        elif apart:
            first = 0
        indices = arrays[0]
        if count > 1:
            # One index into the axes as a single one.
            flat.flag = True
            for i in range(first, first + count):
                flat.shape.push_back(shape[i])
            for i in range(shape.rank()):
                if i <= first or i >= first + count:
                    merged.shape.push_back(shape[i])
                else:
                    merged.shape[first] = merged.shape[first] * shape[i]
            indices = dispatch(RAVEL_MULTI_INDEX, arrays, flat)
            x = dispatch(RESHAPE, [x], merged)
        where.axes.push_back(first)
        return dispatch(TAKE, [x, indices], where)
    except errors.ArgumentError as error:
        if error.argument == "operands":
            shapes = " ".join([str(array.shape) for array in arrays])
            raise IndexError(f"index arrays do not broadcast together: shapes {shapes}") from None
        if error.argument != "indices" and not error.argument.startswith("multi_index"):
            raise
        raise IndexError(f"index out of bounds: expected {error.expected}, got {error.got}"
                         ) from None
