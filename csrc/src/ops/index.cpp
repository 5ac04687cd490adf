// Indexing: slice, take, one_hot, and the scattering gradients of the first two.
//
// slice reads start + i*step along every axis; its gradient writes the same places of zeros.
#include "fusegrad/emit.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/iterate.h"
#include "ops/labels.h"
#include "ops/rows.h"

namespace fusegrad {

void copy_labels(const char* op, const char* argument, const View& labels, int64_t limit, bool wrap,
                 int64_t* out, const char* kind) {
  const int64_t size = labels.size();
  if (size == 0) return;
  int64_t index[kMaxRank] = {};
  const int rank = labels.rank();
  by_dtype(labels.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* at = labels.as<const T>();
    if (!wrap && labels.c_contiguous()) {
      uint64_t outside = 0;  // not 0: the first one is looked for below
      for (int64_t i = 0; i < size; ++i) {
        out[i] = static_cast<int64_t>(at[i]);
        outside |= static_cast<uint64_t>(out[i]) >= static_cast<uint64_t>(limit) ? 1u : 0u;
      }
      if (outside == 0) return;
    }
    for (int64_t i = 0; i < size; ++i) {
      int64_t value = static_cast<int64_t>(*at);
      if (wrap && value < 0) value += limit;
      if (value < 0 || value >= limit) {
        const int64_t got = static_cast<int64_t>(*at);
        fail(op, argument,
             std::string(wrap ? "indices" : kind) + " in [" + std::to_string(wrap ? -limit : 0) +
                 ", " + std::to_string(limit) + ")",
             std::to_string(got) + " at index " + std::to_string(i) + " (" +
                 describe({labels.dtype, labels.shape}) + ")");
      }
      out[i] = value;
      for (int d = rank - 1; d >= 0; --d) {
        at += labels.strides[d];
        if (++index[d] < labels.shape[d]) break;
        at -= labels.strides[d] * labels.shape[d];
        index[d] = 0;
      }
    }
  });
}

namespace {

// 0, step, ... as many as `count`, int64.
Value multiples(Builder& b, int64_t step, int64_t count) {
  const Array array(DType::int64, {count});
  for (int64_t k = 0; k < count; ++k) array.view().as<int64_t>()[k] = k * step;
  return b.constant(array);
}

}  // namespace

// Taking the indices from 0, 1, ... checks them, and counts negative ones from the front.
Value flat_indices(BatchContext& c, int64_t count, bool wrap) {
  Builder& b = c.builder();
  Attrs attrs;
  attrs.axes = {0};
  attrs.flag = !wrap;
  const Value own = b.emit(take_op, {multiples(b, 1, count), c.full(1)}, attrs);
  Shape shape;
  shape.resize(c.example(1).shape.rank(), 1);
  return emit::add(b, own, emit::reshape(b, multiples(b, count, c.size()), c.with_batch(shape)));
}

