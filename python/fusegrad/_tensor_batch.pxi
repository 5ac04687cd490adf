# Batches: a function traced for one example, and run for all of them.


@cython.final
cdef class ExampleTrace:
    """A function that is traced for one example of a batch, to be run for all of them at once.

    While it is entered, ops are recorded by a nested graph: one that takes values of what is being
    recorded around it for inputs.
    """

    def __cinit__(self):
        self.graph = GraphHandle.__new__(GraphHandle)
        self.graph.builder = new_graph()
        self.graph.is_graph = True
        self.graph.nested = True
        self.graph.sources = []
        self.graph.axes = []
        self.graph.captures = {}

    def __enter__(self):
        cdef Recorder outer
        self.graph.enter()
        outer = self.graph.around()
        self.graph.exact = outer is not None and outer.is_graph and (<GraphHandle>outer).exact
        return self

    def __exit__(self, *exception):
        self.graph.leave()
        if exception[0] is not None:
            self.graph.forget_rules()

    def input(self, Tensor examples not None, int axis):
        """One example of those that `axis` of a Tensor counts."""
        need_seen(examples)
        return self.graph.tensor(self.graph.nested_input(examples, axis))

    def output(self, Tensor x not None, int axis):
        """Makes `x` a result, in which `axis` counts the examples.

        -1: it is the same for all of them. Returns whether it can be that.
        """
        cdef Value value
        need_seen(x)
        value = self.graph.value_of(x)
        self.graph.batched.follow(as_graph(deref(self.graph.builder)))
        if axis == kUnbatched and self.graph.batched.contains(value):
            return False
        self.outputs.push_back(value)
        self.axes.push_back(axis)
        return True

    def run(self, int64_t size):
        """The results of `size` examples, a list of Tensors; after the trace.

        Where inputs, or values from outside, are being recorded, the ops are recorded there; else
        they are evaluated now.
        """
        cdef Tensor source
        cdef Recorder outer = None
        if self.graph.live:
            raise RuntimeError("run() comes after the trace")
        for source in self.graph.sources:
            if source.recorded():
                outer = current_builder()
        results = self.evaluate(size) if outer is None else self.record(size, outer)
        if outer is None:
            self.graph.forget_rules()
        elif outer.is_graph:
            (<GraphHandle>outer).rules.extend(self.graph.rules)
        return results

    cdef list record(self, int64_t size, Recorder outer):
        cdef vector[BatchedValue] inputs
        cdef vector[Value] results
        cdef BatchedValue input
        cdef int i
        for i in range(<int>len(self.graph.sources)):
            input.value = outer.value_of(<Tensor>self.graph.sources[i])
            input.axis = self.graph.axes[i]
            inputs.push_back(input)
        results = batch(
            as_graph(deref(self.graph.builder)), size, inputs, self.outputs, self.axes,
            deref(outer.builder))
        return [outer.tensor(results[i]) for i in range(<int>results.size())]

    cdef list evaluate(self, int64_t size):
        cdef vector[BatchedArray] inputs
        cdef vector[Array] results
        cdef BatchedArray input
        cdef int i
        for i in range(<int>len(self.graph.sources)):
            input.array = (<Tensor>self.graph.sources[i]).array
            input.axis = self.graph.axes[i]
            inputs.push_back(input)
        with nogil:
            results = evaluate_batch(
                as_graph(deref(self.graph.builder)), size, inputs, self.outputs, self.axes)
        return [plain(results[i]) for i in range(<int>results.size())]


cdef int need_seen(Tensor x) except -1:
    """Raises for a Tensor of a recorder that is not seen from what is being recorded."""
    cdef Attrs attrs
    if x.recorded() and not seen_here(x.recorder):
        dispatch(IDENTITY, [x], attrs)
    return 0
