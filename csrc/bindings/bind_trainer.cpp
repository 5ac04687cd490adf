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
    if (kind != "accumulate" && kind != "collect") {
      throw ArgumentError("Trainer", "outputs", "'accumulate' or 'collect'", "'" + kind + "'");
    }
    spec.outputs.push_back(kind == "collect" ? OutputKind::collect : OutputKind::accumulate);
  }
  spec.batch_size = batch_size;
  spec.shuffle = shuffle;
  spec.seed = seed;
  return std::make_unique<Trainer>(std::move(spec));
}

struct PythonTick {
  py::object function;       // or None
  std::exception_ptr error;  // what it, or a signal handler, raised

  // The error waits until the loop has come to a batch boundary.
  static bool call(void* context) {
    auto* self = static_cast<PythonTick*>(context);
    const py::gil_scoped_acquire acquire;
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
  int64_t done = 0;
  {
    const py::gil_scoped_release release;
    done = self.run(max_batches, Tick{&PythonTick::call, &context});
  }
  if (context.error != nullptr) std::rethrow_exception(context.error);
  return done;
}

py::list totals(const Trainer& self) {
  py::list result;
  for (int i = 0; i < self.num_outputs(); ++i) result.append(to_numpy(self.result(i)));
  return result;
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
      .def_property_readonly("batches_done", &Trainer::batches_done, "Batches since begin_epoch.")
      .def_property_readonly("stopped", &Trainer::stopped, "Whether the tick said stop.")
      .def("totals", &totals, "All totals as NumPy arrays, those without axes as scalars.")
      .def(
          "result", [](const Trainer& self, int i) { return wrap(self.result(i)); },
          py::arg("index"), "The total, or the collected rows, of an output.");
}

}  // namespace binding
}  // namespace fusegrad
