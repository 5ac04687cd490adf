// Program: a compiled graph that is run batch by batch.
#include "fusegrad/program.h"

#include "fusegrad/error.h"
#include "program_call.h"
#include "pybind.h"

namespace fusegrad {
namespace binding {

namespace {

std::string describe(const Meta& meta) {
  return std::string(name(meta.dtype)) + " of shape " + to_string(meta.shape);
}

std::shared_ptr<Program> compile(const TracedGraph& graph, bool exact_rewrites, bool optimize) {
  const CompileOptions options{exact_rewrites, optimize};
  std::shared_ptr<Program> program;
  {
    const py::gil_scoped_release release;
    program = Program::compile(*graph.graph, options);
  }
  graph.handle.attr("forget_rules")();  // which may keep Tensors of the graph, and so itself
  return program;
}

// Puts the program's own buffers back when a run ends: what it was bound to may be gone by the
// next.
class Release {
 public:
  explicit Release(Program& program) : program_(program) {}
  ~Release() {
    for (int i = 0; i < bound_; ++i) program_.bind_input(i, program_.input_buffer(i));
  }
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  void bind(int i, const View& view) {
    program_.input_buffer(i);  // made here, where a failure can be raised
    program_.bind_input(i, view);
    bound_ = i + 1;
  }

 private:
  Program& program_;
  int bound_ = 0;
};

py::list run_arrays(Program& self, const std::vector<Array>& arrays) {
  std::vector<Array> results;
  preserve_written(self);
  {
    const py::gil_scoped_release release;
    const std::lock_guard<OwnedMutex> lock(self.mutex());
    Release inputs_of_run(self);
    const int count = static_cast<int>(arrays.size());
    for (int i = 0; i < count; ++i) inputs_of_run.bind(i, arrays[static_cast<size_t>(i)].view());
    self.run();
    for (int i = 0; i < self.num_outputs(); ++i) results.push_back(self.result(i));
  }
  py::list tensors;
  for (const Array& result : results) tensors.append(wrap(result));
  return tensors;
}

py::list run(Program& self, const py::args& inputs) {
  const int count = static_cast<int>(inputs.size());
  if (count != self.num_inputs()) {
    throw ArgumentError("Program.run", "inputs", std::to_string(self.num_inputs()) + " Tensors",
                        std::to_string(count));
  }
  std::vector<Array> arrays;
  for (int i = 0; i < count; ++i) {
    arrays.push_back(unwrap(inputs[static_cast<size_t>(i)].cast<Tensor>()));
    const Meta wanted = self.input_meta(i);
    const Meta given = arrays.back().meta();
    if (given.dtype != wanted.dtype || given.shape != wanted.shape) {
      throw ArgumentError("Program.run", "inputs[" + std::to_string(i) + "]", describe(wanted),
                          describe(given));
    }
  }
  return run_arrays(self, arrays);
}

py::object function(const std::shared_ptr<Program>& self,
                    std::vector<std::pair<double, double>> bounds) {
  if (!bounds.empty() && static_cast<int>(bounds.size()) != self->num_inputs()) {
    throw ArgumentError("Program.function", "bounds",
                        "a pair for each of " + std::to_string(self->num_inputs()) + " inputs",
                        std::to_string(bounds.size()));
  }
  return make_function(std::make_shared<ProgramCall>(self, std::move(bounds)));
}

std::vector<int64_t> to_vector(const Shape& shape) { return {shape.begin(), shape.end()}; }

}  // namespace

void bind_program(py::module_& module) {
  py::class_<Program, std::shared_ptr<Program>>(module, "Program", "A compiled graph.")
      .def_static("compile", &compile, py::arg("graph"), py::kw_only(),
                  py::arg("exact_rewrites") = true, py::arg("optimize") = true,
                  "Run the passes over a copy of `graph`.")
      .def("run", &run, "Run once on Tensors and return the outputs as Tensors.")
      .def("function", &function, py::arg("bounds") = py::tuple(),
           "A fast callable; `bounds` are the least and largest values that inputs may have.")
      .def("text", &Program::text, py::arg("stage") = "plan",
           "A stage as text: trace, rewrite, simplify, fuse, layout or plan.")
      .def(
          "input_shape",
          [](const Program& self, int i) {
            return py::tuple(py::cast(to_vector(self.input_meta(i).shape)));
          },
          py::arg("index"), "The shape of an input.")
      .def_property_readonly("num_inputs", &Program::num_inputs, "The number of inputs.")
      .def_property_readonly("num_outputs", &Program::num_outputs, "The number of outputs.")
      .def_property_readonly("arena_bytes", &Program::arena_bytes, "Memory for all values.")
      .def_property_readonly("rewrites", &Program::rewrites,
                             "The exactness rewrites that fired, in order.");
}

}  // namespace binding
}  // namespace fusegrad
