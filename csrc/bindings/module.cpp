// fusegrad._core: what Python calls once per batch or epoch. A table of contents.
#include "pybind.h"

PYBIND11_MODULE(_core, module) {
  using namespace fusegrad::binding;
  module.doc() = "Graphs, programs, training loops, optimizers and the runtime of fusegrad.";
  import_tensor();  // the Tensor type, before anything that takes or returns one
  pybind11::register_local_exception_translator(translate_error);
  bind_graph(module);
  bind_program(module);
  bind_trainer(module);
  bind_optimizer(module);
  bind_runtime(module);
}
