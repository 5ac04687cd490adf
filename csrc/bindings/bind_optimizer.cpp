// Optimizer: a rule that emits update ops, into a graph or at once.
#include "fusegrad/optimizer.h"

#include "fusegrad/error.h"
#include "fusegrad/tape.h"
#include "pybind.h"

namespace fusegrad {
namespace binding {

namespace {

Optimizer make_optimizer(const std::string& rule, double momentum, bool nesterov, double rho,
                         bool centered, double beta_1, double beta_2, bool amsgrad,
                         double epsilon) {
  Optimizer optimizer;
  if (rule == "sgd") {
    optimizer.rule = Optimizer::Rule::sgd;
  } else if (rule == "rmsprop") {
    optimizer.rule = Optimizer::Rule::rmsprop;
  } else if (rule == "adam") {
    optimizer.rule = Optimizer::Rule::adam;
  } else {
    throw ArgumentError("Optimizer", "rule", "'sgd', 'rmsprop' or 'adam'", "'" + rule + "'");
  }
  optimizer.momentum = momentum;
  optimizer.nesterov = nesterov;
  optimizer.rho = rho;
  optimizer.centered = centered;
  optimizer.beta_1 = beta_1;
  optimizer.beta_2 = beta_2;
  optimizer.amsgrad = amsgrad;
  optimizer.epsilon = epsilon;
  return optimizer;
}

// Where ops on some Tensors go: to the graph of a symbolic one, else to a tape that runs them now.
class Target {
 public:
  explicit Target(const std::vector<const Tensor*>& tensors) : handle_(py::none()) {
    for (const Tensor* tensor : tensors) {
      handle_ = graph_of(*tensor);
      if (!handle_.is_none()) break;
    }
    if (!handle_.is_none()) graph_ = builder_of(handle_);
  }
  Builder& builder() {
    if (graph_ != nullptr) return *graph_;
    return tape_;
  }
  Value in(const Tensor& tensor) {
    return graph_ != nullptr ? value_of(handle_, tensor) : tape_.constant(unwrap(tensor));
  }
  Tensor out(Value value) const {
    return graph_ != nullptr ? wrap(handle_, value) : wrap(tape_.array(value));
  }

 private:
  py::object handle_;
  std::shared_ptr<Builder> graph_;
  Tape tape_;
};

Tensor step_size(const Optimizer& self, const Tensor& learning_rate, const Tensor& iterations) {
  Target target({&learning_rate, &iterations});
  const Value rate = target.in(learning_rate);
  const Value finished = target.in(iterations);
  return target.out(self.step_size(target.builder(), rate, finished));
}

std::vector<Tensor> update(const Optimizer& self, const Tensor& variable, const Tensor& gradient,
                           const std::vector<Tensor>& slots, const Tensor& step) {
  std::vector<const Tensor*> all{&variable, &gradient, &step};
  for (const Tensor& slot : slots) all.push_back(&slot);
  if (slots.size() != self.slots().size()) {
    throw ArgumentError("Optimizer.update", "slots",
                        std::to_string(self.slots().size()) + " Tensors",
                        std::to_string(slots.size()));
  }
  Target target(all);
  const Value old = target.in(variable);
  const Value slope = target.in(gradient);
  std::vector<Value> state;
  for (const Tensor& slot : slots) state.push_back(target.in(slot));
  const Value size = target.in(step);
  std::vector<Tensor> results;
  for (const Value value : self.update(target.builder(), old, slope, state, size)) {
    results.push_back(target.out(value));
  }
  return results;
}

}  // namespace

void bind_optimizer(py::module_& module) {
  py::class_<Optimizer>(module, "Optimizer", "A rule for updating variables from gradients.")
      .def(py::init(&make_optimizer), py::arg("rule"), py::kw_only(), py::arg("momentum") = 0.0,
           py::arg("nesterov") = false, py::arg("rho") = 0.9, py::arg("centered") = false,
           py::arg("beta_1") = 0.9, py::arg("beta_2") = 0.999, py::arg("amsgrad") = false,
           py::arg("epsilon") = 1e-7)
      .def("slots", &Optimizer::slots, "The names of what is kept for each variable.")
      .def("step_size", &step_size, py::arg("learning_rate"), py::arg("iterations"),
           "What all variables share in a step; float64 and int64 scalars in.")
      .def("update", &update, py::arg("variable"), py::arg("gradient"), py::arg("slots"),
           py::arg("step_size"), "The new variable, then the new slots.");
}

}  // namespace binding
}  // namespace fusegrad
