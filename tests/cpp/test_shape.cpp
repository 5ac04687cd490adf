// Shape algebra against NumPy's rules, written out.
// Sizes at the edge of int64 raise instead of wrapping.
// Error texts are part of the contract.
#include <string>

#include "check.h"
#include "fusegrad/dtype.h"
#include "fusegrad/error.h"
#include "fusegrad/shape.h"

namespace fusegrad {

FUSEGRAD_TEST(shape_text) {
  CHECK_EQ(to_string(Shape{}), "()");
  CHECK_EQ(to_string(Shape{3}), "(3,)");
  CHECK_EQ(to_string(Shape{3, 4}), "(3, 4)");
}

FUSEGRAD_TEST(shape_size_is_checked) {
  CHECK_EQ(num_elements(Shape{}), 1);
  CHECK_EQ(num_elements(Shape{3, 4}), 12);
  CHECK_EQ(num_elements(Shape{int64_t{1} << 62, int64_t{1} << 62, 0}), 0);
  CHECK_THROWS(num_elements(Shape{int64_t{1} << 32, int64_t{1} << 31}), AllocationError,
               "Unable to allocate: the size exceeds what 64 bits can address");
  CHECK_EQ(num_elements(Shape{int64_t{1} << 31, int64_t{1} << 31}), int64_t{1} << 62);
  CHECK_THROWS(num_elements(Shape{2, -1}), ArgumentError,
               "shape(): argument 'shape': expected sizes of at least 0, got (2, -1)");
  CHECK_THROWS(checked_add(INT64_MAX, 1), AllocationError,
               "Unable to allocate: the size exceeds what 64 bits can address");
}

FUSEGRAD_TEST(shape_edits) {
  Dims dims{1, 2, 3};
  dims.insert(1, 9);
  CHECK_EQ(dims, (Dims{1, 9, 2, 3}));
  dims.erase(0);
  CHECK_EQ(dims, (Dims{9, 2, 3}));
  dims.resize(1);
  dims.resize(3, 7);
  CHECK_EQ(dims, (Dims{9, 7, 7}));
  dims.resize(kMaxRank);
  CHECK_THROWS(dims.push_back(1), ArgumentError,
               "shape(): argument 'shape': expected at most 8 dimensions, got 9");
}

FUSEGRAD_TEST(shape_strides) {
  CHECK_EQ(c_strides(Shape{2, 3, 4}), (Strides{12, 4, 1}));
  CHECK_EQ(f_strides(Shape{2, 3, 4}), (Strides{1, 2, 6}));
  CHECK(is_c_contiguous(Shape{2, 3}, Strides{3, 1}));
  CHECK(!is_c_contiguous(Shape{2, 3}, Strides{1, 2}));
  CHECK(is_f_contiguous(Shape{2, 3}, Strides{1, 2}));
  CHECK(is_c_contiguous(Shape{1, 3}, Strides{77, 1}));  // an axis of one element has no stride
  CHECK(is_c_contiguous(Shape{3, 1}, Strides{1, 77}));
  CHECK(is_f_contiguous(Shape{3, 1}, Strides{1, 77}));
  CHECK(is_c_contiguous(Shape{2, 0}, Strides{5, 5}));
  CHECK(is_c_contiguous(Shape{0, 2}, Strides{5, 5}));
  CHECK(!is_c_contiguous(Shape{3}, Strides{-1}));
  CHECK(!is_c_contiguous(Shape{3}, Strides{0}));
}

FUSEGRAD_TEST(shape_broadcast) {
  CHECK_EQ(broadcast_shapes("add", Shape{4, 1, 3}, Shape{5, 1}), (Shape{4, 5, 3}));
  CHECK_EQ(broadcast_shapes("add", Shape{}, Shape{2}), (Shape{2}));
  CHECK_EQ(broadcast_shapes("add", Shape{1}, Shape{0}), (Shape{0}));
  CHECK_THROWS(broadcast_shapes("add", Shape{3, 4}, Shape{5}), ArgumentError,
               "add(): argument 'operands': expected shapes that broadcast together, "
               "got (3, 4) and (5,)");
  CHECK(can_broadcast_to(Shape{1, 3}, Shape{2, 5, 3}));
  CHECK(!can_broadcast_to(Shape{2, 3}, Shape{3}));
  CHECK(!can_broadcast_to(Shape{2}, Shape{3}));
  CHECK_EQ(broadcast_strides(Shape{1, 3}, Strides{3, 1}, Shape{2, 5, 3}), (Strides{0, 0, 1}));
}

FUSEGRAD_TEST(shape_axis) {
  CHECK_EQ(normalize_axis("sum", -1, 3), 2);
  CHECK_EQ(normalize_axis("sum", 0, 3), 0);
  CHECK_THROWS(normalize_axis("sum", 3, 3), ArgumentError,
               "sum(): argument 'axis': expected an axis in [-3, 3), got 3");
}

FUSEGRAD_TEST(dtype_promotion) {
  // Pairs whose result is neither obvious nor the larger one.
  CHECK(promote(DType::float32, DType::int32) == DType::float64);
  CHECK(promote(DType::float32, DType::int64) == DType::float64);
  CHECK(promote(DType::float32, DType::uint8) == DType::float32);
  CHECK(promote(DType::boolean, DType::uint8) == DType::uint8);
  for (int a = 0; a < kNumDTypes; ++a) {
    for (int b = 0; b < kNumDTypes; ++b) {
      const DType x = static_cast<DType>(a), y = static_cast<DType>(b);
      CHECK(promote(x, y) == promote(y, x));
      CHECK(promote(x, promote(x, y)) == promote(x, y));
    }
  }
  CHECK_EQ(std::string(name(DType::boolean)), "bool");
}

}  // namespace fusegrad
