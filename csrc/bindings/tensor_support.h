// What _tensor.pyx needs from C++ and Cython cannot say: a thread-local, the fields of the
// exception in flight, memory borrowed through the buffer protocol. Included by the generated
// _tensor source only.
#pragma once

#include <Python.h>
#include <numpy/ndarraytypes.h>

#include <numpy/arrayscalars.h>  // needs what ndarraytypes.h defines

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fusegrad/builder.h"
#include "fusegrad/callback.h"
#include "fusegrad/custom.h"
#include "fusegrad/error.h"
#include "fusegrad/extension.h"
#include "fusegrad/graph.h"
#include "fusegrad/tape.h"

namespace fusegrad {
namespace binding {

// The Recorder that ops of this thread are recorded by; a reference is held while it is set.
inline thread_local PyObject* current_recorder = nullptr;

enum class Raised { argument, memory, python, other };

// The byte order of a dtype that is not the machine's.
constexpr char kForeignOrder = NPY_OPPBYTE;

inline void release_object(void* object) {
  if (object == nullptr || Py_IsInitialized() == 0) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(static_cast<PyObject*>(object));
  PyGILState_Release(state);
}

inline void restore_python_error(const HostError& raised) {
  auto* error = static_cast<PyObject*>(raised.error().get());
#if PY_VERSION_HEX >= 0x030C0000
  PyErr_SetRaisedException(Py_NewRef(error));
#else
  PyErr_Restore(Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(error))), Py_NewRef(error),
                PyException_GetTraceback(error));
#endif
}

// Inside a catch block: what was caught; a Python exception is set again. fields: where, argument,
// expected, got; or the text alone.
inline Raised describe_exception(std::string* fields) {
  try {
    throw;
  } catch (const ArgumentError& error) {
    fields[0] = error.where();
    fields[1] = error.argument();
    fields[2] = error.expected();
    fields[3] = error.got();
    return Raised::argument;
  } catch (const std::bad_alloc& error) {
    fields[0] = error.what();
    return Raised::memory;
  } catch (const HostError& error) {
    restore_python_error(error);
    return Raised::python;
  } catch (const std::exception& error) {
    fields[0] = error.what();
  } catch (...) {
    fields[0] = "unknown C++ exception";
  }
  return Raised::other;
}

// A reference that is stolen, and dropped wherever the last copy goes.
inline std::shared_ptr<void> owned_object(PyObject* object) { return {object, &release_object}; }

// Python functions in the place of an op's eval; they take the GIL and give a new reference to the
// exception that they raised, or null.
using CallbackFunction = PyObject* (*)(PyObject* function, const EvalContext& context);
using LinearAlgebraFunction = PyObject* (*)(LinearAlgebra function, const EvalContext& context);

inline CallbackFunction run_callback = nullptr;
inline LinearAlgebraFunction run_linear_algebra = nullptr;

inline void raise_python(PyObject* error) {
  if (error != nullptr) throw HostError(owned_object(error));
}

// Called once, when the module is imported.
inline void lend_python(CallbackFunction callback, LinearAlgebraFunction linear_algebra) {
  run_callback = callback;
  run_linear_algebra = linear_algebra;
  set_linear_algebra([](LinearAlgebra function, const EvalContext& context) {
    raise_python(run_linear_algebra(function, context));
  });
}

// What Attrs::data of a `callback` node holds.
inline std::shared_ptr<const void> make_callback(PyObject* function, const std::string& name,
                                                 const std::vector<Meta>& results,
                                                 bool vectorized) {
  Py_INCREF(function);
  auto callback = std::make_shared<Callback>();
  callback->closure = owned_object(function);
  callback->name = name;
  callback->results = results;
  callback->vectorized = vectorized;
  callback->call = [](const Callback& self, const EvalContext& context) {
    raise_python(run_callback(static_cast<PyObject*>(self.closure.get()), context));
  };
  return callback;
}

