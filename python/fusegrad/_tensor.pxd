# The C++ that _tensor.pyx uses, and the fields of its extension types.

from cpython.object cimport PyObject
from libc.string cimport memcmp
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libcpp cimport bool as cbool
from libcpp.memory cimport shared_ptr
from libcpp.string cimport string
from libcpp.vector cimport vector

cdef extern from "Python.h":
    PyObject** PySequence_Fast_ITEMS(object sequence)  # of a list or tuple

cdef int translate_exception() except -1


cdef extern from "fusegrad/dtype.h" namespace "fusegrad" nogil:
    cdef enum class DType(uint8_t):
        float32
        float64
        int32
        int64
        uint8
        boolean

    int64_t itemsize(DType dtype)
    cbool is_floating(DType dtype)
    DType promote(DType a, DType b)


cdef extern from "fusegrad/shape.h" namespace "fusegrad" nogil:
    cdef cppclass Dims:
        Dims()
        int rank()
        int64_t& operator[](int)
        void push_back(int64_t value) except +translate_exception
        cbool operator==(const Dims& other)

    int64_t num_elements(const Dims& shape) except +translate_exception
    cbool is_c_contiguous(const Dims& shape, const Dims& strides)
    cbool is_f_contiguous(const Dims& shape, const Dims& strides)


cdef extern from "fusegrad/array.h" namespace "fusegrad" nogil:
    cdef cppclass StoragePtr:
        void* get()

    cdef cppclass Meta:
        Meta()
        DType dtype
        Dims shape

    cdef cppclass View:
        void* data
        DType dtype
        Dims shape
        Dims strides

    cdef cppclass Array:
        Array()
        Array(DType dtype, const Dims& shape) except +translate_exception
        const View& view()
        const StoragePtr& storage()
        DType dtype()
        const Dims& shape()
        const Dims& strides()
        int rank()
        int64_t size()
        void* data()
        Meta meta()
        cbool defined()

    cbool all_within(const View& view, double low, double high) except +translate_exception
    void copy_elements(const View& dst, const View& src) except +translate_exception


cdef extern from "fusegrad/op.h" namespace "fusegrad" nogil:
    cdef enum class Activation(int):
        linear
        relu
        leaky_relu
        sigmoid
        tanh
        softplus

    cdef cppclass Attrs:
        Attrs()

        @staticmethod
        const Attrs& none()
        Dims shape
        Dims start
        Dims step
        Dims axes
        double scalars[4]
        uint64_t seed
        uint64_t stream
        DType dtype
        Activation activation
        cbool all_axes
        cbool keepdims
        cbool transpose_a
        cbool transpose_b
        cbool flag
        cbool bfloat16
        shared_ptr[const void] data

    cdef cppclass EvalContext:
        const View* inputs
        int num_inputs
        const View* outputs
        int num_outputs
        const Attrs* attrs

    cdef cppclass OpDef:
        const char* name
        int num_inputs
        int num_outputs
        uint32_t traits
        void (*infer)(...)
        void (*eval)(...)

    uint32_t kPromote
    uint32_t kPromoteFloat
    uint32_t kPromoteFirst
    uint32_t kPromoteLogical
    uint32_t kPromoteSelect
    uint32_t kPromoteTotal
    uint32_t kNoAttrs
    int kMaxRank
    int kMaxOutputs
    const OpDef* const* op_table(int* count)
    int evaluate(
        const OpDef& op, const Array* const* inputs, int num_inputs, const Attrs& attrs,
        Array* outputs
    ) except +translate_exception