namespace {

// ---- slice: attrs.start, attrs.step, attrs.shape = sizes of the result

// Fills in missing starts (0) and steps (1); checks that the slice of `shape` lies inside.
void check_slice(InferContext& c, const Shape& shape, const Shape& sizes) {
  Attrs& attrs = *c.attrs;
  const int rank = shape.rank();
  if (attrs.start.rank() == 0) attrs.start.resize(rank, 0);
  if (attrs.step.rank() == 0) attrs.step.resize(rank, 1);
  const auto require = [&](const char* argument, const Dims& dims) {
    if (dims.rank() != rank) {
      fail(c.op, argument, std::to_string(rank) + " values, one for each axis", to_string(dims));
    }
  };
  require("start", attrs.start);
  require("step", attrs.step);
  require("shape", sizes);
  for (int i = 0; i < rank; ++i) {
    if (attrs.step[i] == 0) fail(c.op, "step", "steps other than 0", to_string(attrs.step));
    if (sizes[i] < 0) fail(c.op, "shape", "sizes >= 0", to_string(sizes));
    if (sizes[i] == 0) continue;
    const int64_t first = attrs.start[i];
    const int64_t step = attrs.step[i];
    const bool starts = first >= 0 && first < shape[i];
    // How many more elements there are on the side to which the step goes.
    const int64_t more = !starts ? -1 : step > 0 ? (shape[i] - 1 - first) / step : -(first / step);
    if (sizes[i] - 1 > more) {
      fail(c.op, "start", "a slice inside shape " + to_string(shape),
           "start " + to_string(attrs.start) + ", step " + to_string(attrs.step) + ", shape " +
               to_string(sizes));
    }
  }
}

View sliced(const View& x, const Attrs& attrs, const Shape& sizes) {
  View result = x;
  result.shape = sizes;
  char* data = static_cast<char*>(x.data);
  const bool empty = num_elements(sizes) == 0;
  for (int i = 0; i < x.rank(); ++i) {
    if (!empty) data += attrs.start[i] * x.strides[i] * itemsize(x.dtype);
    result.strides[i] = sizes[i] > 1 ? x.strides[i] * attrs.step[i] : x.strides[i];
  }
  result.data = data;
  return result;
}

void slice_infer(InferContext& c) {
  check_slice(c, c.inputs[0].shape, c.attrs->shape);
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = c.attrs->shape;
}
bool slice_view(const View& x, const Attrs& attrs, View* output) {
  *output = sliced(x, attrs, attrs.shape);
  return true;
}
void slice_eval(const EvalContext& c) {
  copy_view(c.outputs[0], sliced(c.inputs[0], *c.attrs, c.attrs->shape));
}
// dx = dy at the places of the slice, 0 elsewhere
void slice_vjp(VjpContext& c) {
  Attrs attrs = c.attrs();
  attrs.shape = c.input_meta(0).shape;
  c.set(0, c.builder().emit(slice_grad_op, {c.cotangent()}, attrs));
}

// Of slice and of slice_grad: all of the batch axis.
void slice_batch(BatchContext& c) {
  Attrs attrs = c.attrs();
  attrs.shape.insert(0, c.size());
  attrs.start.insert(0, 0);
  attrs.step.insert(0, 1);
  c.emit({c.input(0)}, attrs);
}

// slice_grad(g): attrs.shape is the shape of the result; g has the slice's sizes.
void slice_grad_infer(InferContext& c) {
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = c.attrs->shape;
  check_slice(c, c.attrs->shape, c.inputs[0].shape);
}
void slice_grad_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& g = c.inputs[0];
  if (g.shape != y.shape) fill_zero(y);
  if (g.size() != 0) copy_view(sliced(y, *c.attrs, g.shape), g);
}
// dg = the slice of dy
void slice_grad_vjp(VjpContext& c) {
  Attrs attrs = c.attrs();
  attrs.shape = c.input_meta(0).shape;
  c.set(0, c.builder().emit(slice_op, {c.cotangent()}, attrs));
}

// ---- take: attrs.axes = {axis}; result shape x[:axis] + indices + x[axis+1:]; attrs.flag:
// negative indices are an error

Shape taken_shape(const InferContext& c, const Shape& x, const Shape& indices, int axis) {
  const int rank = x.rank() - 1 + indices.rank();
  if (rank > kMaxRank) {
    fail(c, 1, "indices", "a result of at most " + std::to_string(kMaxRank) + " dimensions");
  }
  Shape result;
  for (int i = 0; i < axis; ++i) result.push_back(x[i]);
  for (int64_t size : indices) result.push_back(size);
  for (int i = axis + 1; i < x.rank(); ++i) result.push_back(x[i]);
  return result;
}

void take_infer(InferContext& c) {
  require_index(c, 1, "indices");
  require_rank(c, 0, "x", 1);
  const Shape& x = c.inputs[0].shape;
  const int axis = normalize_single_axis(c, x.rank());
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = taken_shape(c, x, c.inputs[1].shape, axis);
}

// For every index i in order: the loop over (whole[:, i, :], picked[:, k, :]), whole first when
// `into` else picked first. `body(loop)` gets it with its pointers set.
template <typename Body>
void for_each_index(const View& whole, const View& picked, const View& indices, int axis, bool into,
                    const int64_t* places, const Body& body) {
  const int64_t count = indices.size();
  View slab = whole;
  slab.shape.erase(axis);
  slab.strides.erase(axis);
  View part = picked;
  for (int i = 0; i < indices.rank(); ++i) {
    part.shape.erase(axis);
    part.strides.erase(axis);
  }
  if (count == 0 || slab.size() == 0) return;
  Loop loop;
  loop.add(into ? slab : part, into ? slab.strides : part.strides);
  loop.add(into ? part : slab, into ? part.strides : slab.strides);
  loop.finish(slab.shape);
  const int64_t bytes = itemsize(whole.dtype);
  char* const whole_at = static_cast<char*>(whole.data);
  char* part_at = static_cast<char*>(picked.data);
  int64_t index[kMaxRank] = {};
  for (int64_t k = 0; k < count; ++k) {
    loop.data[into ? 0 : 1] = whole_at + places[k] * whole.strides[axis] * bytes;
    loop.data[into ? 1 : 0] = part_at;
    body(loop);
    for (int d = indices.rank() - 1; d >= 0; --d) {
      const int64_t step = picked.strides[axis + d] * bytes;
      part_at += step;
      if (++index[d] < indices.shape[d]) break;
      part_at -= step * indices.shape[d];
      index[d] = 0;
    }
  }
}

