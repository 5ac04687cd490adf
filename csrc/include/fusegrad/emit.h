// Short names for what gradient rules emit.
//
// Everything here records ops through the Builder; nothing touches memory.
#pragma once

#include "fusegrad/builder.h"
#include "fusegrad/error.h"

namespace fusegrad::emit {

inline Value number(Builder& b, double value, Value like) {
  return b.constant(value, b.meta(like).dtype);
}

#define FUSEGRAD_EMIT1(name) \
  inline Value name(Builder& b, Value x) { return b.emit(name##_op, {x}); }
FUSEGRAD_EMIT1(negative)
FUSEGRAD_EMIT1(abs)
FUSEGRAD_EMIT1(sign)
FUSEGRAD_EMIT1(sqrt)
FUSEGRAD_EMIT1(exp)
FUSEGRAD_EMIT1(log)
FUSEGRAD_EMIT1(sigmoid)
FUSEGRAD_EMIT1(sin)
FUSEGRAD_EMIT1(cos)
FUSEGRAD_EMIT1(sinh)
FUSEGRAD_EMIT1(cosh)
FUSEGRAD_EMIT1(logical_not)
#undef FUSEGRAD_EMIT1

#define FUSEGRAD_EMIT2(name)                                                            \
  inline Value name(Builder& b, Value x, Value y) { return b.emit(name##_op, {x, y}); } \
  inline Value name(Builder& b, Value x, double y) {                                    \
    return b.emit(name##_op, {x, number(b, y, x)});                                     \
  }                                                                                     \
  inline Value name(Builder& b, double x, Value y) {                                    \
    return b.emit(name##_op, {number(b, x, y), y});                                     \
  }
FUSEGRAD_EMIT2(add)
FUSEGRAD_EMIT2(subtract)
FUSEGRAD_EMIT2(multiply)
FUSEGRAD_EMIT2(divide)
FUSEGRAD_EMIT2(power)
FUSEGRAD_EMIT2(hypot)
FUSEGRAD_EMIT2(floor_divide)
FUSEGRAD_EMIT2(copysign)
FUSEGRAD_EMIT2(equal)
FUSEGRAD_EMIT2(less)
FUSEGRAD_EMIT2(less_equal)
FUSEGRAD_EMIT2(greater)
FUSEGRAD_EMIT2(greater_equal)
FUSEGRAD_EMIT2(logical_and)
FUSEGRAD_EMIT2(sigmoid_grad)
FUSEGRAD_EMIT2(tanh_grad)
FUSEGRAD_EMIT2(silu_grad)
FUSEGRAD_EMIT2(gelu_grad)
FUSEGRAD_EMIT2(erf_grad)
#undef FUSEGRAD_EMIT2

inline Value where(Builder& b, Value condition, Value x, Value y) {
  return b.emit(where_op, {condition, x, y});
}
inline Value where(Builder& b, Value condition, double x, Value y) {
  return b.emit(where_op, {condition, number(b, x, y), y});
}
inline Value where(Builder& b, Value condition, Value x, double y) {
  return b.emit(where_op, {condition, x, number(b, y, x)});
}

inline Value cast(Builder& b, Value x, DType dtype) {
  Attrs attrs;
  attrs.dtype = dtype;
  return b.emit(cast_op, {x}, attrs);
}

// x seen with another shape; x itself where it has that shape.
inline Value reshape(Builder& b, Value x, const Shape& shape) {
  if (b.meta(x).shape == shape) return x;
  Attrs attrs;
  attrs.shape = shape;
  return b.emit(reshape_op, {x}, attrs);
}

inline Value broadcast_to(Builder& b, Value x, const Shape& shape) {
  if (b.meta(x).shape == shape) return x;
  Attrs attrs;
  attrs.shape = shape;
  return b.emit(broadcast_to_op, {x}, attrs);
}

inline Value zeros(Builder& b, Value like) {
  return broadcast_to(b, number(b, 0.0, like), b.meta(like).shape);
}

// An op with the axes of `axes`, reduced axes kept at size 1.
inline Value kept(Builder& b, const OpDef& op, Value x, const Dims& axes) {
  Attrs attrs;
  attrs.axes = axes;
  attrs.keepdims = true;
  return b.emit(op, {x}, attrs);
}
inline Value sum(Builder& b, Value x, const Dims& axes, bool keepdims) {
  Attrs attrs;
  attrs.axes = axes;
  attrs.keepdims = keepdims;
  return b.emit(sum_op, {x}, attrs);
}

// x with size-1 axes put back where a reduction over `axes` of `full` removed them.
inline Value restore_axes(Builder& b, Value x, const Shape& full, const Dims& axes) {
  Shape shape = full;
  for (int64_t axis : axes) shape[static_cast<int>(axis)] = 1;
  return reshape(b, x, shape);
}
// x[..., None].
inline Value append_axis(Builder& b, Value x) {
  Shape shape = b.meta(x).shape;
  shape.push_back(1);
  return reshape(b, x, shape);
}

// x with axis `from` moved to place `to`.
inline Value move_axis(Builder& b, Value x, int from, int to) {
  if (from == to) return x;
  Attrs attrs;
  for (int i = 0; i < b.meta(x).shape.rank(); ++i) {
    if (i != from) attrs.axes.push_back(i);
  }
  attrs.axes.insert(to, from);
  return b.emit(transpose_op, {x}, attrs);
}

// x with its leading axes merged: a matrix with as many columns.
inline Value as_rows(Builder& b, Value x) {
  const Shape& shape = b.meta(x).shape;
  int64_t rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) rows = checked_mul(rows, shape[i]);
  return reshape(b, x, {rows, shape.back()});
}

inline Value along(Builder& b, const OpDef& op, Value x, int64_t axis) {
  Attrs attrs;
  attrs.axes = {axis};
  return b.emit(op, {x}, attrs);
}
inline Value along(Builder& b, const OpDef& op, Value x, Value y, int64_t axis) {
  Attrs attrs;
  attrs.axes = {axis};
  return b.emit(op, {x, y}, attrs);
}

// x with its last two axes exchanged.
inline Value matrix_transpose(Builder& b, Value x) {
  const int rank = b.meta(x).shape.rank();
  Attrs attrs;
  for (int i = 0; i + 2 < rank; ++i) attrs.axes.push_back(i);
  attrs.axes.push_back(rank - 1);
  attrs.axes.push_back(rank - 2);
  return b.emit(transpose_op, {x}, attrs);
}

// op(x) op(y) in the arithmetic of the product whose gradient it is part of.
inline Value matmul(Builder& b, Value x, Value y, bool transpose_a, bool transpose_b,
                    const Attrs& product) {
  Attrs attrs;
  attrs.bfloat16 = product.bfloat16;
  attrs.transpose_a = transpose_a;
  attrs.transpose_b = transpose_b;
  return b.emit(matmul_op, {x, y}, attrs);
}

// The ops that move elements along one axis; x has at least one element there.
inline Value slice(Builder& b, Value x, int axis, int64_t first, int64_t count, int64_t step = 1) {
  Attrs attrs;
  attrs.shape = b.meta(x).shape;
  attrs.shape[axis] = count;
  attrs.start.resize(attrs.shape.rank(), 0);
  attrs.start[axis] = first;
  attrs.step.resize(attrs.shape.rank(), 1);
  attrs.step[axis] = step;
  return b.emit(slice_op, {x}, attrs);
}
inline Value flip(Builder& b, Value x, int axis) {
  const int64_t count = b.meta(x).shape[axis];
  return count == 0 ? x : slice(b, x, axis, count - 1, count, -1);
}
// At each place the element before it; at the first, `first`.
inline Value before_each(Builder& b, Value x, double first, int axis) {
  Shape shape = b.meta(x).shape;
  if (shape[axis] == 0) return x;
  const Value rest = slice(b, x, axis, 0, shape[axis] - 1);
  shape[axis] = 1;
  const Value start = broadcast_to(b, number(b, first, x), shape);
  Attrs attrs;
  attrs.axes = {axis};
  return b.emit(concatenate_op, {start, rest}, attrs);
}

inline Value clip(Builder& b, Value x, double low, double high) {
  Attrs attrs;
  attrs.scalars[0] = low;
  attrs.scalars[1] = high;
  return b.emit(clip_op, {x}, attrs);
}
// dy where low <= x <= high, else 0: the gradient passes at the bounds.
inline Value clip_gradient(Builder& b, Value dy, Value x, double low, double high) {
  const Value inside = logical_and(b, greater_equal(b, x, low), less_equal(b, x, high));
  return where(b, inside, dy, 0.0);
}

}  // namespace fusegrad::emit
