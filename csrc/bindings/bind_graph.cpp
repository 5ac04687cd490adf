// Graph: the computation that is being traced.
//
// `with graph:` makes it what the ops of this thread are recorded by.
#include "fusegrad/graph.h"

#include "pybind.h"

namespace fusegrad {
namespace binding {

namespace {

TracedGraph make_graph(bool exact_rewrites) {
  auto graph = std::make_shared<Graph>();
  return {graph, make_handle(graph, exact_rewrites), exact_rewrites};
}

Tensor add_input(TracedGraph& self, const std::vector<int64_t>& shape, const std::string& dtype,
                 const std::string& name) {
  const Meta meta{parse_dtype("Graph.input", dtype), to_shape(shape)};
  return wrap(self.handle, self.graph->input(meta, name));
}

py::object add_state(TracedGraph& self, const Tensor& tensor, const std::string& name) {
  return self.handle.attr("state")(tensor.object, name);
}

void add_update(TracedGraph& self, const Tensor& state, const Tensor& new_value) {
  self.graph->update(value_of(self.handle, state), value_of(self.handle, new_value));
}

void add_output(TracedGraph& self, const Tensor& value, const std::string& name) {
  self.graph->output(value_of(self.handle, value), name);
}

TracedGraph& enter_graph(TracedGraph& self) {
  enter(self.handle);
  return self;
}

// Assignments to variables become updates where the trace went through.
void exit_graph(TracedGraph& self, const py::object& type, const py::object&, const py::object&) {
  leave(self.handle);
  self.handle.attr(type.is_none() ? "flush" : "forget_rules")();
}

}  // namespace

void bind_graph(py::module_& module) {
  py::class_<TracedGraph>(module, "Graph", "A computation that is being traced.")
      .def(py::init(&make_graph), py::kw_only(), py::arg("exact_rewrites") = true)
      .def("input", &add_input, py::arg("shape"), py::arg("dtype"), py::arg("name"),
           "A symbolic Tensor that every run is given.")
      .def("state", &add_state, py::arg("tensor"), py::arg("name"),
           "A symbolic Tensor whose elements are read from the memory of `tensor` at every run.")
      .def("update", &add_update, py::arg("state"), py::arg("new_value"),
           "Write `new_value` to the memory of `state` at the end of every run.")
      .def("output", &add_output, py::arg("value"), py::arg("name"), "Return `value` from a run.")
      .def(
          "text", [](const TracedGraph& self) { return self.graph->text(); }, "One line a node.")
      .def_property_readonly(
          "rewrites", [](const TracedGraph& self) { return self.graph->rewrites(); },
          "The exactness rewrites that have fired, in order.")
      .def_property_readonly(
          "exact_rewrites", [](const TracedGraph& self) { return self.exact_rewrites; },
          "Whether exactness rewrites are applied before differentiation.")
      .def("__enter__", &enter_graph, py::return_value_policy::reference)
      .def("__exit__", &exit_graph);
}

}  // namespace binding
}  // namespace fusegrad
