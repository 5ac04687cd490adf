// concatenate and stack: several arrays into one along attrs.axes = {axis}.
//
// Their gradients are slices of the cotangent.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/iterate.h"

namespace fusegrad {
namespace {

void require_same_dtypes(const InferContext& c) {
  for (int i = 1; i < c.num_inputs; ++i) {
    if (c.inputs[i].dtype != c.inputs[0].dtype) require_dtype(c, i, "xs", c.inputs[0].dtype);
  }
}

View part(const View& y, int axis, int64_t first, int64_t count) {
  View result = y;
  result.shape[axis] = count;
  result.data = static_cast<char*>(y.data) + first * y.strides[axis] * itemsize(y.dtype);
  return result;
}

// ---- concatenate

void concatenate_infer(InferContext& c) {
  require_same_dtypes(c);
  Meta& y = c.outputs[0];
  y = c.inputs[0];
  require_rank(c, 0, "xs", 1);
  const int axis = normalize_single_axis(c, y.shape.rank());
  for (int i = 1; i < c.num_inputs; ++i) {
    Shape shape = c.inputs[i].shape;
    bool fits = shape.rank() == y.shape.rank();
    if (fits) {
      const int64_t more = shape[axis];
      shape[axis] = y.shape[axis];
      fits = shape == y.shape;
      if (fits) y.shape[axis] = checked_add(y.shape[axis], more);
    }
    if (!fits) {
      fail(c, i, "xs",
           "arrays that agree except along axis " + std::to_string(axis) + " with " +
               describe(c.inputs[0]));
    }
  }
}

void concatenate_eval(const EvalContext& c) {
  const int axis = static_cast<int>(c.attrs->axes[0]);
  int64_t first = 0;
  for (int i = 0; i < c.num_inputs; ++i) {
    const int64_t count = c.inputs[i].shape[axis];
    if (count != 0) copy_view(part(c.outputs[0], axis, first, count), c.inputs[i]);
    first += count;
  }
}

// dx_i = the slice of dy that x_i filled
void concatenate_vjp(VjpContext& c) {
  const int axis = static_cast<int>(c.attrs().axes[0]);
  int64_t first = 0;
  for (int i = 0; i < c.num_inputs(); ++i) {
    const int64_t count = c.input_meta(i).shape[axis];
    if (c.needs(i)) c.set(i, emit::slice(c.builder(), c.cotangent(), axis, first, count));
    first += count;
  }
}

// ---- stack

void stack_infer(InferContext& c) {
  require_same_dtypes(c);
  Meta& y = c.outputs[0];
  y = c.inputs[0];
  for (int i = 1; i < c.num_inputs; ++i) require_same_shape(c, i, "xs", y.shape);
  const int axis = normalize_single_axis(c, y.shape.rank() + 1);
  y.shape.insert(axis, c.num_inputs);
}

void stack_eval(const EvalContext& c) {
  const int axis = static_cast<int>(c.attrs->axes[0]);
  for (int i = 0; i < c.num_inputs; ++i) {
    View to = part(c.outputs[0], axis, i, 1);
    to.shape.erase(axis);
    to.strides.erase(axis);
    copy_view(to, c.inputs[i]);
  }
}

// dx_i = dy[..., i, ...]
void stack_vjp(VjpContext& c) {
  Builder& b = c.builder();
  const int axis = static_cast<int>(c.attrs().axes[0]);
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (!c.needs(i)) continue;
    c.set(i, emit::reshape(b, emit::slice(b, c.cotangent(), axis, i, 1), c.input_meta(i).shape));
  }
}

}  // namespace

const OpDef concatenate_op = {
    "concatenate",   -1,      1,         kAnyOrder | kPromote, concatenate_infer, concatenate_eval,
    concatenate_vjp, nullptr, batch_axes};
const OpDef stack_op = {
    "stack", -1, 1, kAnyOrder | kPromote, stack_infer, stack_eval, stack_vjp, nullptr, batch_axes};

}  // namespace fusegrad
