// Shape algebra: sizes, strides, contiguity and broadcasting.
// Everything is O(rank) on inline storage; nothing here allocates but the texts of errors.
#include "fusegrad/shape.h"

#include "fusegrad/error.h"

namespace fusegrad {

void Dims::refuse_rank(int rank) {
  throw ArgumentError("shape", "shape", "at most " + std::to_string(kMaxRank) + " dimensions",
                      std::to_string(rank));
}

void Dims::resize(int rank, int64_t fill) {
  if (rank < 0 || rank > kMaxRank) refuse_rank(rank);
  // Slots past the rank stay zero, so that equal lists have equal bytes.
  for (int i = 0; i < kMaxRank; ++i) {
    if (i >= rank) {
      values_[i] = 0;
    } else if (i >= rank_) {
      values_[i] = fill;
    }
  }
  rank_ = rank;
}

void Dims::insert(int position, int64_t value) {
  if (rank_ == kMaxRank) refuse_rank(rank_ + 1);
  for (int i = rank_; i > position; --i) values_[i] = values_[i - 1];
  values_[position] = value;
  ++rank_;
}

void Dims::erase(int position) {
  for (int i = position; i + 1 < rank_; ++i) values_[i] = values_[i + 1];
  values_[--rank_] = 0;
}

int64_t num_elements(const Shape& shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 0) throw ArgumentError("shape", "shape", "sizes of at least 0", to_string(shape));
    if (size == 0) count = 0;
  }
  if (count == 0) return 0;
  for (int64_t size : shape) count = checked_mul(count, size);
  return count;
}

std::string to_string(const Dims& dims) {
  std::string text = "(";
  for (int i = 0; i < dims.rank(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(dims[i]);
  }
  return text + (dims.rank() == 1 ? ",)" : ")");
}

Strides c_strides(const Shape& shape) {
  // A copy of a constant is read again at once, unlike numbers that were written one by one.
  static const Strides kVector{1};
  if (shape.rank() == 1) return kVector;
  Strides strides;
  strides.resize(shape.rank());
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step = wrapping_mul(step, shape[i] > 1 ? shape[i] : 1);
  }
  return strides;
}

Strides f_strides(const Shape& shape) {
  Strides strides;
  strides.resize(shape.rank());
  int64_t step = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    strides[i] = step;
    step = wrapping_mul(step, shape[i] > 1 ? shape[i] : 1);
  }
  return strides;
}

Shape broadcast_shapes(const char* where, const Shape& a, const Shape& b) {
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int offset = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    const int64_t x = longer[offset + i], y = shorter[i];
    if (x == y || y == 1) continue;
    if (x != 1) {
      throw ArgumentError(where, "operands", "shapes that broadcast together",
                          to_string(a) + " and " + to_string(b));
    }
    result[offset + i] = y;
  }
  return result;
}

bool can_broadcast_to(const Shape& from, const Shape& to) {
  const int offset = to.rank() - from.rank();
  if (offset < 0) return false;
  for (int i = 0; i < from.rank(); ++i) {
    if (from[i] != to[offset + i] && from[i] != 1) return false;
  }
  return true;
}

Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& to) {
  Strides result;
  result.resize(to.rank());
  const int offset = to.rank() - shape.rank();
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == to[offset + i]) result[offset + i] = strides[i];
  }
  return result;
}

int normalize_axis(const char* where, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    const std::string expected =
        rank == 0 ? "no axis for an array of 0 dimensions"
                  : "an axis in [" + std::to_string(-rank) + ", " + std::to_string(rank) + ")";
    throw ArgumentError(where, "axis", expected, std::to_string(axis));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace fusegrad
