// Shapes: reshape, transpose, broadcast_to. Views wherever strides can express them.
//
// The order of elements is C order, whatever the order in memory.
#include "fusegrad/batch.h"
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/iterate.h"

namespace fusegrad {
namespace {

// ---- reshape: attrs.shape, one entry may be -1

void reshape_infer(InferContext& c) {
  const Meta& x = c.inputs[0];
  Dims& shape = c.attrs->shape;
  const int64_t size = num_elements(x.shape);
  int unknown = -1;
  int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && unknown < 0) {
      unknown = i;
    } else if (shape[i] < 0) {
      fail(c.op, "shape", "sizes >= 0 and at most one -1", to_string(shape));
    } else {
      known = checked_mul(known, shape[i]);
    }
  }
  const bool fits = unknown < 0 ? known == size : known > 0 && size % known == 0;
  if (!fits) {
    fail(c.op, "shape", "a shape of " + std::to_string(size) + " elements, as " + describe(x),
         to_string(shape));
  }
  if (unknown >= 0) shape[unknown] = size / known;
  c.outputs[0].dtype = x.dtype;
  c.outputs[0].shape = shape;
}

// Splits and merges groups of axes; false where a merged group is not one run in memory.
bool reshaped_view(const View& x, const Shape& shape, View* output) {
  Strides strides = c_strides(shape);
  if (x.size() != 0 && !x.c_contiguous()) {
    Dims old_sizes;
    Dims old_strides;
    for (int i = 0; i < x.rank(); ++i) {
      if (x.shape[i] == 1) continue;
      old_sizes.push_back(x.shape[i]);
      old_strides.push_back(x.strides[i]);
    }
    int from = 0;
    int to = 0;
    while (from < old_sizes.rank()) {
      // The least group of old axes [from, end) with the size of a group of new axes [to, stop).
      int end = from + 1;
      int stop = to + 1;
      int64_t old_size = old_sizes[from];
      int64_t new_size = shape[to];
      while (old_size != new_size) {
        if (old_size < new_size) {
          old_size *= old_sizes[end++];
        } else {
          new_size *= shape[stop++];
        }
      }
      for (int i = from; i + 1 < end; ++i) {
        if (old_strides[i] != old_strides[i + 1] * old_sizes[i + 1]) return false;
      }
      int64_t stride = old_strides[end - 1];
      for (int i = stop - 1; i >= to; --i) {
        strides[i] = stride;
        stride *= shape[i];
      }
      from = end;
      to = stop;
    }
  }
  *output = x;
  output->shape = shape;
  output->strides = strides;
  return true;
}

bool reshape_view(const View& x, const Attrs& attrs, View* output) {
  return reshaped_view(x, attrs.shape, output);
}

void reshape_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& x = c.inputs[0];
  View seen;
  if (reshaped_view(x, y.shape, &seen)) return copy_view(y, seen);
  if (reshaped_view(y, x.shape, &seen)) return copy_view(seen, x);
  const Array packed(x.dtype, x.shape);
  copy_view(packed.view(), x);
  reshaped_view(packed.view(), y.shape, &seen);
  copy_view(y, seen);
}

// dx = dy in x's shape
void reshape_vjp(VjpContext& c) {
  c.set(0, emit::reshape(c.builder(), c.cotangent(), c.input_meta(0).shape));
}

void reshape_batch(BatchContext& c) {
  Attrs attrs;
  attrs.shape = c.with_batch(c.attrs().shape);
  c.emit({c.input(0)}, attrs);
}

// ---- transpose: attrs.axes is the permutation; none reverses the axes

