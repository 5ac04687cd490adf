// View: where elements lie. Array: a View that keeps its storage alive.
//
// Copying an Array shares the elements; strides count elements; any strides are allowed, also 0 and
// negative ones.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"
#include "fusegrad/dtype.h"
#include "fusegrad/shape.h"
#include "fusegrad/storage.h"

namespace fusegrad {

struct Meta {
  DType dtype = DType::float32;
  Shape shape;

  bool operator==(const Meta& other) const { return dtype == other.dtype && shape == other.shape; }
  bool operator!=(const Meta& other) const { return !(*this == other); }
};

struct View {
  void* data = nullptr;
  DType dtype = DType::float32;
  Shape shape;
  Strides strides;

  int rank() const { return shape.rank(); }
  int64_t size() const {  // the shape of a view has been checked: no product overflows
    int64_t count = 1;
    for (const int64_t extent : shape) count = wrapping_mul(count, extent);
    return count;
  }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  bool c_contiguous() const { return is_c_contiguous(shape, strides); }
  bool f_contiguous() const { return is_f_contiguous(shape, strides); }
};

class FUSEGRAD_API Array {
 public:
  Array() = default;
  // Uninitialised, C order.
  Array(DType dtype, const Shape& shape) { allocate(dtype, shape); }
  // Uninitialised, with the given strides over a fresh block (strides must be a permutation of a
  // contiguous layout).
  Array(DType dtype, const Shape& shape, const Strides& strides);
  // A view of `storage`.
  Array(StoragePtr storage, const View& view) : storage_(std::move(storage)), view_(view) {}

  template <typename T>
  static Array scalar(T value) {
    Array result(DTypeOf<T>::value, Shape());
    *result.view_.template as<T>() = value;
    return result;
  }

  // Becomes Array(dtype, shape).
  void allocate(DType dtype, const Shape& shape);

  const View& view() const { return view_; }
  const StoragePtr& storage() const { return storage_; }
  DType dtype() const { return view_.dtype; }
  const Shape& shape() const { return view_.shape; }
  const Strides& strides() const { return view_.strides; }
  int rank() const { return view_.shape.rank(); }
  int64_t size() const { return view_.size(); }
  void* data() const { return view_.data; }
  Meta meta() const { return {view_.dtype, view_.shape}; }
  bool defined() const { return static_cast<bool>(storage_); }

 private:
  StoragePtr storage_;
  View view_;
};

// dst[...] = src[...], converting the type; shapes must be equal. Regions must not overlap.
FUSEGRAD_API void copy_elements(const View& dst, const View& src);
// A fresh C-ordered array with the elements of `array` as `dtype`; `array` itself where it already
// is.
FUSEGRAD_API Array contiguous(const Array& array, DType dtype);
// Whether two views may reach a common byte, by their extents.
FUSEGRAD_API bool may_overlap(const View& a, const View& b);
// The place in C order of the first NaN or infinity; -1 where there is none, or for integers.
FUSEGRAD_API int64_t first_nonfinite(const Array& array);
// Whether all elements, which lie in C order, are at least `low` and at most `high`; NaN is not,
// nor is infinity, whatever the bounds.
FUSEGRAD_API bool all_within(const View& view, double low, double high);

}  // namespace fusegrad
