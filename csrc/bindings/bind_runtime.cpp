// The runtime: threads, instruction sets, how the library was built, random fills, the op table.
#include <numeric>

#include "fusegrad/cpu.h"
#include "fusegrad/error.h"
#include "fusegrad/limits.h"
#include "fusegrad/op.h"
#include "fusegrad/parallel.h"
#include "fusegrad/random.h"
#include "fusegrad/version.h"
#include "pybind.h"

namespace fusegrad {
namespace binding {

namespace {

std::vector<std::string> isa_levels() {
  std::vector<std::string> names;
  for (const IsaLevel level : isa_levels_compiled()) names.emplace_back(isa_level_name(level));
  return names;
}

py::object request_error() {
  const char* text = isa_request_error();
  return text == nullptr ? py::object(py::none()) : py::object(py::str(text));
}

// A new array that a function named `where` fills with random numbers.
Array to_fill(const char* where, const std::vector<int64_t>& shape, const std::string& dtype) {
  const DType element = parse_dtype(where, dtype);
  if (!is_floating(element)) {
    throw ArgumentError(where, "dtype", "float32 or float64", "'" + dtype + "'");
  }
  for (const int64_t size : shape) {
    if (size < 0) {
      throw ArgumentError(where, "shape", "sizes of at least 0", std::to_string(size));
    }
  }
  return Array(element, to_shape(shape));
}

Tensor uniform(const std::vector<int64_t>& shape, const std::string& dtype, uint64_t seed,
               uint64_t stream, double low, double high) {
  const Array array = to_fill("fill_uniform", shape, dtype);
  {
    const py::gil_scoped_release release;
    fill_uniform(array.view(), seed, stream, low, high);
  }
  return wrap(array);
}

Tensor normal(const std::vector<int64_t>& shape, const std::string& dtype, uint64_t seed,
              uint64_t stream, double mean, double stddev, bool truncated) {
  const Array array = to_fill("fill_normal", shape, dtype);
  {
    const py::gil_scoped_release release;
    fill_normal(array.view(), seed, stream, mean, stddev, truncated);
  }
  return wrap(array);
}

Tensor permuted(int64_t n, uint64_t seed, int64_t epoch) {
  if (n < 0) throw ArgumentError("permutation", "n", "a number of at least 0", std::to_string(n));
  const Array array(DType::int64, Shape{n});
  {
    const py::gil_scoped_release release;
    permutation(array.view().as<int64_t>(), n, seed, epoch);
  }
  return wrap(array);
}

int64_t find_nonfinite(const Tensor& tensor) {
  const Array array = unwrap(tensor);
  const py::gil_scoped_release release;
  return first_nonfinite(array);
}

float read_tensor(const Tensor& tensor, int64_t times) {
  const Array array = unwrap(tensor);
  const py::gil_scoped_release release;
  return read_times(array, times);
}

py::list describe_ops() {
  constexpr std::pair<uint32_t, const char*> kNames[] = {{kElementwise, "elementwise"},
                                                         {kView, "view"},
                                                         {kInPlace0, "in_place_0"},
                                                         {kInPlace1, "in_place_1"},
                                                         {kInPlace2, "in_place_2"},
                                                         {kInPlace3, "in_place_3"},
                                                         {kRandom, "random"},
                                                         {kAnyOrder, "any_order"},
                                                         {kGradient, "gradient"},
                                                         {kPromote, "promote"},
                                                         {kPromoteFloat, "promote_float"},
                                                         {kPromoteFirst, "promote_first"},
                                                         {kPromoteLogical, "promote_logical"},
                                                         {kPromoteSelect, "promote_select"},
                                                         {kPromoteTotal, "promote_total"},
                                                         {kOpaque, "opaque"}};
  py::list table;
  int count = 0;
  const OpDef* const* ops = op_table(&count);
  for (int i = 0; i < count; ++i) {
    py::list traits;
    for (const auto& [bit, text] : kNames) {
      if ((ops[i]->traits & bit) != 0) traits.append(text);
    }
    py::dict row;
    row["name"] = ops[i]->name;
    row["num_inputs"] = ops[i]->num_inputs;
    row["num_outputs"] = ops[i]->num_outputs;
    row["traits"] = traits;
    row["differentiable"] = ops[i]->vjp != &kNotDifferentiable && (ops[i]->traits & kOpaque) == 0;
    row["batches"] = ops[i]->batch != nullptr;
    table.append(row);
  }
  return table;
}

}  // namespace

void bind_runtime(py::module_& module) {
  const py::call_guard<py::gil_scoped_release> unlocked;
  module.def("num_threads", &num_threads, "Threads that ops and programs use.");
  module.def("set_num_threads", &set_num_threads, unlocked, py::arg("count"),
             "Set the number of threads; 0 restores the default.");
  module.def("park_threads", &park_threads, unlocked, "Put idle threads to sleep now.");
  module.def("set_split_all", &set_split_all, py::arg("split"),
             "For tests: split every loop over all threads, whatever its work.");
  module.def("isa", [] { return isa_level_name(isa_level()); }, "The instruction set in use.");
  module.def("isa_levels", &isa_levels, "The instruction sets in this build, slowest first.");
  module.def("isa_request_error", &request_error,
             "None, or why FUSEGRAD_ISA could not be honoured.");
  module.def("compiler", &compiler, "The compiler of this build.");
  module.def("version", &version, "The version of the core library.");
  module.def("build_type", &build_type, "The CMake build type.");
  module.def("fill_uniform", &uniform, py::arg("shape"), py::arg("dtype"), py::arg("seed"),
             py::arg("stream"), py::arg("low"), py::arg("high"), "Numbers uniform in [low, high).");
  module.def("fill_normal", &normal, py::arg("shape"), py::arg("dtype"), py::arg("seed"),
             py::arg("stream"), py::arg("mean"), py::arg("stddev"), py::arg("truncated"),
             "Normal numbers; truncated: within two standard deviations of the mean.");
  module.def("permutation", &permuted, py::arg("n"), py::arg("seed"), py::arg("epoch"),
             "The order of n rows in an epoch, int64.");
  module.def("first_nonfinite", &find_nonfinite, py::arg("tensor"),
             "The index in C order of the first NaN or infinity; -1 for none.");
  module.def("fma_peak", &fma_peak, unlocked, py::arg("rounds"),
             "Run fused multiply-adds in registers; returns the operations done, to be timed.");
  module.def("read_times", &read_tensor, py::arg("tensor"), py::arg("times"),
             "Read a float32 Tensor that many times, to be timed; returns the sum of all.");
  module.def("op_table", &describe_ops, "The ops: names, operands, traits.");
}

}  // namespace binding
}  // namespace fusegrad
