// dense: act(x kernel + bias) in one kernel, with the bits of the three ops run one by one.
//
// x (..., in), kernel (in, out), bias (out) or none; attrs.activation, scalars[0] = slope;
// attrs.bfloat16.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/gemm.h"

namespace fusegrad {
namespace {

using namespace emit;

void dense_infer(InferContext& c) {
  if (c.num_inputs < 2 || c.num_inputs > 3) {
    fail(c.op, "inputs", "x, kernel and at most one bias", std::to_string(c.num_inputs));
  }
  require_float(c, 0, "x");
  if (c.attrs->bfloat16) require_dtype(c, 0, "x", DType::float32);
  require_rank(c, 0, "x", 1);
  const DType dtype = c.inputs[0].dtype;
  const Shape& x = c.inputs[0].shape;
  const Shape& kernel = c.inputs[1].shape;
  require_dtype(c, 1, "kernel", dtype);
  if (kernel.rank() != 2 || kernel[0] != x.back()) {
    fail(c, 1, "kernel",
         "shape (" + std::to_string(x.back()) + ", units) for x, a " + describe(c.inputs[0]));
  }
  if (c.num_inputs == 3) {
    require_dtype(c, 2, "bias", dtype);
    require_same_shape(c, 2, "bias", {kernel[1]});
  }
  if (c.attrs->activation == Activation::leaky_relu && !(c.attrs->scalars[0] >= 0.0)) {
    fail(c.op, "negative_slope", "a number >= 0", std::to_string(c.attrs->scalars[0]));
  }
  c.outputs[0].dtype = dtype;
  c.outputs[0].shape = x;
  c.outputs[0].shape[x.rank() - 1] = kernel[1];
}

void dense_eval(const EvalContext& c) {
  Epilogue epilogue;
  if (c.num_inputs == 3) epilogue.bias = &c.inputs[2];
  epilogue.activation = c.attrs->activation;
  epilogue.slope = c.attrs->scalars[0];
  by_float(c.outputs[0].dtype, [&](auto tag) {
    multiply_views<decltype(tag)>(c.outputs[0], c.inputs[0], c.inputs[1], *c.attrs, epilogue);
  });
}

// dz for z = x kernel + bias: dy times the slope of the activation, from the output where it says.
Value activation_gradient(VjpContext& c) {
  Builder& b = c.builder();
  const Value dy = c.cotangent();
  const Value y = c.output();
  switch (c.attrs().activation) {
    case Activation::linear: return dy;
    case Activation::relu: return b.emit(relu_grad_op, {dy, y});
    case Activation::leaky_relu: {
      Attrs attrs;
      attrs.scalars[0] = c.attrs().scalars[0];
      return b.emit(leaky_relu_grad_op, {dy, y}, attrs);
    }
    case Activation::sigmoid: return sigmoid_grad(b, dy, y);
    case Activation::tanh: return tanh_grad(b, dy, y);
    case Activation::softplus: {
      Value z = matmul(b, c.input(0), c.input(1), false, false, c.attrs());
      if (c.num_inputs() == 3) z = add(b, z, c.input(2));
      return multiply(b, dy, sigmoid(b, z));
    }
  }
  return dy;
}

// act(z), the op that dense applies in its kernel.
Value activated(Builder& b, Value z, const Attrs& attrs) {
  switch (attrs.activation) {
    case Activation::linear: return z;
    case Activation::relu: return b.emit(relu_op, {z});
    case Activation::leaky_relu: {
      Attrs slope;
      slope.scalars[0] = attrs.scalars[0];
      return b.emit(leaky_relu_op, {z}, slope);
    }
    case Activation::sigmoid: return sigmoid(b, z);
    case Activation::tanh: return b.emit(tanh_op, {z});
    case Activation::softplus: return b.emit(softplus_op, {z});
  }
  return z;
}

// dx = dz kernel^T, dkernel = x^T dz, dbias = sum of dz over the rows
void dense_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const Value dz = activation_gradient(c);
  const Shape& x = c.input_meta(0).shape;
  if (c.needs(0)) c.set(0, matmul(b, dz, c.input(1), false, true, c.attrs()));
  if (c.needs(1)) {
    c.set(1, matmul(b, as_rows(b, c.input(0)), as_rows(b, dz), true, false, c.attrs()));
  }
  if (c.num_inputs() == 3 && c.needs(2)) {
    Dims leading;
    for (int i = 0; i + 1 < x.rank(); ++i) leading.push_back(i);
    c.set(2, leading.rank() == 0 ? dz : sum(b, dz, leading, false));
  }
}

// One product for all examples where they share kernel and bias; else the ops that it is made of.
void dense_batch(BatchContext& c) {
  Builder& b = c.builder();
  const bool bias = c.num_inputs() == 3;
  if (!c.batched(1) && !(bias && c.batched(2))) {
    std::vector<Value> inputs = {c.input(0), c.input(1)};
    if (bias) inputs.push_back(c.input(2));
    return c.emit(inputs, c.attrs());
  }
  // (examples, rows, in) x (examples, in, units)
  const Shape& x = c.example(0).shape;
  Shape rows = {1, x.back()};
  for (int i = 0; i + 1 < x.rank(); ++i) rows[0] *= x[i];
  const Value left = reshape(b, c.input(0), c.batched(0) ? c.with_batch(rows) : rows);
  Value z = matmul(b, left, c.input(1), false, false, c.attrs());
  if (bias) {
    const Value shift = c.batched(2)
                            ? reshape(b, c.input(2), c.with_batch({1, c.example(1).shape[1]}))
                            : c.input(2);
    z = add(b, z, shift);
  }
  c.set(0, reshape(b, activated(b, z, c.attrs()), c.with_batch(c.example_output().shape)));
}

}  // namespace

const OpDef dense_op = {"dense",     -1,         1,         kAnyOrder | kPromoteFloat,
                        dense_infer, dense_eval, dense_vjp, nullptr,
                        dense_batch};

}  // namespace fusegrad
