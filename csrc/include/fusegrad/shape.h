// Shapes and strides: up to eight dimensions, stored inline, with checked size arithmetic.
//
// Strides count elements, not bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "fusegrad/api.h"

namespace fusegrad {

constexpr int kMaxRank = 8;

// A short list of at most kMaxRank int64: a shape, strides, starts of a slice.
class FUSEGRAD_API Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<int64_t> values) {
    for (int64_t v : values) push_back(v);
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return values_[i]; }
  int64_t& operator[](int i) { return values_[i]; }
  const int64_t* begin() const { return values_; }
  const int64_t* end() const { return values_ + rank_; }
  int64_t back() const { return values_[rank_ - 1]; }
  void resize(int rank, int64_t fill = 0);  // raises ArgumentError past kMaxRank
  void push_back(int64_t value) {
    if (rank_ == kMaxRank) resize(kMaxRank + 1);  // raises
    values_[rank_++] = value;
  }
  void insert(int position, int64_t value);
  void erase(int position);

  bool operator==(const Dims& other) const {
    if (rank_ != other.rank_) return false;
    for (int i = 0; i < rank_; ++i) {
      if (values_[i] != other.values_[i]) return false;
    }
    return true;
  }
  bool operator!=(const Dims& other) const { return !(*this == other); }

 private:
  int rank_ = 0;
  int64_t values_[kMaxRank] = {};
};

using Shape = Dims;
using Strides = Dims;

FUSEGRAD_API int64_t num_elements(const Shape& shape);  // checked product; 1 for rank 0
FUSEGRAD_API std::string to_string(const Dims& dims);   // "(3, 4)", "(3,)", "()"

FUSEGRAD_API Strides c_strides(const Shape& shape);  // last axis contiguous
FUSEGRAD_API Strides f_strides(const Shape& shape);  // first axis contiguous
FUSEGRAD_API bool is_c_contiguous(const Shape& shape, const Strides& strides);
FUSEGRAD_API bool is_f_contiguous(const Shape& shape, const Strides& strides);

// The common shape of a and b by NumPy's broadcasting; raises ArgumentError(where, ...) if none.
FUSEGRAD_API Shape broadcast_shapes(const char* where, const Shape& a, const Shape& b);
FUSEGRAD_API bool can_broadcast_to(const Shape& from, const Shape& to);
// Strides of an array of `shape`, `strides` seen with shape `to`: 0 along stretched axes.
FUSEGRAD_API Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& to);

// `axis` counted from the end when negative; raises ArgumentError(where, "axis", ...) out of range.
FUSEGRAD_API int normalize_axis(const char* where, int64_t axis, int rank);

}  // namespace fusegrad
