# What answers NumPy's functions of Tensors; _numpy_functions.py fills it when first asked.

# A ufunc -> the index of the op that it is.
cdef dict UFUNCS = {}
# Another function -> what answers it, and the function of ops that is the same up to so many
# positional arguments.
cdef dict FUNCTIONS = {}
cdef object numpy_functions_module = None


cdef object numpy_functions():
    global numpy_functions_module
    if numpy_functions_module is None:
        from fusegrad import _numpy_functions
        numpy_functions_module = _numpy_functions
    return numpy_functions_module


def _answer_numpy(dict ufuncs, dict functions):
    """Lets ufuncs be ops, given by their names, and other functions be answered by callables."""
    for ufunc, name in ufuncs.items():
        UFUNCS[ufunc] = OPS[name]
    FUNCTIONS.update(functions)
