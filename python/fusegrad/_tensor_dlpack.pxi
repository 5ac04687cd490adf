# DLPack: arrays of other libraries as Tensors, and the other way, without a copy.


cdef object dlpack_capsule(Tensor x, object stream, object max_version, object device, object copy):
    cdef bint versioned = max_version is not None and max_version[0] >= 1
    cdef Array elements
    try:
        x.need_elements("__dlpack__()")
    except TypeError as error:
        raise BufferError(str(error)) from None
    if stream is not None:
        raise_argument("__dlpack__", "stream", "None: processors have no streams", repr(stream))
    if device is not None and tuple(device) != (1, 0):
        raise BufferError(f"the elements of a Tensor are on the CPU (1, 0), not on {device}")
    # Older consumers cannot be told that the elements are read-only: they get their own.
    if copy is None:
        copy = not versioned
    elif not copy and not versioned:
        raise BufferError(
            "the elements of a Tensor are read-only, which DLPack before 1.0 cannot say: ask with"
            " max_version=(1, 0), or for a copy")
    elements = copied(x.array, x.array.dtype()) if copy else x.array
    return to_dlpack(elements, versioned, copy)


def from_dlpack(x, /, *, device=None, copy=None):
    """A Tensor that shares the memory of an array of another library.

    Writing to `x` later changes the Tensor.

    Parameters
    ----------
    x : object
        With the methods ``__dlpack__`` and ``__dlpack_device__``: an array of NumPy, PyTorch, JAX,
        TensorFlow, CuPy and others, on the CPU.
    device : str, optional
        "cpu" or None: there is no other.
    copy : bool, optional
        True: of its own memory. False: never a copy. By default a copy only where the elements
        cannot be used as they lie.

    Returns
    -------
    Tensor
        Shape of `x`; its dtype, converted as by `Tensor`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is no such object, or holds no real numbers or booleans.
    BufferError
        `x` is not on the CPU, or `copy` is False and a copy is needed.

    Examples
    --------
    >>> import numpy as np
    >>> from_dlpack(np.arange(3.0))
    Tensor([0., 1., 2.], dtype=float64)
    """
    cdef Tensor tensor = Tensor.__new__(Tensor)
    if device not in (None, "cpu"):
        raise_argument("from_dlpack", "device", "None or 'cpu'", repr(device))
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise_argument("from_dlpack", "x", "an array with __dlpack__()", describe(x))
    place = x.__dlpack_device__()
    if place[0] != 1:
        raise BufferError(f"from_dlpack() takes arrays on the CPU, got one on device {place}")
    try:
        capsule = x.__dlpack__(max_version=(1, 0))
    except TypeError:  # from before DLPack 1.0
        capsule = x.__dlpack__()
    if dlpack_array(capsule, &tensor.array):
        tensor.foreign = True
        if tensor.array.dtype() == DType.boolean:
            tensor.array = clean_booleans(tensor.array)
    elif copy is not None and not copy:
        raise BufferError("from_dlpack() needs a copy for elements of this dtype or alignment")
    else:
        tensor = through_numpy(numpy().from_dlpack(x), "from_dlpack")
    return plain(copied(tensor.array, tensor.array.dtype())) if copy else tensor