cdef extern from "fusegrad/builder.h" namespace "fusegrad" nogil:
    cdef cppclass Value:
        int32_t id
        cbool valid()

    cdef cppclass NodeRange:
        int32_t first
        int32_t end

    cdef cppclass ValueInfo:
        Meta meta
        int32_t node
        Array array

    cdef cppclass ValueList:
        size_t size()
        Value operator[](size_t)

    cdef cppclass Node:
        const OpDef* op
        ValueList inputs
        Value first_output
        const Attrs& attrs()

    cdef cppclass VjpContext:
        Builder& builder()
        int num_inputs()
        Value input(int i)
        Value output()
        Value cotangent()
        cbool needs(int i)
        void set(int i, Value cotangent)

    cdef cppclass Builder:
        int32_t num_nodes()
        int32_t num_values()
        const Node& node(int32_t index)
        int emit(
            const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs, Value* outputs
        ) except +translate_exception
        Value constant(const Array& array) except +translate_exception
        Value constant(double value, DType dtype) except +translate_exception
        const Meta& meta(Value value)
        const ValueInfo& info(Value value)
        void checkpoint(
            NodeRange range, const vector[Value]& kept
        ) except +translate_exception

    vector[Value] differentiate(
        Builder& builder, Value y, Value seed, const vector[Value]& xs
    ) except +translate_exception
    vector[Value] differentiate(
        Builder& into, const Builder& source, const vector[Value]& ys, const vector[Value]& seeds,
        const vector[Value]& xs, const vector[NodeRange]& within
    ) except +translate_exception


cdef extern from "fusegrad/callback.h" namespace "fusegrad" nogil:
    cdef enum class LinearAlgebra(int):
        solve
        cholesky
        det
        cofactor
        slogdet
        eigh
        svd
        qr
        pinv


cdef extern from "fusegrad/extension.h" namespace "fusegrad" nogil:
    const char* kOpDefCapsule


cdef extern from "fusegrad/graph.h" namespace "fusegrad" nogil:
    cdef cppclass Graph(Builder):
        Value input(const Meta& meta, string name) except +translate_exception
        Value state(const Array& array, string name) except +translate_exception
        void update(Value state, Value new_value) except +translate_exception

    void rewrite_exact(Graph& graph) except +translate_exception


cdef extern from "fusegrad/batch.h" namespace "fusegrad" nogil:
    int kUnbatched

    cdef cppclass BatchedValue:
        Value value
        int axis

    cdef cppclass BatchedArray:
        Array array
        int axis

    cdef cppclass BatchedSet:
        void add(Value input) except +translate_exception
        cbool contains(Value value)
        void follow(const Graph& example) except +translate_exception

    vector[Value] batch(
        const Graph& example, int64_t size, const vector[BatchedValue]& inputs,
        const vector[Value]& outputs, const vector[int]& axes, Builder& to
    ) except +translate_exception
    vector[Array] evaluate_batch(
        const Graph& example, int64_t size, const vector[BatchedArray]& inputs,
        const vector[Value]& outputs, const vector[int]& axes
    ) except +translate_exception


cdef extern from "fusegrad/cpu.h" namespace "fusegrad" nogil:
    const char* isa_request_error()


cdef extern from "tensor_support.h" namespace "fusegrad::binding" nogil:
    cdef enum class Raised:
        argument
        memory
        python
        other

    PyObject* current_recorder
    void lend_python(
        PyObject* (*callback)(PyObject* function, const EvalContext& context) noexcept nogil,
        PyObject* (*linear_algebra)(
            LinearAlgebra function, const EvalContext& context) noexcept nogil,
    )
    shared_ptr[const void] make_callback(
        object function, const string& name, const vector[Meta]& results, cbool vectorized
    ) except +translate_exception
    Raised describe_exception(string* fields)
    string dtype_name(DType dtype)
    Py_buffer* acquire_buffer(object) except NULL
    cbool native_dtype(const Py_buffer& buffer, DType* dtype)
    cbool aligned(const Py_buffer& buffer)
    void release_buffer(void* buffer)
    Array borrow_buffer(Py_buffer* buffer, DType dtype) except +translate_exception
    Array empty_array(DType dtype, const Dims& shape, cbool f_order) except +translate_exception
    Array copied(const Array& array, DType dtype) except +translate_exception
    Array filled(DType dtype, const Dims& shape, double value) except +translate_exception
    shared_ptr[Builder] new_tape() except +translate_exception
    Value watch(Builder& tape, const Array& array) except +translate_exception
    vector[Array] last_gradients(
        Builder& tape, Value y, Value seed, const vector[Value]& xs
    ) except +translate_exception
    void remember(Builder& tape, Value value, const Array& array)
    int64_t kept_bytes(const Builder& tape) except +translate_exception
    vector[Value] values_read(const Builder& builder, int32_t first) except +translate_exception
    ctypedef PyObject* (*RuleCall)(void* rule, VjpContext& context) noexcept
    RuleCall call_python_rule
    ctypedef PyObject* (*RuleBatch)(
        void* rule, int64_t size, const vector[char]& batched, PyObject** result
    ) noexcept
    RuleBatch batch_python_rule
    void set_rule(Attrs& attrs, PyObject* rule) except +translate_exception
    void preserve(Builder& tape, const Array& array) except +translate_exception
    Array clean_booleans(const Array& array) except +translate_exception
    shared_ptr[Builder] new_graph() except +translate_exception
    Graph& as_graph(Builder& builder)
    cbool strided_view(object array, View* view) except +translate_exception
    cbool array_view(object array, View* view) except +translate_exception
    void scalar_view(object scalar, DType dtype, View* view)
    Array borrow_object(object owner, const View& view) except +translate_exception
    Array copied_view(const View& view) except +translate_exception
    void fill_array(object array, const View& elements) except +translate_exception


