# Function: a compiled program that Python calls on arrays.


@cython.final
cdef class Function:
    """A compiled program as a function of arrays; `fusegrad._core.Program.function` makes one."""

    def __init__(self):
        raise TypeError("a Function is made by fusegrad._core.Program.function")

    def __call__(self, *inputs):
        """The outputs, a tuple of Tensors.

        None, and nothing is done, where an input is no array or Tensor of exactly the program's
        dtype and shape, or where ops are being recorded.
        """
        cdef vector[Array] outputs
        if not self.run(inputs, outputs, False):
            return None
        return tuple([plain(array) for array in outputs])

    def first(self, x):
        """The first output of a program with one input, as a Tensor; None as in a call."""
        cdef vector[Array] outputs
        if not self.run((x,), outputs, False):
            return None
        return plain(outputs[0])

    def of_data(self, *inputs):
        """The outputs as NumPy arrays of their own, those without axes as scalars.

        None, and nothing is done, where an input is no array in C order, has another shape than the
        program's (but for a trailing axis of size 1), a dtype that is not converted as it is
        copied, or a value beyond the bounds that the Function was made with; or where ops are being
        recorded.
        """
        cdef vector[Array] outputs
        if not self.run(inputs, outputs, True):
            return None
        return [own_numpy(array) for array in outputs]

    def expect(self, constants):
        """Sets what a call is given beside the inputs, and must be the same in each.

        Parameters
        ----------
        constants : sequence
            For each argument None where it is an input, else a tuple of one float, int, bool or
            str.
        """
        self.constants = tuple(constants)

    cdef bint run(self, tuple arguments, vector[Array]& outputs, bint data) except *:
        cdef int i = 0, count = deref(self.program).num_inputs()
        cdef Py_ssize_t k, given = count if self.constants is None else len(self.constants)
        cdef vector[View] views
        if len(arguments) != given:
            what = "inputs" if self.constants is None else "arguments"
            raise TypeError(f"the program takes {given} {what}, {len(arguments)} given")
        if current_recorder != NULL:
            return False
        numpy()
        views.resize(count)
        for k in range(given):
            x = arguments[k]
            if self.constants is not None and self.constants[k] is not None:
                if not same_constant(x, (<tuple>self.constants[k])[0]):
                    return False
                continue
            if type(x) is Tensor:
                if (<Tensor>x).recorded() or not (<Tensor>x).array.defined():
                    return False
                views[i] = (<Tensor>x).array.view()
            elif not numpy_view(x, &views[i]):
                return False
            if not (
                deref(self.program).takes_data(i, views[i]) if data
                else deref(self.program).takes(i, views[i])
            ):
                return False
            i += 1
        if held_tapes:
            preserve_written(deref(self.program).written())
        if not deref(self.program).brief() or not deref(self.program).run(views, outputs, False):
            with nogil:
                deref(self.program).run(views, outputs, True)
        return True


cdef bint same_constant(object x, object known) except -1:
    """Whether a Python number or string is just another one: -0.0 is not 0.0, nor 1 True."""
    cdef double a, b
    if type(x) is not type(known):
        return False
    if type(x) is float:
        a = x
        b = known
        return memcmp(&a, &b, sizeof(double)) == 0
    return x == known


def within(array, double low, double high):
    """Whether a numpy.ndarray in C order has finite elements only, from `low` to `high`.

    False for other arrays, and for booleans.
    """
    cdef View view
    return array_view(array, &view) and all_within(view, low, high)


cdef object own_numpy(Array array):
    """A NumPy array with a copy of the elements; a scalar where there are no axes."""
    if array.rank() == 0:
        numpy()
        return numpy_dtypes[<int>array.dtype()].type(plain(array).scalar("this result"))
    result = numpy().empty(dims_tuple(array.shape()), numpy_dtypes[<int>array.dtype()])
    fill_array(result, array.view())
    return result
