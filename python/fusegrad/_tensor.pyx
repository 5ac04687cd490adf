# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, auto_pickle=False
"""Tensor, and what Python calls once per op.

``apply`` is the one way from Python into the op table: it converts and promotes the operands, then
evaluates the op at once or records it by the Tape or Graph that the operands belong to.
"""

cimport cython
from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND,
    PyBUF_STRIDES, PyBUF_WRITABLE,
)
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_CheckExact, PyCapsule_GetName, PyCapsule_GetPointer
from cpython.ref cimport Py_DECREF, Py_INCREF
from cython.operator cimport dereference as deref

import sys

from fusegrad import config, errors

__all__ = [
    "ExampleTrace", "Function", "GraphHandle", "Hold", "Tape", "Tensor", "add_custom_op", "apply",
    "apply_one", "apply_reduction", "apply_two", "as_tensor", "callback", "copy_into",
    "current_builder", "custom_vjp", "detached", "empty", "from_dlpack", "from_numpy", "full",
    "gradient", "gradients", "has_floating_dtype", "identity", "identity_on", "in_current_trace",
    "rebind",
    "within",
]

include "_tensor_table.pxi"
include "_tensor_convert.pxi"
include "_tensor_dispatch.pxi"
include "_tensor_record.pxi"
include "_tensor_batch.pxi"
include "_tensor_custom.pxi"
include "_tensor_index.pxi"
include "_tensor_numpy.pxi"
include "_tensor_dlpack.pxi"
include "_tensor_function.pxi"
include "_tensor_host.pxi"
include "_tensor_apply.pxi"
include "_tensor_create.pxi"
include "_tensor_api.pxi"

# ---- Tensor ------------------------------------------------------------------------------------


