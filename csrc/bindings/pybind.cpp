// The bridge to _tensor's C API: the only file that includes the header Cython generates, because
// that header's function pointers are one set per translation unit.
#include "pybind.h"

#include <Python.h>

#include "fusegrad/error.h"
#include "fusegrad/program.h"
#include "program_call.h"

// After the core's headers, whose types it names.
#include "_tensor_api.h"

namespace fusegrad {
namespace binding {

namespace {

py::object checked(PyObject* owned) {
  if (owned == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(owned);
}

void check(int result) {
  if (result < 0) throw py::error_already_set();
}

}  // namespace

void import_tensor() { check(import_fusegrad___tensor()); }

void translate_error(std::exception_ptr error) {
  // What pybind11 raises itself is left to pybind11.
  try {
    std::rethrow_exception(error);
  } catch (const ArgumentError&) {
    set_error();
  } catch (const AllocationError&) {
    set_error();
  } catch (const HostError&) {
    set_error();
  }
}

bool is_tensor(py::handle object) { return tensor_check(object.ptr()) != 0; }

Tensor wrap(const Array& array) { return {checked(tensor_wrap(&array))}; }

py::object to_numpy(const Array& array) { return checked(array_numpy(&array)); }

Array unwrap(const Tensor& tensor) {
  Array array;
  check(tensor_unwrap(tensor.object.ptr(), &array));
  return array;
}

void preserve_written(const Program& program) {
  if (!program.written().empty()) check(preserve_states(&program.written()));
}

py::object graph_of(const Tensor& tensor) { return checked(tensor_graph(tensor.object.ptr())); }

py::object make_handle(const std::shared_ptr<Graph>& graph, bool exact_rewrites) {
  const std::shared_ptr<Builder> builder = graph;
  return checked(graph_handle(&builder, exact_rewrites ? 1 : 0));
}

py::object make_function(const std::shared_ptr<ProgramCall>& program) {
  return checked(function_wrap(&program));
}

std::shared_ptr<Builder> builder_of(const py::object& handle) {
  std::shared_ptr<Builder> builder;
  check(recorder_builder(handle.ptr(), &builder));
  return builder;
}

Value value_of(const py::object& handle, const Tensor& tensor) {
  const int id = recorder_value(handle.ptr(), tensor.object.ptr());
  check(id);
  return Value{id};
}

Tensor wrap(const py::object& handle, Value value) {
  return {checked(recorder_wrap(handle.ptr(), value.id))};
}

void enter(const py::object& handle) { check(recorder_enter(handle.ptr())); }
void leave(const py::object& handle) { check(recorder_leave(handle.ptr())); }

DType parse_dtype(const char* where, const std::string& text) {
  for (int i = 0; i < kNumDTypes; ++i) {
    if (text == name(static_cast<DType>(i))) return static_cast<DType>(i);
  }
  throw ArgumentError(where, "dtype", "one of float32, float64, int32, int64, uint8, bool",
                      "'" + text + "'");
}

Shape to_shape(const std::vector<int64_t>& sizes) {
  Shape shape;
  for (const int64_t size : sizes) shape.push_back(size);
  return shape;
}

}  // namespace binding
}  // namespace fusegrad
