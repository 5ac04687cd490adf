// Checks that the shape rules share, and the errors they raise.
//
// The failing side is out of line, so that a check that passes costs a compare.
#pragma once

#include <string>

#include "fusegrad/error.h"
#include "fusegrad/op.h"

namespace fusegrad {

// "float32 array of shape (3, 4)".
std::string describe(const Meta& meta);

// Raises ArgumentError for `argument` of `op`.
[[noreturn]] void fail(const char* op, const char* argument, std::string expected, std::string got);
[[noreturn]] void fail(const InferContext& c, int input, const char* argument,
                       std::string expected);

inline bool is_number(DType dtype) { return dtype != DType::uint8 && dtype != DType::boolean; }

inline bool is_index(DType dtype) {
  return dtype == DType::int32 || dtype == DType::int64 || dtype == DType::uint8;
}

// float32 or float64.
void require_float(const InferContext& c, int input, const char* argument);
// float32, float64, int32 or int64.
void require_number(const InferContext& c, int input, const char* argument);
// int32, int64 or uint8.
void require_index(const InferContext& c, int input, const char* argument);
void require_dtype(const InferContext& c, int input, const char* argument, DType dtype);
void require_same_shape(const InferContext& c, int input, const char* argument, const Shape& shape);
void require_rank(const InferContext& c, int input, const char* argument, int least);
// A 0-d float of either type.
void require_scalar(const InferContext& c, int input, const char* argument);

// Broadcast of two shapes; the common case of equal shapes costs one comparison.
Shape broadcast(const InferContext& c, const Shape& a, const Shape& b);

// attrs.axes = {axis}: checked and counted from the front.
int normalize_single_axis(InferContext& c, int rank);
// attrs.axes or all_axes: distinct axes in ascending order, all_axes false.
void normalize_reduced_axes(InferContext& c, int rank);
// The shape after reducing `axes` (normalised) of `shape`.
Shape reduced_shape(const Shape& shape, const Dims& axes, bool keepdims);
int64_t reduced_count(const Shape& shape, const Dims& axes);
inline bool contains(const Dims& axes, int axis) {
  for (int64_t a : axes) {
    if (a == axis) return true;
  }
  return false;
}

}  // namespace fusegrad
