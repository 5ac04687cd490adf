// take_along_axis: one index for each element of the result; and its scattering gradient.
//
// Both have attrs.axes = {axis} and operands that agree along every other axis.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/labels.h"
#include "ops/rows.h"

namespace fusegrad {
namespace {

// The indices agree with `shape` except along the axis.
void require_indices(InferContext& c, int input, const Shape& shape) {
  require_index(c, input, "indices");
  const int axis = normalize_single_axis(c, shape.rank());
  Shape expected = c.inputs[input].shape;
  if (expected.rank() == shape.rank()) expected[axis] = shape[axis];
  if (expected != shape) {
    fail(c, input, "indices",
         "shape " + to_string(shape) + " but for axis " + std::to_string(axis));
  }
}

// Calls body(line, i, place) for the lines of `part` that each thread has: `line` has pointers and
// steps of `part` and `whole`, and `place` is the checked index of element i of the line of `part`.
template <typename T, typename Body>
void for_each_place(const char* op, const View& part, const View& whole, const View& indices,
                    int axis, const Body& body) {
  const int64_t count = part.shape[axis];
  if (part.size() == 0) return;
  View places = indices;
  places.dtype = DType::int64;
  places.strides = c_strides(indices.shape);
  places.data = label_space(indices.size());
  copy_labels(op, "indices", indices, whole.shape[axis], true, places.as<int64_t>());
  Rows rows;
  rows.add_full(part);
  rows.add_full(whole);
  rows.add_full(places);
  rows.finish(part.shape, {axis});
  const int64_t part_step = part.strides[axis];
  const int64_t whole_step = whole.strides[axis];
  const int64_t place_step = places.strides[axis];
  for_each_run(rows.loop, row_grain(count, 4), [&](char* const* at, const int64_t* s, int64_t n) {
    for (int64_t line = 0; line < n; ++line) {
      T* const of_part = typed<T>(at[0]) + line * s[0];
      T* const of_whole = typed<T>(at[1]) + line * s[1];
      const int64_t* const place = typed<const int64_t>(at[2]) + line * s[2];
      for (int64_t i = 0; i < count; ++i) {
        body(of_part[i * part_step], of_whole[place[i * place_step] * whole_step]);
      }
    }
  });
}

// ---- take_along_axis(x, indices)

void take_along_axis_infer(InferContext& c) {
  require_rank(c, 0, "x", 1);
  require_indices(c, 1, c.inputs[0].shape);
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = c.inputs[1].shape;
}
void take_along_axis_eval(const EvalContext& c) {
  by_dtype(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_place<T>("take_along_axis", c.outputs[0], c.inputs[0], c.inputs[1],
                      static_cast<int>(c.attrs->axes[0]),
                      [](T& part, const T& whole) { part = whole; });
  });
}
// dx = dy added at the places taken, in the order of the indices
void take_along_axis_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  Attrs attrs = c.attrs();
  attrs.shape = c.input_meta(0).shape;
  c.set(0, c.builder().emit(take_along_axis_grad_op, {c.cotangent(), c.input(1)}, attrs));
}

// ---- take_along_axis_grad(g, indices): attrs.shape is the shape of the result

void take_along_axis_grad_infer(InferContext& c) {
  require_float(c, 0, "g");
  require_indices(c, 1, c.attrs->shape);
  require_same_shape(c, 0, "g", c.inputs[1].shape);
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = c.attrs->shape;
}
void take_along_axis_grad_eval(const EvalContext& c) {
  fill_zero(c.outputs[0]);
  by_float(c.inputs[0].dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_place<T>("take_along_axis", c.inputs[0], c.outputs[0], c.inputs[1],
                      static_cast<int>(c.attrs->axes[0]),
                      [](const T& part, T& whole) { whole += part; });
  });
}
// dg = dy at the places taken
void take_along_axis_grad_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  c.set(0,
        emit::along(c.builder(), take_along_axis_op, c.cotangent(), c.input(1), c.attrs().axes[0]));
}

void take_along_axis_grad_batch(BatchContext& c) {
  Attrs attrs = c.attrs();
  attrs.shape.insert(0, c.size());
  ++attrs.axes[0];
  c.emit({c.full(0), c.full(1)}, attrs);
}

}  // namespace

const OpDef take_along_axis_op = {
    "take_along_axis",   2,       1,         kAnyOrder, take_along_axis_infer, take_along_axis_eval,
    take_along_axis_vjp, nullptr, batch_axes};
const OpDef take_along_axis_grad_op = {"take_along_axis_grad",
                                       2,
                                       1,
                                       kGradient | kAnyOrder,
                                       take_along_axis_grad_infer,
                                       take_along_axis_grad_eval,
                                       take_along_axis_grad_vjp,
                                       nullptr,
                                       take_along_axis_grad_batch};

}  // namespace fusegrad
