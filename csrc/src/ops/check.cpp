// Checks that the shape rules share.
//
// Messages name the op, the argument, what was expected and what was got.
#include "ops/check.h"

namespace fusegrad {

std::string describe(const Meta& meta) {
  return std::string(name(meta.dtype)) + " array of shape " + to_string(meta.shape);
}

void fail(const char* op, const char* argument, std::string expected, std::string got) {
  throw ArgumentError(std::string(op) + "()", argument, std::move(expected), std::move(got));
}

void fail(const InferContext& c, int input, const char* argument, std::string expected) {
  fail(c.op, argument, std::move(expected), describe(c.inputs[input]));
}

void require_float(const InferContext& c, int input, const char* argument) {
  if (!is_floating(c.inputs[input].dtype)) fail(c, input, argument, "dtype float32 or float64");
}

void require_number(const InferContext& c, int input, const char* argument) {
  if (!is_number(c.inputs[input].dtype)) {
    fail(c, input, argument, "dtype float32, float64, int32 or int64");
  }
}

void require_index(const InferContext& c, int input, const char* argument) {
  if (!is_index(c.inputs[input].dtype)) fail(c, input, argument, "dtype int32, int64 or uint8");
}

void require_dtype(const InferContext& c, int input, const char* argument, DType dtype) {
  if (c.inputs[input].dtype != dtype) {
    fail(c, input, argument, std::string("dtype ") + name(dtype));
  }
}

void require_same_shape(const InferContext& c, int input, const char* argument,
                        const Shape& shape) {
  if (c.inputs[input].shape != shape) fail(c, input, argument, "shape " + to_string(shape));
}

void require_rank(const InferContext& c, int input, const char* argument, int least) {
  if (c.inputs[input].shape.rank() < least) {
    fail(c, input, argument,
         "at least " + std::to_string(least) + (least == 1 ? " dimension" : " dimensions"));
  }
}

void require_scalar(const InferContext& c, int input, const char* argument) {
  require_float(c, input, argument);
  if (c.inputs[input].shape.rank() != 0) fail(c, input, argument, "a scalar of shape ()");
}

Shape broadcast(const InferContext& c, const Shape& a, const Shape& b) {
  if (a == b || b.rank() == 0) return a;
  if (a.rank() == 0) return b;
  return broadcast_shapes((std::string(c.op) + "()").c_str(), a, b);
}

int normalize_single_axis(InferContext& c, int rank) {
  Dims& axes = c.attrs->axes;
  if (axes.rank() != 1) fail(c.op, "axis", "one axis", to_string(axes));
  if (axes[0] < 0 || axes[0] >= rank) {
    axes[0] = normalize_axis((std::string(c.op) + "()").c_str(), axes[0], rank);
  }
  return static_cast<int>(axes[0]);
}

void normalize_reduced_axes(InferContext& c, int rank) {
  bool reduced[kMaxRank] = {};
  const Dims& given = c.attrs->axes;
  if (c.attrs->all_axes) {
    for (int i = 0; i < rank; ++i) reduced[i] = true;
  } else {
    for (int64_t axis : given) {
      const int i = axis >= 0 && axis < rank
                        ? static_cast<int>(axis)
                        : normalize_axis((std::string(c.op) + "()").c_str(), axis, rank);
      if (reduced[i]) fail(c.op, "axis", "distinct axes", to_string(given));
      reduced[i] = true;
    }
  }
  Dims axes;
  for (int i = 0; i < rank; ++i) {
    if (reduced[i]) axes.push_back(i);
  }
  c.attrs->axes = axes;
  c.attrs->all_axes = false;
}

Shape reduced_shape(const Shape& shape, const Dims& axes, bool keepdims) {
  Shape result;
  for (int i = 0; i < shape.rank(); ++i) {
    if (!contains(axes, i)) {
      result.push_back(shape[i]);
    } else if (keepdims) {
      result.push_back(1);
    }
  }
  return result;
}

int64_t reduced_count(const Shape& shape, const Dims& axes) {
  int64_t count = 1;
  for (int64_t axis : axes) count = checked_mul(count, shape[static_cast<int>(axis)]);
  return count;
}

}  // namespace fusegrad