// Whether one axis of indices picks single elements that lie side by side: then body(part, whole)
// for each of them, line by line, costs less than a loop for each index.
template <typename T, typename Body>
bool each_element(const View& whole, const View& picked, const View& indices, int axis,
                  const int64_t* places, const Body& body) {
  View part = picked;
  if (indices.rank() != 1) {
    if (whole.rank() != 1 || !picked.c_contiguous()) return false;
    part.shape = {indices.size()};
    part.strides = {1};
  }
  if (whole.rank() != 1 && whole.strides[axis] != 1) return false;
  if (part.size() == 0) return true;
  Rows rows;
  rows.add_full(part);
  rows.add_full(whole);
  rows.finish(part.shape, {axis});
  const int64_t count = part.shape[axis];
  const int64_t part_step = part.strides[axis];
  const int64_t whole_step = whole.strides[axis];
  for_each_run(rows.loop, row_grain(count, 2), [&](char* const* at, const int64_t* s, int64_t n) {
    for (int64_t line = 0; line < n; ++line) {
      T* const of_part = typed<T>(at[0]) + line * s[0];
      T* const of_whole = typed<T>(at[1]) + line * s[1];
      for (int64_t i = 0; i < count; ++i) {
        body(of_part[i * part_step], of_whole[places[i] * whole_step]);
      }
    }
  });
  return true;
}

void take_eval(const EvalContext& c) {
  const View& x = c.inputs[0];
  const View& indices = c.inputs[1];
  const int axis = static_cast<int>(c.attrs->axes[0]);
  const int64_t count = indices.size();
  int64_t* const at = label_space(count);
  copy_labels("take", "indices", indices, x.shape[axis], !c.attrs->flag, at, "integers");
  by_dtype(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto copy = [](T& part, const T& whole) { part = whole; };
    if (each_element<T>(x, c.outputs[0], indices, axis, at, copy)) return;
    for_each_index(x, c.outputs[0], indices, axis, false, at, [](const Loop& loop) {
      for_each_run(loop, kCheapGrain, [](char* const* p, const int64_t* s, int64_t n) {
        T* y = typed<T>(p[0]);
        const T* from = typed<const T>(p[1]);
        for (int64_t i = 0; i < n; ++i) y[i * s[0]] = from[i * s[1]];
      });
    });
  });
}
// dx = dy added at the places taken, in the order of the indices
void take_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  Attrs attrs = c.attrs();
  attrs.shape = c.input_meta(0).shape;
  c.set(0, c.builder().emit(take_grad_op, {c.cotangent(), c.input(1)}, attrs));
}

// take_grad(g, indices): attrs.shape is the shape of the result.
void take_grad_infer(InferContext& c) {
  require_float(c, 0, "g");
  require_index(c, 1, "indices");
  const Shape& shape = c.attrs->shape;
  const int axis = normalize_single_axis(c, shape.rank());
  require_same_shape(c, 0, "g", taken_shape(c, shape, c.inputs[1].shape, axis));
  c.outputs[0].dtype = c.inputs[0].dtype;
  c.outputs[0].shape = shape;
}
void take_grad_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& indices = c.inputs[1];
  const int axis = static_cast<int>(c.attrs->axes[0]);
  const int64_t count = indices.size();
  int64_t* const at = label_space(count);
  copy_labels("take", "indices", indices, y.shape[axis], !c.attrs->flag, at, "integers");
  fill_zero(y);
  by_float(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto add = [](const T& part, T& whole) { whole += part; };
    if (each_element<T>(y, c.inputs[0], indices, axis, at, add)) return;
    const auto kernel = FUSEGRAD_TYPED(T, binary);
    for_each_index(y, c.inputs[0], indices, axis, true, at, [kernel](const Loop& loop) {
      for_each_run(loop, kCheapGrain, [kernel](char* const* p, const int64_t* s, int64_t n) {
        T* sum = typed<T>(p[0]);
        kernel(BinaryOp::add, sum, s[0], sum, s[0], typed<const T>(p[1]), s[1], n);
      });
    });
  });
}
// dg = dy at the places taken
void take_grad_vjp(VjpContext& c) {
  if (!c.needs(0)) return;
  c.set(0, emit::along(c.builder(), take_op, c.cotangent(), c.input(1), c.attrs().axes[0]));
}

Value take(Builder& b, Value x, Value indices, int axis, Attrs attrs) {
  attrs.axes = {axis};
  return b.emit(take_op, {x, indices}, attrs);
}