// The element type of a buffer in native byte order; false for all others.
inline bool native_dtype(const Py_buffer& buffer, DType* dtype) {
  const char* format = buffer.format == nullptr ? "B" : buffer.format;
  const uint16_t probe = 1;
  const bool little = *reinterpret_cast<const unsigned char*>(&probe) == 1;
  if (*format == '@' || *format == '=' || *format == (little ? '<' : '>')) ++format;
  if (format[0] == '\0' || format[1] != '\0') return false;
  switch (format[0]) {
    case 'f': *dtype = DType::float32; break;
    case 'd': *dtype = DType::float64; break;
    case 'i':
    case 'l':
    case 'q': *dtype = buffer.itemsize == 8 ? DType::int64 : DType::int32; break;
    case 'B': *dtype = DType::uint8; break;
    case '?': *dtype = DType::boolean; break;
    default: return false;
  }
  return buffer.itemsize == itemsize(*dtype);
}

// The buffer of an object, or null with a Python error set.
inline Py_buffer* acquire_buffer(PyObject* object) {
  auto* buffer = new Py_buffer();
  if (PyObject_GetBuffer(object, buffer, PyBUF_RECORDS_RO) == 0) return buffer;
  delete buffer;
  return nullptr;
}

// Whether elements can be used where they lie: aligned, strides whole elements.
inline bool aligned(const Py_buffer& buffer) {
  if (reinterpret_cast<uintptr_t>(buffer.buf) % static_cast<uintptr_t>(buffer.itemsize) != 0) {
    return false;
  }
  for (int i = 0; i < buffer.ndim; ++i) {
    if (buffer.strides != nullptr && buffer.strides[i] % buffer.itemsize != 0) return false;
  }
  return true;
}

inline void release_buffer(void* owner) {
  auto* buffer = static_cast<Py_buffer*>(owner);
  if (Py_IsInitialized() == 0) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  PyBuffer_Release(buffer);
  delete buffer;
  PyGILState_Release(state);
}

// An Array over `view`, which lies in the memory of `owner`; without elements it has none of it.
inline Array borrowed(const View& view, void* owner, void (*release)(void*)) {
  const int64_t item = itemsize(view.dtype);
  const bool empty = view.size() == 0;
  int64_t low = 0, high = 0;  // of the first and the last element, in elements from the first
  for (int i = 0; !empty && i < view.rank(); ++i) {
    const int64_t reach = (view.shape[i] - 1) * view.strides[i];
    (reach < 0 ? low : high) += reach;
  }
  char* const data = static_cast<char*>(view.data);
  return Array(StoragePtr(empty ? Storage::borrow(data, 0, owner, release)
                                : Storage::borrow(data + low * item, (high - low + 1) * item, owner,
                                                  release)),
               view);
}

// An Array over the memory of `buffer`, which it owns from now on, also when this raises.
inline Array borrow_buffer(Py_buffer* buffer, DType dtype) {
  try {
    View view;
    view.dtype = dtype;
    view.data = buffer->buf;
    for (int i = 0; i < buffer->ndim; ++i) view.shape.push_back(buffer->shape[i]);
    view.strides = c_strides(view.shape);
    for (int i = 0; i < buffer->ndim; ++i) {
      if (buffer->strides != nullptr) view.strides[i] = buffer->strides[i] / itemsize(dtype);
    }
    return borrowed(view, buffer, &release_buffer);
  } catch (...) {
    release_buffer(buffer);
    throw;
  }
}

// An Array over `view`, which lies in the memory of a Python object.
inline Array borrow_object(PyObject* owner, const View& view) {
  Array array = borrowed(view, owner, &release_object);
  Py_INCREF(owner);
  return array;
}