void transpose_infer(InferContext& c) {
  const Meta& x = c.inputs[0];
  const int rank = x.shape.rank();
  Dims& axes = c.attrs->axes;
  if (axes.rank() == 0) {
    for (int i = rank - 1; i >= 0; --i) axes.push_back(i);
  }
  bool seen[kMaxRank] = {};
  bool valid = axes.rank() == rank;
  Shape shape;
  for (int i = 0; valid && i < rank; ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    valid = axis >= 0 && axis < rank && !seen[axis];
    if (!valid) break;
    seen[axis] = true;
    axes[i] = axis;
    shape.push_back(x.shape[static_cast<int>(axis)]);
  }
  if (!valid) {
    fail(c.op, "axes", "a permutation of the axes of " + describe(x), to_string(axes));
  }
  c.outputs[0].dtype = x.dtype;
  c.outputs[0].shape = shape;
}

bool transpose_view(const View& x, const Attrs& attrs, View* output) {
  *output = x;
  for (int i = 0; i < x.rank(); ++i) {
    const int axis = static_cast<int>(attrs.axes[i]);
    output->shape[i] = x.shape[axis];
    output->strides[i] = x.strides[axis];
  }
  return true;
}

void transpose_eval(const EvalContext& c) {
  View seen;
  transpose_view(c.inputs[0], *c.attrs, &seen);
  copy_view(c.outputs[0], seen);
}

// dx = dy with the axes put back
void transpose_vjp(VjpContext& c) {
  Attrs attrs;
  const Dims& axes = c.attrs().axes;
  attrs.axes.resize(axes.rank());
  for (int i = 0; i < axes.rank(); ++i) attrs.axes[static_cast<int>(axes[i])] = i;
  if (axes.rank() < 2) {
    c.set(0, c.cotangent());
  } else {
    c.set(0, c.builder().emit(transpose_op, {c.cotangent()}, attrs));
  }
}

void transpose_batch(BatchContext& c) {
  Attrs attrs;
  attrs.axes.push_back(0);
  for (const int64_t axis : c.attrs().axes) attrs.axes.push_back(axis + 1);
  c.emit({c.input(0)}, attrs);
}

// ---- broadcast_to: attrs.shape

void broadcast_to_infer(InferContext& c) {
  const Meta& x = c.inputs[0];
  const Shape& shape = c.attrs->shape;
  bool fits = can_broadcast_to(x.shape, shape);
  for (const int64_t size : shape) fits = fits && size >= 0;
  if (!fits) {
    fail(c.op, "shape", "a shape that " + describe(x) + " broadcasts to", to_string(shape));
  }
  checked_mul(num_elements(shape), itemsize(x.dtype));  // nothing is allocated that would check it
  c.outputs[0].dtype = x.dtype;
  c.outputs[0].shape = shape;
}

bool broadcast_to_view(const View& x, const Attrs& attrs, View* output) {
  *output = x;
  output->strides = broadcast_strides(x.shape, x.strides, attrs.shape);
  output->shape = attrs.shape;
  return true;
}

void broadcast_to_eval(const EvalContext& c) {
  View seen;
  broadcast_to_view(c.inputs[0], *c.attrs, &seen);
  copy_view(c.outputs[0], seen);
}

// dx = dy, summed down by the walker
void broadcast_to_vjp(VjpContext& c) { c.set(0, c.cotangent()); }

void broadcast_to_batch(BatchContext& c) {
  Attrs attrs;
  attrs.shape = c.with_batch(c.attrs().shape);
  c.emit({c.aligned(0, c.attrs().shape.rank())}, attrs);
}

}  // namespace

const OpDef reshape_op = {
    "reshape", 1, 1, kView, reshape_infer, reshape_eval, reshape_vjp, reshape_view, reshape_batch};
const OpDef transpose_op = {"transpose",
                            1,
                            1,
                            kView | kAnyOrder,
                            transpose_infer,
                            transpose_eval,
                            transpose_vjp,
                            transpose_view,
                            transpose_batch};
const OpDef broadcast_to_op = {"broadcast_to",
                               1,
                               1,
                               kView | kAnyOrder,
                               broadcast_to_infer,
                               broadcast_to_eval,
                               broadcast_to_vjp,
                               broadcast_to_view,
                               broadcast_to_batch};

}  // namespace fusegrad