// Indices that are the same for all examples take along the next axis; others from the examples
// laid end to end.
void take_batch(BatchContext& c) {
  Builder& b = c.builder();
  const int axis = static_cast<int>(c.attrs().axes[0]);
  if (!c.batched(1)) {
    return c.set(0, take(b, c.input(0), c.input(1), axis + 1, c.attrs()));
  }
  if (!c.batched(0)) {
    const Value taken = take(b, c.input(0), c.input(1), axis, c.attrs());
    return c.set(0, emit::move_axis(b, taken, axis, 0));
  }
  const Shape& x = c.example(0).shape;
  Shape slabs = b.meta(c.input(0)).shape;
  slabs.erase(axis + 1);
  slabs[0] = c.size() * x[axis];
  const Value flat = emit::reshape(b, emit::move_axis(b, c.input(0), axis + 1, 1), slabs);
  Value taken = take(b, flat, flat_indices(c, x[axis], !c.attrs().flag), 0, c.attrs());
  // (examples, indices..., axes before, axes after): the axes before go to their place.
  const int indices = c.example(1).shape.rank();
  for (int i = 0; i < axis; ++i) taken = emit::move_axis(b, taken, 1 + indices + i, 1 + i);
  c.set(0, taken);
}

void take_grad_batch(BatchContext& c) {
  Builder& b = c.builder();
  const int axis = static_cast<int>(c.attrs().axes[0]);
  Attrs attrs = c.attrs();
  const Shape& shape = c.attrs().shape;
  if (!c.batched(1)) {
    attrs.shape.insert(0, c.size());
    ++attrs.axes[0];
    return c.emit({c.input(0), c.input(1)}, attrs);
  }
  Value g = c.full(0);
  const int indices = c.example(1).shape.rank();
  for (int i = 0; i < axis; ++i) g = emit::move_axis(b, g, 1, axis + indices);
  attrs.shape.erase(axis);
  attrs.shape.insert(0, c.size() * shape[axis]);
  attrs.axes[0] = 0;
  Value flat = b.emit(take_grad_op, {g, flat_indices(c, shape[axis], !c.attrs().flag)}, attrs);
  attrs.shape[0] = shape[axis];
  flat = emit::reshape(b, flat, c.with_batch(attrs.shape));
  c.set(0, emit::move_axis(b, flat, 1, axis + 1));
}

// ---- one_hot(labels): attrs.shape = {num_classes}, attrs.dtype

void one_hot_infer(InferContext& c) {
  require_index(c, 0, "x");
  if (c.attrs->shape.rank() != 1 || c.attrs->shape[0] < 1) {
    fail(c.op, "num_classes", "an integer >= 1", to_string(c.attrs->shape));
  }
  c.outputs[0].dtype = c.attrs->dtype;
  c.outputs[0].shape = c.inputs[0].shape;
  c.outputs[0].shape.push_back(c.attrs->shape[0]);
}
void one_hot_eval(const EvalContext& c) {
  const View& y = c.outputs[0];
  const View& labels = c.inputs[0];
  const int64_t count = labels.size();
  int64_t* const at = label_space(count);
  copy_labels("one_hot", "x", labels, c.attrs->shape[0], false, at);
  fill_zero(y);
  const int rank = labels.rank();
  by_dtype(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    T* row = y.as<T>();
    int64_t index[kMaxRank] = {};
    for (int64_t k = 0; k < count; ++k) {
      row[at[k] * y.strides[rank]] = T(1);
      for (int d = rank - 1; d >= 0; --d) {
        row += y.strides[d];
        if (++index[d] < y.shape[d]) break;
        row -= y.strides[d] * y.shape[d];
        index[d] = 0;
      }
    }
  });
}

}  // namespace

const OpDef slice_op = {"slice",    1,         1,          kView | kAnyOrder, slice_infer,
                        slice_eval, slice_vjp, slice_view, slice_batch};
const OpDef slice_grad_op = {
    "slice_grad",   1,       1,          kGradient | kAnyOrder, slice_grad_infer, slice_grad_eval,
    slice_grad_vjp, nullptr, slice_batch};
const OpDef take_op = {"take",    2,        1,       kAnyOrder, take_infer,
                       take_eval, take_vjp, nullptr, take_batch};
const OpDef take_grad_op = {"take_grad",
                            2,
                            1,
                            kGradient | kAnyOrder,
                            take_grad_infer,
                            take_grad_eval,
                            take_grad_vjp,
                            nullptr,
                            take_grad_batch};
// Integers in: no gradient.
const OpDef one_hot_op = {
    "one_hot",    1, 1, kAnyOrder, one_hot_infer, one_hot_eval, kNotDifferentiable, nullptr,
    batch_leading};

}  // namespace fusegrad