// Whether every byte of booleans is 0 or 1, as kernels take them to be.
inline bool are_booleans(const View& view, const char* at, int axis = 0) {
  if (view.size() == 0) return true;
  if (axis == view.rank()) return static_cast<unsigned char>(*at) <= 1;
  const int64_t size = view.shape[axis], stride = view.strides[axis];
  if (axis + 1 < view.rank()) {
    for (int64_t i = 0; i < size; ++i) {
      if (!are_booleans(view, at + i * stride, axis + 1)) return false;
    }
    return true;
  }
  unsigned char bits = 0;
  for (int64_t i = 0; i < size; ++i) bits |= static_cast<unsigned char>(at[i * stride]);
  return bits <= 1;
}

// Booleans as they are where each is 0 or 1, else a copy that has them so.
inline Array clean_booleans(const Array& array) {
  const View& view = array.view();
  if (are_booleans(view, view.as<const char>())) return array;
  View bytes = view;
  bytes.dtype = DType::uint8;
  Array result(DType::boolean, array.shape());
  copy_elements(result.view(), bytes);
  return result;
}

// A fresh Array in C order, or with the first axis contiguous.
inline Array empty_array(DType dtype, const Shape& shape, bool f_order) {
  return f_order ? Array(dtype, shape, f_strides(shape)) : Array(dtype, shape);
}

// A fresh copy in C order with the elements as `dtype`.
inline Array copied(const Array& array, DType dtype) {
  Array result(dtype, array.shape());
  copy_elements(result.view(), array.view());
  return result;
}

inline Array filled(DType dtype, const Shape& shape, double value) {
  const Array element = Array::scalar(value);
  View scalar = element.view();
  scalar.shape = shape;
  scalar.strides = broadcast_strides(Shape(), Strides(), shape);
  Array result(dtype, shape);
  copy_elements(result.view(), scalar);
  return result;
}

// The element type of a NumPy array; false for all but those of a Tensor, and for booleans, whose
// bytes may be anything.
inline bool array_dtype(const PyArrayObject* array, DType* dtype) {
  switch (PyArray_DESCR(array)->type_num) {
    case NPY_FLOAT: *dtype = DType::float32; return true;
    case NPY_DOUBLE: *dtype = DType::float64; return true;
    case NPY_UBYTE: *dtype = DType::uint8; return true;
    case NPY_INT: *dtype = DType::int32; return true;
    case NPY_LONG: *dtype = sizeof(long) == 8 ? DType::int64 : DType::int32; return true;
    case NPY_LONGLONG: *dtype = DType::int64; return true;
    default: return false;
  }
}

// The elements of a numpy.ndarray as they lie, without a reference to it; false where they are not
// aligned and in native byte order.
inline bool strided_view(PyObject* object, View* view) {
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  if (!PyArray_CHKFLAGS(array, NPY_ARRAY_ALIGNED) || PyArray_NDIM(array) > kMaxRank ||
      !array_dtype(array, &view->dtype) || PyArray_DESCR(array)->byteorder == kForeignOrder) {
    return false;
  }
  view->data = PyArray_DATA(array);
  const int64_t item = itemsize(view->dtype);
  for (int i = 0; i < PyArray_NDIM(array); ++i) {
    if (PyArray_STRIDES(array)[i] % item != 0) return false;
    view->shape.push_back(PyArray_DIMS(array)[i]);
    view->strides.push_back(PyArray_STRIDES(array)[i] / item);
  }
  return true;
}

// The same of one in C order; false for others.
inline bool array_view(PyObject* object, View* view) {
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  return PyArray_CHKFLAGS(array, NPY_ARRAY_C_CONTIGUOUS) && strided_view(object, view);
}

// The element of a numpy.float32 or numpy.float64, without a reference to it.
inline void scalar_view(PyObject* scalar, DType dtype, View* view) {
  view->dtype = dtype;
  view->data = dtype == DType::float32
                   ? static_cast<void*>(&reinterpret_cast<PyFloatScalarObject*>(scalar)->obval)
                   : &reinterpret_cast<PyDoubleScalarObject*>(scalar)->obval;
}

inline Array copied_view(const View& view) {
  Array result(view.dtype, view.shape);
  copy_elements(result.view(), view);
  return result;
}

