// What every bind_*.cpp shares: Tensors in and out of pybind11, and the Graph class.
//
// _tensor (Cython) owns the Tensor type; pybind.cpp reaches it through the C API that it exports.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <vector>

#include "fusegrad/array.h"
#include "fusegrad/graph.h"

namespace fusegrad {

class Program;
namespace binding {

namespace py = pybind11;

class ProgramCall;

// A Python object that is known to be a fusegrad._tensor.Tensor.
struct Tensor {
  py::object object;
};

// Imports _tensor and its C API. Raises ImportError.
void import_tensor();
// Translates the core's errors; register it once in a module.
void translate_error(std::exception_ptr error);

bool is_tensor(py::handle object);
Tensor wrap(const Array& array);
// A NumPy copy; a scalar where there are no axes.
py::object to_numpy(const Array& array);
// The elements; raises TypeError for a symbolic Tensor.
Array unwrap(const Tensor& tensor);

// The GraphHandle of a symbolic Tensor, or None.
py::object graph_of(const Tensor& tensor);
// A new GraphHandle.
py::object make_handle(const std::shared_ptr<Graph>& graph, bool exact_rewrites);
// What calls a program.
py::object make_function(const std::shared_ptr<ProgramCall>& program);
std::shared_ptr<Builder> builder_of(const py::object& handle);
// A Tensor on the recorder; plain ones become constants.
Value value_of(const py::object& handle, const Tensor& tensor);
Tensor wrap(const py::object& handle, Value value);
void enter(const py::object& handle);
// Before a program that writes states runs, with the interpreter lock.
void preserve_written(const Program& program);
void leave(const py::object& handle);

// What Python sees as fusegrad._core.Graph.
struct TracedGraph {
  std::shared_ptr<Graph> graph;
  py::object handle;
  bool exact_rewrites;
};

// "float32" and so on; raises ArgumentError naming `where`.
DType parse_dtype(const char* where, const std::string& name);
Shape to_shape(const std::vector<int64_t>& sizes);

void bind_graph(py::module_& module);
void bind_program(py::module_& module);
void bind_trainer(py::module_& module);
void bind_optimizer(py::module_& module);
void bind_runtime(py::module_& module);

}  // namespace binding
}  // namespace fusegrad

namespace pybind11 {
namespace detail {

template <>
struct type_caster<fusegrad::binding::Tensor> {
  PYBIND11_TYPE_CASTER(fusegrad::binding::Tensor, const_name("fusegrad._tensor.Tensor"));

  bool load(handle source, bool) {
    if (!fusegrad::binding::is_tensor(source)) return false;
    value.object = reinterpret_borrow<object>(source);
    return true;
  }
  static handle cast(const fusegrad::binding::Tensor& tensor, return_value_policy, handle) {
    return object(tensor.object).release();
  }
};

}  // namespace detail
}  // namespace pybind11
