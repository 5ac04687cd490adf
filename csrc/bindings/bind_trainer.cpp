// Trainer: whole epochs in one call with the GIL released.
//
// Only the tick takes the GIL: for signals, and for the progress bar.
#include "fusegrad/trainer.h"

#include <exception>
#include <tuple>

#include "fusegrad/error.h"
#include "pybind.h"

namespace fusegrad {
namespace binding {

namespace {

using Source = std::tuple<Tensor, double, double>;

std::unique_ptr<Trainer> make_trainer(std::shared_ptr<Program> step,
                                      std::shared_ptr<Program> last_step,
                                      const std::vector<Source>& sources, int position_input,
                                      const std::vector<std::string>& outputs, int64_t batch_size,
                                      bool shuffle, uint64_t seed) {
  TrainerSpec spec;
  spec.step = std::move(step);
  spec.last_step = std::move(last_step);
  for (const auto& [rows, scale, offset] : sources) {
    spec.sources.push_back({unwrap(rows), scale, offset});
  }
  spec.position_input = position_input;
  for (const std::string& kind : outputs) {
    if (kind != "accumulate" && kind != "collect" && kind != "last") {
      throw ArgumentError("Trainer", "outputs", "'accumulate', 'collect' or 'last'",
                          "'" + kind + "'");
    }
    spec.outputs.push_back(kind == "collect" ? OutputKind::collect
                           : kind == "last"  ? OutputKind::last
                                             : OutputKind::accumulate);
  }
  spec.batch_size = batch_size;
  spec.shuffle = shuffle;
  spec.seed = seed;
  return std::make_unique<Trainer>(std::move(spec));
}

struct PythonTick {
  py::object function;       // or None
  std::exception_ptr error;  // what it, or a signal handler, raised
  bool called = false;

  // The error waits until the loop has come to a batch boundary.
  static bool call(void* context) {
    auto* self = static_cast<PythonTick*>(context);
    const py::gil_scoped_acquire acquire;
    self->called = true;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      return !self->function.is_none() && py::cast<bool>(py::bool_(self->function()));
    } catch (...) {
      self->error = std::current_exception();
      return true;
    }
  }
};

int64_t run(Trainer& self, int64_t max_batches, const py::object& tick) {
  PythonTick context{tick, nullptr};
  for (const Program* program : self.programs()) preserve_written(*program);
  int64_t done = 0;
  {
    const py::gil_scoped_release release;
    done = self.run(max_batches, Tick{&PythonTick::call, &context});
  }
  if (context.error != nullptr) std::rethrow_exception(context.error);
  return done;
}

std::vector<Array> results(const Trainer& self) {
  std::vector<Array> arrays;
  for (int i = 0; i < self.num_outputs(); ++i) arrays.push_back(self.result(i));
  return arrays;
}

py::list to_list(const std::vector<Array>& arrays) {
  py::list list;
  for (const Array& array : arrays) list.append(to_numpy(array));
  return list;
}

// The totals of epochs that are over, or that a true tick stopped, get into `finished` also where a
// later one raises. A call of the tick ends the run with its epoch, so that Python is never far
// behind.
void run_epochs(Trainer& self, int64_t first, int64_t count, const py::object& tick,
                py::list& finished) {
  PythonTick context{tick, nullptr};
  for (const Program* program : self.programs()) preserve_written(*program);
  std::vector<std::vector<Array>> epochs;
  std::exception_ptr error;
  {
    const py::gil_scoped_release release;
    try {
      for (int64_t i = 0; i < count && !context.called; ++i) {
        self.begin_epoch(first + i);
        self.run(-1, Tick{&PythonTick::call, &context});
        if (context.error != nullptr) std::rethrow_exception(context.error);
        epochs.push_back(results(self));
      }
    } catch (...) {
      error = std::current_exception();
    }
  }
  for (const std::vector<Array>& arrays : epochs) finished.append(to_list(arrays));
  if (error != nullptr) std::rethrow_exception(error);
}

}  // namespace

void bind_trainer(py::module_& module) {
  py::class_<Trainer>(module, "Trainer", "Runs epochs of a compiled step over rows in memory.")
      .def(py::init(&make_trainer), py::arg("step"), py::arg("last_step").none(true),
           py::arg("sources"), py::arg("position_input"), py::arg("outputs"), py::arg("batch_size"),
           py::arg("shuffle"), py::arg("seed"))
      .def_property_readonly("num_rows", &Trainer::num_rows, "Samples in an epoch.")
      .def_property_readonly("num_batches", &Trainer::num_batches, "Batches in an epoch.")
      .def("begin_epoch", &Trainer::begin_epoch, py::arg("epoch"),
           "Start an epoch: a new permutation, totals zero.")
      .def("run", &run, py::arg("max_batches") = -1, py::arg("tick") = py::none(),
           "Run further batches, all by default; return their number. `tick` is called by the "
           "clock, at most every 50 ms; a true result stops after the current batch.")
      .def("run_epochs", &run_epochs, py::arg("first"), py::arg("count"), py::arg("tick"),
           py::arg("finished"),
           "Run epochs from number `first` on; append the totals of each to the list `finished`. "
           "They are fewer than `count` where the tick was called: that epoch is the last one.")
      .def_property_readonly("batches_done", &Trainer::batches_done, "Batches since begin_epoch.")
      .def_property_readonly("stopped", &Trainer::stopped, "Whether the tick said stop.")
      .def(
          "totals", [](const Trainer& self) { return to_list(results(self)); },
          "All totals as NumPy arrays, those without axes as scalars.")
      .def(
          "result", [](const Trainer& self, int i) { return wrap(self.result(i)); },
          py::arg("index"), "The total, or the collected rows, of an output.");
}

}  // namespace binding
}  // namespace fusegrad