// Copies the elements into a fresh numpy.ndarray of the same shape and dtype, in C order.
inline void fill_array(PyObject* object, const View& elements) {
  View view = elements;
  view.data = PyArray_DATA(reinterpret_cast<PyArrayObject*>(object));
  view.strides = c_strides(view.shape);
  copy_elements(view, elements);
}

inline std::shared_ptr<Builder> new_tape() { return std::make_shared<Tape>(); }
inline Value watch(Builder& tape, const Array& array) {
  return static_cast<Tape&>(tape).watch(array);
}
inline std::vector<Array> last_gradients(Builder& tape, Value y, Value seed,
                                         const std::vector<Value>& xs) {
  return static_cast<Tape&>(tape).last_gradients(y, seed, xs);
}
// Before `array` is written: the tape keeps what it holds of it.
inline void preserve(Builder& tape, const Array& array) {
  static_cast<Tape&>(tape).preserve(array.storage().get());
}
inline std::shared_ptr<Builder> new_graph() { return std::make_shared<Graph>(); }
inline void remember(Builder& tape, Value value, const Array& array) {
  static_cast<Tape&>(tape).remember(value, array);
}

// The bytes of the elements that a tape keeps.
inline int64_t kept_bytes(const Builder& tape) {
  std::vector<const Storage*> storages;
  for (int32_t i = 0; i < tape.num_values(); ++i) {
    storages.push_back(tape.info(Value{i}).array.storage().get());
  }
  std::sort(storages.begin(), storages.end());
  storages.erase(std::unique(storages.begin(), storages.end()), storages.end());
  int64_t bytes = 0;
  for (const Storage* storage : storages) bytes += storage == nullptr ? 0 : storage->bytes();
  return bytes;
}

// What the ops from node `first` on read of the nodes before it, but for constants, and of inputs
// of a graph, which a nested one gets when it reads a value of what is recorded around it.
inline std::vector<Value> values_read(const Builder& builder, int32_t first) {
  const bool graph = dynamic_cast<const Graph*>(&builder) != nullptr;
  std::vector<Value> values;
  for (int32_t i = first; i < builder.num_nodes(); ++i) {
    const Node& node = builder.node(i);
    if (node.kind != NodeKind::op) continue;
    for (const Value input : node.inputs) {
      const bool outside = graph && builder.producer(input).kind == NodeKind::input;
      if (builder.info(input).node >= first && !outside) continue;
      if (builder.producer(input).kind == NodeKind::constant) continue;
      if (std::find(values.begin(), values.end(), input) == values.end()) values.push_back(input);
    }
  }
  return values;
}

// Calls a Python rule; returns the exception that it raised, a new reference, or null.
using RuleCall = PyObject* (*)(void* rule, VjpContext& context);
inline RuleCall call_python_rule = nullptr;

inline void run_python_rule(void* rule, VjpContext& context) {
  raise_python(call_python_rule(rule, context));
}

// Makes the rule for several examples, a new reference; returns what was raised, or null.
using RuleBatch = PyObject* (*)(void* rule, int64_t size, const std::vector<char>& batched,
                                PyObject** result);
inline RuleBatch batch_python_rule = nullptr;

inline std::shared_ptr<const CustomRule> rule_of_batch(void* rule, int64_t size,
                                                       const std::vector<char>& batched) {
  PyObject* result = nullptr;
  raise_python(batch_python_rule(rule, size, batched, &result));
  return std::make_shared<CustomRule>(&run_python_rule, &release_object, &rule_of_batch, result);
}

inline void set_rule(Attrs& attrs, PyObject* rule) {
  Py_INCREF(rule);
  attrs.data =
      std::make_shared<CustomRule>(&run_python_rule, &release_object, &rule_of_batch, rule);
}

inline Graph& as_graph(Builder& builder) { return static_cast<Graph&>(builder); }

inline std::string dtype_name(DType dtype) { return name(dtype); }

}  // namespace binding
}  // namespace fusegrad
