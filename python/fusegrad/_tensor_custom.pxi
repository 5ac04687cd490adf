# What outlives a block: Hold, gradients of a tape that was left; and gradient rules of users.

cdef set held_tapes = set()  # of which nothing may change, though memory is written


@cython.final
@cython.no_gc
cdef class Hold:
    """Keeps what a Tape records, after the Tape is left too, until the last Hold of it is gone."""

    def __init__(self, Tape tape not None):
        if self.tape is not None:
            raise TypeError("a Hold is of one Tape")
        if tape.ended:
            raise RuntimeError("this Tape has ended")
        self.tape = tape
        tape.holds += 1
        tape.keeps = True
        held_tapes.add(tape)

    def __dealloc__(self):
        if self.tape is None:
            return
        self.tape.holds -= 1
        if self.tape.holds == 0:
            held_tapes.discard(self.tape)
            if not self.tape.live:
                self.tape.release()


cdef int preserve_written(const vector[Array]& arrays) except -1:
    """Gives held tapes a copy of what they have of arrays that are about to be written."""
    cdef size_t i
    for tape in held_tapes:
        for i in range(arrays.size()):
            preserve(deref((<Tape>tape).builder), arrays[i])
    return 0


def gradients(ys, xs, seeds, within=()):
    """The gradients of several `ys` together, on what is being recorded.

    Parameters
    ----------
    ys : sequence of Tensor
    xs : sequence of Tensor
        Values of the recording in progress, or all of one Tape that a Hold keeps.
    seeds : sequence of Tensor or None
        The weight of each element of each y; None for ones.
    within : sequence of (int, int)
        Ranges of nodes, of which all others are taken for constants; none for all nodes.

    Returns
    -------
    list of Tensor or None
        None for each x that no y depends on.
    """
    cdef Recorder recorder = current_builder()
    cdef Recorder source = None
    cdef vector[Value] inputs, outputs, weights, results
    cdef vector[NodeRange] ranges
    cdef NodeRange nodes
    cdef Meta meta
    if recorder is None:
        raise RuntimeError("gradients() needs a recording in progress: use fusegrad.grad")
    for x in xs:
        if (<Tensor?>x).recorder is None or source not in (None, (<Tensor>x).recorder):
            raise RuntimeError("gradients() needs Tensors of one recording")
        source = (<Tensor>x).recorder
        inputs.push_back((<Tensor>x).value)
    if source is None:
        return []
    if source is not recorder and (
        source.is_graph or source.live or (<Tape>source).ended or not source.keeps
    ):
        raise RuntimeError(
            "a gradient cannot be taken any more: the function that the values belong to has"
            " returned, or is being recorded further out")
    for y, seed in zip(ys, seeds):
        if (<Tensor?>y).recorder is not source:
            continue  # depends on nothing that is recorded there
        outputs.push_back((<Tensor>y).value)
        if seed is None:
            meta = (<Tensor>y).meta()
            weights.push_back(
                deref(recorder.builder).constant(filled(meta.dtype, meta.shape, 1.0)))
        else:
            weights.push_back(recorder.value_of(<Tensor?>seed))
    for first, end in within:
        nodes.first = first
        nodes.end = end
        ranges.push_back(nodes)
    if recorder.is_graph and (<GraphHandle>recorder).exact:
        rewrite_exact(as_graph(deref(recorder.builder)))
    results = differentiate(
        deref(recorder.builder), deref(source.builder), outputs, weights, inputs, ranges)
    return [
        recorder.tensor(results[i]) if results[i].valid() else None
        for i in range(<Py_ssize_t>results.size())
    ]


def rebind(Tensor x not None, Tensor source not None):
    """Makes `x` stand for what `source` stands for; returns a Tensor for what it was."""
    cdef Tensor before = Tensor.__new__(Tensor)
    before.array = x.array
    before.recorder = x.recorder
    before.value = x.value
    before.foreign = x.foreign
    x.array = source.array
    x.recorder = source.recorder
    x.value = source.value
    x.foreign = source.foreign
    return before


@cython.final
cdef class Rule:
    """A gradient rule: a Python function, kept by a node."""


def custom_vjp(Tensor y not None, inputs, function):
    """`y` on what is being recorded, with a gradient rule.

    Parameters
    ----------
    y : Tensor
        Floating.
    inputs : sequence of Tensor
        What the rule needs.
    function : callable
        The rule. It is called with a list of Tensors, the result and the inputs, the cotangent of
        the result, and a list of bool that says which of `y` and the inputs a cotangent is asked
        for. It returns a list with a Tensor or None for each of them.
    """
    cdef Attrs attrs
    cdef Rule rule = Rule.__new__(Rule)
    cdef Recorder recorder = current_builder()
    rule.function = function
    set_rule(attrs, <PyObject*>rule)
    if recorder is not None and recorder.is_graph:
        (<GraphHandle>recorder).rules.append(rule)
    return dispatch(CUSTOM_VJP, [y, *inputs], attrs)


cdef PyObject* call_rule(void* rule, VjpContext& context) noexcept with gil:
    """Calls a Python rule; returns the exception that it raised, or NULL."""
    try:
        answer(<Rule>rule, context)
    except BaseException as error:
        Py_INCREF(error)
        return <PyObject*>error
    return NULL


cdef int answer(Rule rule, VjpContext& context) except -1:
    cdef Recorder recorder = current_builder()
    cdef int i
    if recorder is None or recorder.builder.get() != &context.builder() or rule.function is None:
        raise RuntimeError("a gradient rule was asked for after its trace")
    inputs = [recorder.tensor(context.output())]
    inputs += [recorder.tensor(context.input(i)) for i in range(1, context.num_inputs())]
    needed = [context.needs(i) for i in range(context.num_inputs())]
    results = rule.function(inputs, recorder.tensor(context.cotangent()), needed)
    for i, result in enumerate(results):
        if result is not None:
            context.set(i, recorder.value_of(<Tensor?>result))
    return 0


call_python_rule = call_rule


def rule_of_batch(function, int64_t size, list batched):
    """A rule for many examples at once, from that for one."""

    def rule(values, cotangent, needed):
        with ExampleTrace() as trace:
            examples = [
                trace.input(x, 0) if each else x for x, each in zip(values, batched)]
            parts = function(examples, trace.input(cotangent, 0), needed)
            for part in parts:
                if part is not None:
                    trace.output(part, 0)
        found = iter(trace.run(size))
        results = [None if part is None else next(found) for part in parts]
        # What all examples share gets the sum of their parts.
        return [
            x if x is None or each else x.sum(axis=0) for x, each in zip(results, batched)]

    return rule


cdef PyObject* batch_rule(
    void* rule, int64_t size, const vector[char]& batched, PyObject** result
) noexcept with gil:
    cdef Rule made
    cdef Recorder recorder
    try:
        made = Rule.__new__(Rule)
        recorder = current_builder()
        made.function = rule_of_batch(
            (<Rule>rule).function, size, [batched[i] != 0 for i in range(<int>batched.size())])
        if recorder is not None and recorder.is_graph:
            (<GraphHandle>recorder).rules.append(made)
        Py_INCREF(made)
        result[0] = <PyObject*>made
    except BaseException as error:
        Py_INCREF(error)
        return <PyObject*>error
    return NULL


batch_python_rule = batch_rule