@cython.final
@cython.freelist(64)
@cython.no_gc
cdef class Tensor:
    """An array of numbers whose computations can be differentiated and compiled.

    Elements never change: ``x += 1`` gives a new Tensor the old name, ``x.at[key].set(value)``
    makes one with other elements. Ops follow NumPy: broadcasting, and promotion of dtypes (NEP 50);
    NumPy's own functions take Tensors too.

    Parameters
    ----------
    data : array_like
        A number, a nested list of numbers, a NumPy array, or any object with the buffer protocol;
        the elements are copied.
    dtype : str or numpy.dtype, optional
        float32, float64, int32, int64, uint8 or bool. Default: that of `data`; `config.floatx()`
        for Python floats, int64 for Python integers.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For what is no rectangular array of real numbers or booleans.

    Examples
    --------
    >>> import fusegrad as fg
    >>> fg.Tensor([1.0, 2.0]) * 2
    Tensor([2., 4.], dtype=float32)
    """

    __array_priority__ = 1000  # numpy_array + tensor is a Tensor

    def __init__(self, data, dtype=None):
        cdef Tensor source
        if self.recorder is not None or self.array.defined():
            raise TypeError("the elements of a Tensor never change: make another Tensor")
        source = tensor_of(data, dtype, "Tensor")
        if source.recorded():
            self.recorder = source.recorder
            self.value = source.value
            self.array = source.array
        else:
            self.recorder = None
            self.array = copied(source.array, source.array.dtype())

    cdef bint recorded(self) noexcept:
        """Whether ops on this Tensor are recorded; forgets a tape that has ended."""
        if self.recorder is None:
            return False
        if self.recorder.is_graph or self.recorder.live:
            return True
        if (<Tape>self.recorder).holds == 0:
            self.recorder = None
        return False

    cdef Meta meta(self) noexcept:
        if self.recorder is not None and self.recorder.is_graph:
            return deref(self.recorder.builder).meta(self.value)
        return self.array.meta()

    cdef int need_elements(self, str what) except -1:
        """Raises where the elements are unknown, or where reading them would cut a gradient."""
        if not self.recorded():
            if not self.array.defined():
                raise TypeError("a Tensor that was never initialised")
            return 0
        if self.recorder.is_graph:
            raise TypeError(
                f"{what} needs the elements of a Tensor, but this one is symbolic: the function is"
                f" being traced (shape {self.shape}, dtype {dtype_text(self.meta().dtype)}). Use"
                " functions of NumPy or fusegrad.ops instead, ops.where instead of Python"
                " conditions, or compile with run_eagerly=True"
            )
        if not is_floating(self.array.dtype()):
            return 0  # a tape knows them, and gradients end at integers and booleans
        if (<Tape>self.recorder).readable:
            (<Tape>self.recorder).read = True
            return 0
        raise TypeError(
            f"{what} would cut the gradient: this Tensor is being differentiated. Use functions of"
            " NumPy or fusegrad.ops (ops.where for conditions, ops.stack for a list of Tensors), or"
            " look at the value later: return it from the function (has_aux=True), or leave the"
            " block of the GradientTape; x.detach() has no gradient"
        )

    # -- what it is --

    @property
    def shape(self):
        """Sizes of the axes."""
        return dims_tuple(self.meta().shape)

    @property
    def ndim(self):
        """The number of axes, at most 8."""
        return self.meta().shape.rank()

    @property
    def size(self):
        """The number of elements."""
        return num_elements(self.meta().shape)

    @property
    def dtype(self):
        """The element type, a numpy.dtype."""
        numpy()
        return numpy_dtypes[<int>self.meta().dtype]

    @property
    def T(self):
        """The transpose, with all axes reversed."""
        return self.transpose()

    @property
    def mT(self):
        """The transpose of the last two axes."""
        if self.ndim < 2:
            raise ValueError(f"mT needs at least 2 axes, got shape {self.shape}")
        return self.swapaxes(-1, -2)

    @property
    def at(self):
        """``x.at[key].set(v)`` is a Tensor like `x`, but for `v` at `key`; also ``add`` and others.

        Examples
        --------
        >>> import fusegrad as fg
        >>> fg.Tensor([1.0, 2.0, 3.0]).at[1:].set(0.0)
        Tensor([1., 0., 0.], dtype=float32)
        """
        global indexed_update
        if indexed_update is None:
            from fusegrad._indexed_update import At as indexed_update
        return indexed_update(self)

    @property
    def nbytes(self):
        """The number of bytes of the elements."""
        return num_elements(self.meta().shape) * itemsize(self.meta().dtype)

    def __getattr__(self, name):
        hint = ""
        if not name.startswith("_"):
            from fusegrad._elsewhere import of_tensor
            hint = of_tensor(name)
        raise AttributeError(
            f"Tensor has no '{name}': {hint}" if hint
            else f"'Tensor' object has no attribute '{name}'", name=name, obj=self)

    def __len__(self):
        cdef Dims shape = self.meta().shape
        if shape.rank() == 0:
            raise TypeError("len() of a Tensor without axes")
        return shape[0]

    def __iter__(self):
        if self.meta().shape.rank() == 0:
            raise TypeError("a Tensor without axes cannot be iterated over")
        return map(self.__getitem__, range(self.meta().shape[0]))

    def __getitem__(self, key):
        return subscript(self, key)

    def __setitem__(self, key, value):
        raise TypeError(
            "the elements of a Tensor never change: x = x.at[key].set(value) makes a new one, and"
            " ops.where(condition, value, x) one with other elements where a condition holds"
        )

    def __hash__(self):
        return <Py_hash_t>(<size_t><PyObject*>self >> 4)

    def __repr__(self):
        cdef Meta meta = self.meta()
        dtype = dtype_text(meta.dtype)
        if self.recorder is not None and self.recorder.is_graph:
            return f"Tensor(shape={self.shape}, dtype={dtype}, symbolic)"
        if not self.array.defined():
            return "Tensor(uninitialised)"
        suffix = ", tracked)" if self.recorded() else ")"
        np = numpy()
        elements = np.array2string(
            np.asarray(plain(self.array)), separator=", ", prefix="Tensor(", threshold=200)
        if self.size == 0 and self.ndim != 1:
            return f"Tensor({elements}, shape={self.shape}, dtype={dtype}{suffix}"
        return f"Tensor({elements}, dtype={dtype}{suffix}"

    # -- its elements --

    def numpy(self):
        """The elements as a read-only NumPy array that shares their memory.

        Raises
        ------
        TypeError
            While the Tensor is traced or differentiated.
        """
        self.need_elements("numpy()")
        return numpy().asarray(memoryview(self))

    def __array__(self, dtype=None, copy=None):
        self.need_elements("conversion to a NumPy array")
        return numpy().array(memoryview(self), dtype=dtype, copy=copy)

    def item(self, *index):
        """The only element, or the one at `index`, as a Python number.

        One integer counts the elements in C order.

        Raises
        ------
        ValueError
            Where there is not exactly one element.
        TypeError
            While the Tensor is traced or differentiated.
        """
        self.need_elements("item()")
        if not index:
            return self.scalar("item()")
        flat = len(index) == 1 and not isinstance(index[0], tuple)
        return (self.reshape(-1)[index] if flat else self[index[0] if len(index) == 1 else index]
                ).item()

    cdef object scalar(self, str what):
        cdef DType dtype = self.array.dtype()
        cdef void* data = self.array.data()
        if self.array.size() != 1:
            raise ValueError(f"{what} needs a Tensor with one element, got shape {self.shape}")
        if dtype == DType.float32:
            return <double>(<float*>data)[0]
        if dtype == DType.float64:
            return (<double*>data)[0]
        if dtype == DType.int64:
            return (<int64_t*>data)[0]
        if dtype == DType.int32:
            return (<int32_t*>data)[0]
        if dtype == DType.uint8:
            return (<uint8_t*>data)[0]
        return (<uint8_t*>data)[0] != 0

    def tolist(self):
        """The elements as nested lists of Python numbers."""
        self.need_elements("tolist()")
        if self.array.rank() == 0:
            return self.scalar("tolist()")
        if self.array.size() == 0:
            return numpy().asarray(memoryview(self)).tolist()
        return memoryview(self).tolist()

    def __float__(self):
        self.need_elements("float()")
        return float(self.scalar("float()"))

    def __int__(self):
        self.need_elements("int()")
        return int(self.scalar("int()"))

    def __complex__(self):
        raise TypeError("the elements of a Tensor are real: write complex(float(x))")

    def __format__(self, spec):
        if not spec:
            return str(self)
        self.need_elements("formatting")
        return format(self.scalar("formatting"), spec)

    def __round__(self, digits=None):
        self.need_elements("round()")
        return round(self.scalar("round()"), digits)

    def __index__(self):
        self.need_elements("use as an index")
        if is_floating(self.array.dtype()) or self.array.dtype() == DType.boolean:
            raise TypeError("only a Tensor of integers can be used as an index")
        return self.scalar("use as an index")

    def __bool__(self):
        # A tape knows the elements, and a condition has no gradient.
        if not (self.recorder is not None and not self.recorder.is_graph):
            self.need_elements("a Python condition")
        if self.array.size() != 1:
            raise ValueError(
                f"the truth value of a Tensor of shape {self.shape} is ambiguous: reduce it first")
        return bool(self.scalar("bool()"))

    def __contains__(self, item):
        return bool((self == item).max()) if self.size else False

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        cdef const View* view
        cdef Py_ssize_t* sizes
        cdef Dims shape, strides
        cdef int i
        try:
            self.need_elements("the buffer protocol")
        except TypeError as error:
            raise BufferError(str(error)) from None
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("the elements of a Tensor are read-only")
        view = &self.array.view()
        shape = view.shape
        strides = view.strides
        cdef bint c_order = is_c_contiguous(shape, strides)
        cdef bint f_order = is_f_contiguous(shape, strides)
        if (
            (not c_order and (flags & PyBUF_STRIDES) != PyBUF_STRIDES)
            or (not c_order and (flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS)
            or (not f_order and (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS)
            or (not c_order and not f_order
                and (flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS)
        ):
            raise BufferError("the elements of this Tensor do not lie in the order asked for")
        sizes = <Py_ssize_t*>PyMem_Malloc(2 * kMaxRank * sizeof(Py_ssize_t))
        if sizes == NULL:
            raise MemoryError()
        buffer.itemsize = <Py_ssize_t>itemsize(view.dtype)
        for i in range(shape.rank()):
            sizes[i] = <Py_ssize_t>shape[i]
            sizes[kMaxRank + i] = <Py_ssize_t>strides[i] * buffer.itemsize
        buffer.buf = view.data
        buffer.format = NULL
        if flags & PyBUF_FORMAT == PyBUF_FORMAT:
            buffer.format = format_of(view.dtype)
        buffer.internal = sizes
        buffer.len = <Py_ssize_t>self.array.size() * buffer.itemsize
        buffer.ndim = shape.rank()
        buffer.obj = self
        buffer.readonly = 1
        buffer.shape = sizes if flags & PyBUF_ND == PyBUF_ND else NULL
        buffer.strides = sizes + kMaxRank if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
        buffer.suboffsets = NULL

    def __releasebuffer__(self, Py_buffer* buffer):
        PyMem_Free(buffer.internal)

    def __reduce__(self):
        self.need_elements("pickle")
        return Tensor, (numpy().array(memoryview(self)),)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        self.need_elements("deepcopy()")
        return plain(copied(self.array, self.array.dtype()))

    def __fusegrad_tensor__(self):
        return self

    # -- what NumPy and other libraries ask --

    def __array_ufunc__(self, ufunc, str method, *inputs, **kwargs):
        if method == "__call__" and not kwargs:
            index = UFUNCS.get(ufunc)
            if index is not None:
                return run(<int>index, inputs, Attrs.none())
        return numpy_functions().answer_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        known = FUNCTIONS.get(function)
        if known is None:
            return numpy_functions().answer(function, args, kwargs)
        answer, ours, straight = <tuple>known
        if not kwargs and len(args) <= <Py_ssize_t>straight:
            return ours(*args)
        return answer(*args, **kwargs)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return dlpack_capsule(self, stream, max_version, dl_device, copy)

    def __dlpack_device__(self):
        return (1, 0)

    # -- operators --

    def __add__(self, other):
        return binary(ADD, self, other)

    def __radd__(self, other):
        return binary(ADD, other, self)

    def __sub__(self, other):
        return binary(SUBTRACT, self, other)

    def __rsub__(self, other):
        return binary(SUBTRACT, other, self)

    def __mul__(self, other):
        return binary(MULTIPLY, self, other)

    def __rmul__(self, other):
        return binary(MULTIPLY, other, self)

    def __truediv__(self, other):
        return binary(DIVIDE, self, other)

    def __rtruediv__(self, other):
        return binary(DIVIDE, other, self)

    def __floordiv__(self, other):
        return binary(FLOOR_DIVIDE, self, other)

    def __rfloordiv__(self, other):
        return binary(FLOOR_DIVIDE, other, self)

    def __mod__(self, other):
        return binary(REMAINDER, self, other)

    def __rmod__(self, other):
        return binary(REMAINDER, other, self)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __matmul__(self, other):
        return binary(MATMUL, self, other)

    def __rmatmul__(self, other):
        return binary(MATMUL, other, self)

    def __pow__(self, other, modulo):
        if modulo is not None:
            return NotImplemented
        if type(other) is not Tensor and number_kind(other) > Kind.BOOLEAN and other == 2:
            return unary(SQUARE, self)
        return binary(POWER, self, other)

    def __rpow__(self, other, modulo):
        return NotImplemented if modulo is not None else binary(POWER, other, self)

    def __neg__(self):
        return unary(NEGATIVE, self)

    def __pos__(self):
        return self

    def __abs__(self):
        return unary(ABS, self)

    def __invert__(self):
        if self.meta().dtype != DType.boolean:
            raise TypeError(f"~ needs a Tensor of bool, got {describe(self)}")
        return unary(LOGICAL_NOT, self)

    def __and__(self, other):
        return binary_logic(LOGICAL_AND, self, other, "&")

    def __rand__(self, other):
        return binary_logic(LOGICAL_AND, other, self, "&")

    def __or__(self, other):
        return binary_logic(LOGICAL_OR, self, other, "|")

    def __ror__(self, other):
        return binary_logic(LOGICAL_OR, other, self, "|")

    def __xor__(self, other):
        return binary_logic(NOT_EQUAL, self, other, "^")

    def __rxor__(self, other):
        return binary_logic(NOT_EQUAL, other, self, "^")

    def __eq__(self, other):
        return binary(EQUAL, self, other)

    def __ne__(self, other):
        return binary(NOT_EQUAL, self, other)

    def __lt__(self, other):
        return binary(LESS, self, other)

    def __le__(self, other):
        return binary(LESS_EQUAL, self, other)

    def __gt__(self, other):
        return binary(GREATER, self, other)

    def __ge__(self, other):
        return binary(GREATER_EQUAL, self, other)

    # -- methods that are ops, with NumPy's signatures --

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
        """The elements as another dtype; floating to integer drops the fraction.

        Raises
        ------
        TypeError
            Where `casting` forbids it, as by numpy.can_cast.
        """
        if casting != "unsafe" and not numpy().can_cast(self.dtype, dtype, casting):
            raise TypeError(
                f"astype() from {self.dtype} to {dtype} is not a cast of kind {casting!r}")
        return cast(self, parse_dtype(dtype, "astype"))

    def reshape(self, *shape, str order="C", copy=None):
        """The same elements with another shape; one size may be -1.

        They are read and placed with the last axis fastest, with the first where `order` is "F".

        Raises
        ------
        fusegrad.errors.ArgumentError
            Where the number of elements would differ.
        """
        cdef Attrs attrs
        cdef int64_t known = 1
        cdef int64_t size = num_elements(self.meta().shape)
        cdef int i, unknown = -1
        if len(shape) == 1 and hasattr(shape[0], "tolist"):
            shape = (shape[0].tolist(),)  # an array has __index__ whatever it holds
        sizes = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
        if read_order("reshape", order):
            sizes = (sizes,) if hasattr(sizes, "__index__") else tuple(sizes)
            return self.transpose().reshape(sizes[::-1]).transpose()
        read_dims(sizes, &attrs.shape, "reshape", "shape")
        for i in range(attrs.shape.rank()):
            if attrs.shape[i] == -1 and unknown < 0:
                unknown = i
            elif attrs.shape[i] < 0:
                raise_argument(
                    "reshape", "shape", "sizes of at least 0, and at most one -1", repr(sizes))
            else:
                known *= attrs.shape[i]
        if unknown >= 0:
            if known == 0 or size % known != 0:
                raise_argument(
                    "reshape", "shape", f"a shape of {size} elements", repr(tuple(sizes)))
            attrs.shape[unknown] = size // known
        return dispatch(RESHAPE, [self], attrs)

    def ravel(self, str order="C"):
        """The elements as one axis, the last axis fastest; the first where `order` is "F"."""
        return self.reshape(-1, order=order)

    def flatten(self, str order="C"):
        """The same as `ravel`."""
        return self.reshape(-1, order=order)

    def transpose(self, *axes):
        """The axes in another order; reversed where none is given."""
        cdef Attrs attrs
        cdef int i
        if len(axes) == 1 and (axes[0] is None or not hasattr(axes[0], "__index__")):
            axes = () if axes[0] is None else tuple(axes[0])
        if axes:
            read_dims(axes, &attrs.axes, "transpose", "axes")
        else:
            for i in range(self.meta().shape.rank() - 1, -1, -1):
                attrs.axes.push_back(i)
        return dispatch(TRANSPOSE, [self], attrs)

    def swapaxes(self, axis1, axis2):
        """The axes with these two exchanged."""
        cdef int rank = self.meta().shape.rank()
        for name, axis in (("axis1", axis1), ("axis2", axis2)):
            if not -rank <= axis < rank:
                raise_argument("swapaxes", name, f"an axis in [{-rank}, {rank})", repr(axis))
        order = list(range(rank))
        order[axis1], order[axis2] = order[axis2], order[axis1]
        return self.transpose(order)

    def squeeze(self, axis=None):
        """Without axes of size 1; see `ops.squeeze`."""
        return ops_function("squeeze")(self, axis)

    def sum(self, axis=None, dtype=None, out=None, bint keepdims=False):
        """The sum over `axis` (an int, a tuple, or None for all); see `ops.sum`."""
        return reduce("sum", self, axis, dtype, out, keepdims)

    def mean(self, axis=None, dtype=None, out=None, bint keepdims=False):
        """The mean over `axis` (an int, a tuple, or None for all); see `ops.mean`."""
        return reduce("mean", self, axis, dtype, out, keepdims)

    def max(self, axis=None, out=None, bint keepdims=False):
        """The largest element over `axis` (an int, a tuple, or None for all); see `ops.max`."""
        return reduce("max", self, axis, None, out, keepdims)

    def min(self, axis=None, out=None, bint keepdims=False):
        """The smallest element over `axis` (an int, a tuple, or None for all); see `ops.min`."""
        return reduce("min", self, axis, None, out, keepdims)

    def argmax(self, axis=None, out=None, *, bint keepdims=False):
        """The index of the first largest element along `axis`; see `ops.argmax`."""
        return reduce("argmax", self, axis, None, out, keepdims)

    def argmin(self, axis=None, out=None, *, bint keepdims=False):
        """The index of the first smallest element along `axis`; see `ops.argmin`."""
        return reduce("argmin", self, axis, None, out, keepdims)

    def var(self, axis=None, dtype=None, out=None, ddof=0, bint keepdims=False):
        """The variance over `axis`; see `ops.var`."""
        return _composed("var", self, dtype, out, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis=None, dtype=None, out=None, ddof=0, bint keepdims=False):
        """The standard deviation over `axis`; see `ops.std`."""
        return _composed("std", self, dtype, out, axis=axis, ddof=ddof, keepdims=keepdims)

    def prod(self, axis=None, dtype=None, out=None, bint keepdims=False):
        """The product over `axis`; see `ops.prod`."""
        return _composed("prod", self, dtype, out, axis=axis, keepdims=keepdims)

    def any(self, axis=None, out=None, bint keepdims=False):
        """Whether any element over `axis` is true; see `ops.any`."""
        return _composed("any", self, None, out, axis=axis, keepdims=keepdims)

    def all(self, axis=None, out=None, bint keepdims=False):
        """Whether all elements over `axis` are true; see `ops.all`."""
        return _composed("all", self, None, out, axis=axis, keepdims=keepdims)

    def cumsum(self, axis=None, dtype=None, out=None):
        """The sums of the elements up to each along `axis`; see `ops.cumsum`."""
        return _composed("cumsum", self, dtype, out, axis=axis)

    def cumprod(self, axis=None, dtype=None, out=None):
        """The products of the elements up to each along `axis`; see `ops.cumprod`."""
        return _composed("cumprod", self, dtype, out, axis=axis)

    def argsort(self, axis=-1):
        """The indices that sort along `axis`; see `ops.argsort`."""
        return ops_function("argsort")(self, axis)

    def clip(self, min=None, max=None, out=None):
        """The elements bounded by `min` and `max`, of which one may be None; see `ops.clip`."""
        return _composed("clip", self, None, out, x_min=min, x_max=max)

    def round(self, decimals=0, out=None):
        """The elements rounded to `decimals`, halves to even; see `ops.round`."""
        return _composed("round", self, None, out, decimals=decimals)

    def dot(self, other, out=None):
        """The product as by numpy.dot; see `ops.dot`."""
        no_destination("dot", out)
        return ops_function("dot")(self, other)

    def take(self, indices, axis=None, out=None):
        """The elements at `indices` along `axis`; see `ops.take`."""
        return _composed("take", self, None, out, indices=indices, axis=axis)

    def repeat(self, repeats, axis=None):
        """Each element several times; see `ops.repeat`."""
        return ops_function("repeat")(self, repeats, axis=axis)

    def diagonal(self, offset=0, axis1=0, axis2=1):
        """The elements whose indices along two axes differ by `offset`; see `ops.diagonal`."""
        return ops_function("diagonal")(self, offset, axis1, axis2)

    def trace(self, offset=0, axis1=0, axis2=1):
        """The sum of the diagonal; see `ops.trace`."""
        return ops_function("trace")(self, offset, axis1, axis2)

    def nonzero(self):
        """The indices of the elements that are not 0, an array for each axis; see `ops.nonzero`."""
        return ops_function("nonzero")(self)

    def conj(self):
        """The Tensor itself: its elements are real."""
        return self

    def copy(self, str order="C"):
        """The same elements in memory of their own; gradients pass."""
        read_order("copy", order)
        if self.recorded():
            return identity(self)
        need_defined(self)
        return plain(copied(self.array, self.array.dtype()))

    def detach(self):
        """The same elements, where gradients end; on a tape a plain Tensor."""
        if self.recorder is not None and self.recorder.is_graph:
            return ops_function("stop_gradient")(self)
        return detached(self)


cdef object indexed_update = None


cdef object binary_logic(int index, object left, object right, str symbol):
    for x in (left, right):
        if number_kind(x) == Kind.BOOLEAN:
            continue
        if number_kind(x) != Kind.NOT_A_NUMBER or convert(x, symbol).meta().dtype != DType.boolean:
            raise TypeError(f"{symbol} needs booleans, got {describe(x)}: compare first")
    return binary(index, left, right)


cdef char* format_of(DType dtype) noexcept:
    if dtype == DType.float32:
        return "f"
    if dtype == DType.float64:
        return "d"
    if dtype == DType.int32:
        return "i"
    if dtype == DType.int64:
        return "l" if sizeof(long) == 8 else "q"
    return "B" if dtype == DType.uint8 else "?"


cdef int check_environment() except -1:
    cdef const char* problem = isa_request_error()
    if problem != NULL:
        raise ValueError(problem.decode())
    return 0


check_environment()
_set_default_float(config.floatx())
