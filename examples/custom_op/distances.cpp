// squared_distances(x, y): between each row of x, shape (n, k), and each of y, shape (m, k).
#include <pybind11/pybind11.h>

#include <string>

#include "fusegrad/extension.h"

namespace {

using namespace fusegrad;

// Shapes and dtypes of the operands in, those of the result out; or an error.
void infer(InferContext& c) {
  const Meta& x = c.inputs[0];
  const Meta& y = c.inputs[1];
  if (!is_floating(x.dtype) || x.dtype != y.dtype) {
    throw ArgumentError("squared_distances()", "x", "two floating arrays of one dtype",
                        std::string(name(x.dtype)) + " and " + name(y.dtype));
  }
  if (x.shape.rank() != 2 || y.shape.rank() != 2 || x.shape[1] != y.shape[1]) {
    throw ArgumentError("squared_distances()", "y", "matrices with as many columns as x",
                        to_string(y.shape) + " beside " + to_string(x.shape));
  }
  c.outputs[0].dtype = x.dtype;
  c.outputs[0].shape = {x.shape[0], y.shape[0]};
}

// Operands may have any strides, which count elements. Threads share the rows of the result, never
// a sum, so their number changes no bit.
template <typename T>
void compute(const EvalContext& c) {
  const View& x = c.inputs[0];
  const View& y = c.inputs[1];
  const View& out = c.outputs[0];
  const int64_t depth = x.shape[1];
  const int64_t grain = 1 + 10000 / (1 + out.shape[1] * depth);
  parallel_for(out.shape[0], grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* const row = x.as<const T>() + i * x.strides[0];
      for (int64_t j = 0; j < out.shape[1]; ++j) {
        const T* const other = y.as<const T>() + j * y.strides[0];
        double sum = 0.0;
        for (int64_t k = 0; k < depth; ++k) {
          const double apart = static_cast<double>(row[k * x.strides[1]]) -
                               static_cast<double>(other[k * y.strides[1]]);
          sum += apart * apart;
        }
        out.as<T>()[i * out.strides[0] + j * out.strides[1]] = static_cast<T>(sum);
      }
    }
  });
}

void eval(const EvalContext& c) {
  c.outputs[0].dtype == DType::float32 ? compute<float>(c) : compute<double>(c);
}

// The gradient is made of ops, which are recorded like all others: so it can be compiled, and
// differentiated again. With d the cotangent of the result:
//   dx = 2 (x * sum_j d_ij - d y)      dy = 2 (y * sum_i d_ij - d^T x)
void vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value d = c.cotangent();
  const auto gradient = [&](Value own, Value other, int64_t axis) {
    Value weights = emit::sum(b, d, {axis}, true);
    if (axis == 0) weights = emit::matrix_transpose(b, weights);
    const Value pull = emit::matmul(b, d, other, axis == 0, false, Attrs());
    const Value apart = emit::subtract(b, emit::multiply(b, own, weights), pull);
    return emit::multiply(b, 2.0, apart);
  };
  if (c.needs(0)) c.set(0, gradient(c.input(0), c.input(1), 1));
  if (c.needs(1)) c.set(1, gradient(c.input(1), c.input(0), 0));
}

// Two operands, brought to a common dtype; one result.
const OpDef squared_distances = {"squared_distances", 2, 1, kPromote, infer, eval, vjp};

}  // namespace

PYBIND11_MODULE(distances, module) {
  module.attr("squared_distances") = pybind11::capsule(&squared_distances, fusegrad::kOpDefCapsule);
}