cdef extern from "dlpack.h" namespace "fusegrad::binding":
    object to_dlpack(const Array& array, cbool versioned, cbool copied)
    cbool dlpack_array "fusegrad::binding::from_dlpack" (
        object capsule, Array* array
    ) except +translate_exception


cdef extern from "fusegrad/program.h" namespace "fusegrad" nogil:
    cdef cppclass Program:
        pass


cdef extern from "program_call.h" namespace "fusegrad::binding" nogil:
    cdef cppclass ProgramCall:
        int num_inputs()
        const vector[Array]& written()
        cbool brief()
        cbool takes(int i, const View& view)
        cbool takes_data(int i, const View& view) except +translate_exception
        cbool run(
            const vector[View]& inputs, vector[Array]& outputs, cbool wait
        ) except +translate_exception


cdef class Tensor


cdef class Recorder:
    cdef shared_ptr[Builder] builder
    cdef Recorder previous  # the one that was current before this one
    cdef bint live          # current in some thread, or between two uses of a graph
    cdef bint is_graph
    cdef bint keeps         # outlives its block: what others may write to is copied
    cdef bint forgets       # has checkpoints

    cdef Value value_of(self, Tensor x) except *
    cdef Tensor tensor(self, Value value)
    cdef int enter(self) except -1
    cdef int leave(self) except -1


cdef class Tape(Recorder):
    cdef bint ended
    cdef int holds      # Holds that keep what is recorded after the tape is left
    cdef public bint readable  # elements may be looked at
    cdef public bint read      # and have been

    cdef int end(self) except -1
    cdef int release(self) except -1


cdef class Hold:
    cdef readonly Tape tape


cdef class Rule:
    cdef object function  # None when the trace is over


cdef class GraphHandle(Recorder):
    cdef bint exact
    cdef bint nested     # of one example of a batch; reads what is recorded around it
    cdef list sources    # the Tensors that its inputs stand for: of all examples, or from outside
    cdef list axes       # which axis of each source counts the examples; -1 for one from outside
    cdef BatchedSet batched
    cdef dict captures   # recorder and place of a source from outside -> the id of its input
    cdef dict states   # where a variable lies -> the id of its state
    cdef dict pending  # the id of a state -> the id of the value assigned to it
    cdef list rules    # of custom_vjp

    cpdef Recorder around(self)
    cdef Value nested_value(self, Tensor x) except *
    cdef Value nested_input(self, Tensor source, int axis) except *


cdef class ExampleTrace:
    cdef GraphHandle graph
    cdef vector[Value] outputs
    cdef vector[int] axes  # of each output, which counts the examples; -1 for none

    cdef list evaluate(self, int64_t size)
    cdef list record(self, int64_t size, Recorder outer)


cdef class Function:
    cdef shared_ptr[ProgramCall] program
    cdef tuple constants  # by argument: None for an input, or a tuple of the constant

    cdef bint run(self, tuple arguments, vector[Array]& outputs, bint data) except *


cdef class Tensor:
    cdef Array array        # undefined while the Tensor is symbolic
    cdef Recorder recorder  # None for a plain array
    cdef Value value        # its place on the recorder
    cdef bint foreign       # the memory belongs to another library's object

    cdef bint recorded(self) noexcept
    cdef Meta meta(self) noexcept
    cdef int need_elements(self, str what) except -1
    cdef object scalar(self, str what)
