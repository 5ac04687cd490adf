// Storage and arrays: alignment, ownership, texts, and copies between all layouts and types.
// copy_elements is compared with an element-by-element copy in the test.
// Conversions at the edges of types have their values written out.
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "fusegrad/array.h"
#include "fusegrad/error.h"
#include "fusegrad/random.h"

namespace fusegrad {
namespace {

double get(const View& view, int64_t offset) {
  switch (view.dtype) {
    case DType::float32: return static_cast<double>(view.as<float>()[offset]);
    case DType::float64: return view.as<double>()[offset];
    case DType::int32: return view.as<int32_t>()[offset];
    case DType::int64: return static_cast<double>(view.as<int64_t>()[offset]);
    case DType::uint8: return view.as<uint8_t>()[offset];
    case DType::boolean: return view.as<uint8_t>()[offset];
  }
  return 0;
}

void set(const View& view, int64_t offset, double value) {
  switch (view.dtype) {
    case DType::float32: view.as<float>()[offset] = static_cast<float>(value); break;
    case DType::float64: view.as<double>()[offset] = value; break;
    case DType::int32: view.as<int32_t>()[offset] = static_cast<int32_t>(value); break;
    case DType::int64: view.as<int64_t>()[offset] = static_cast<int64_t>(value); break;
    case DType::uint8: view.as<uint8_t>()[offset] = static_cast<uint8_t>(value); break;
    case DType::boolean: view.as<uint8_t>()[offset] = value != 0; break;
  }
}

// Calls visit(flat C index, offset in a, offset in b).
template <typename Visit>
void walk(const View& a, const View& b, const Visit& visit) {
  const int64_t count = a.size();
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, in_a = 0, in_b = 0;
    for (int axis = a.rank() - 1; axis >= 0; --axis) {
      in_a += rest % a.shape[axis] * a.strides[axis];
      in_b += rest % a.shape[axis] * b.strides[axis];
      rest /= a.shape[axis];
    }
    visit(i, in_a, in_b);
  }
}

// A view of `shape` into a larger array, with gaps, some axes swapped and some reversed.
struct Odd {
  Array base;
  View view;
};

Odd odd_view(DType dtype, const Shape& shape, uint64_t choice) {
  Shape padded = shape;
  for (int i = 0; i < padded.rank(); ++i) padded[i] = shape[i] + ((choice >> i) & 1 ? 3 : 0);
  Odd odd{Array(dtype, padded, (choice >> 8) & 1 ? f_strides(padded) : c_strides(padded)), View()};
  std::memset(odd.base.data(), 0, static_cast<size_t>(odd.base.size() * itemsize(dtype)));
  odd.view = odd.base.view();
  odd.view.shape = shape;
  for (int i = 0; i < shape.rank(); ++i) {
    if (((choice >> (4 + i)) & 1) == 0 || shape[i] == 0) continue;
    odd.view.data =
        static_cast<char*>(odd.view.data) + (shape[i] - 1) * odd.view.strides[i] * itemsize(dtype);
    odd.view.strides[i] = -odd.view.strides[i];
  }
  return odd;
}

template <typename To, typename From>
To converted(From value) {
  Array from = Array::scalar(value), to(DTypeOf<To>::value, Shape());
  copy_elements(to.view(), from.view());
  return *to.view().template as<To>();
}

}  // namespace

FUSEGRAD_TEST(storage_alignment_and_reuse) {
  for (int64_t bytes : {0, 1, 63, 64, 65, 4096, 65536, 1 << 20}) {
    std::vector<StoragePtr> held;
    for (int i = 0; i < 100; ++i) {
      held.emplace_back(Storage::allocate(bytes));
      CHECK_EQ(reinterpret_cast<uintptr_t>(held.back().get()->data()) % kAlignment, 0u);
      CHECK_EQ(held.back().get()->bytes(), bytes);
      std::memset(held.back().get()->data(), i, static_cast<size_t>(bytes));
    }
    for (int i = 0; bytes > 0 && i < 100; ++i) {
      const auto* data =
          static_cast<const unsigned char*>(held[static_cast<size_t>(i)].get()->data());
      CHECK(data[0] == i && data[bytes - 1] == i);
    }
  }
}

FUSEGRAD_TEST(storage_borrowed_is_released_once) {
  static int released;
  released = 0;
  int owner = 0;
  double data[4] = {};
  {
    StoragePtr first(Storage::borrow(data, sizeof data, &owner, [](void* p) {
      ++*static_cast<int*>(p);
      ++released;
    }));
    const StoragePtr second = first;
    first = StoragePtr();
    CHECK_EQ(released, 0);
    CHECK(second.get()->data() == data);
  }
  CHECK_EQ(released, 1);
  CHECK_EQ(owner, 1);
}

FUSEGRAD_TEST(storage_crosses_threads) {
  // Blocks made here are freed there and the other way round.
  std::vector<StoragePtr> blocks(2000);
  for (size_t i = 0; i < blocks.size(); i += 2) blocks[i] = StoragePtr(Storage::allocate(256));
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); i += 2) blocks[i] = StoragePtr();
    for (size_t i = 1; i < blocks.size(); i += 2) blocks[i] = StoragePtr(Storage::allocate(256));
  }).join();
}

FUSEGRAD_TEST(array_too_large) {
  CHECK_THROWS(Array(DType::float64, Shape{int64_t{1} << 57}), AllocationError,
               "Unable to allocate 1.00 EiB for an array with shape (144115188075855872,) and data "
               "type float64");
  CHECK_THROWS(Array(DType::float32, Shape{int64_t{1} << 40, int64_t{1} << 40}), AllocationError,
               "Unable to allocate 4194304 EiB for an array with shape (1099511627776, "
               "1099511627776) and data type float32");
}

FUSEGRAD_TEST(array_strides_are_checked) {
  CHECK_THROWS(Array(DType::float32, Shape{2, 3}, Strides{4, 1}), ArgumentError,
               "Array(): argument 'strides': expected a permutation of a contiguous layout of "
               "shape (2, 3), got (4, 1)");
  const Array array(DType::float32, Shape{2, 3}, Strides{1, 2});
  CHECK(array.view().f_contiguous());
}

FUSEGRAD_TEST(copy_all_types_and_layouts) {
  const Shape shapes[] = {{},        {7},          {3, 5}, {1, 6},  {2, 1, 4},
                          {3, 4, 5}, {2, 3, 2, 3}, {0, 3}, {70, 41}};
  for (const Shape& shape : shapes) {
    for (int to = 0; to < kNumDTypes; ++to) {
      for (int from = 0; from < kNumDTypes; ++from) {
        for (uint64_t choice = 0; choice < 512; choice += 37) {
          const Odd src = odd_view(static_cast<DType>(from), shape, choice);
          const Odd dst = odd_view(static_cast<DType>(to), shape, choice * 7 % 512);
          walk(src.view, src.view, [&](int64_t i, int64_t at, int64_t) {
            set(src.view, at, static_cast<double>(i % 120));
          });
          copy_elements(dst.view, src.view);
          bool same = true;
          walk(src.view, dst.view, [&](int64_t, int64_t a, int64_t b) {
            const double value = get(src.view, a);
            const bool truth = static_cast<DType>(to) == DType::boolean;
            same = same && get(dst.view, b) == (truth ? static_cast<double>(value != 0) : value);
          });
          CHECK(same);
          // Nothing beside the view was written.
          double inside = 0, all = 0;
          walk(dst.view, dst.view,
               [&](int64_t, int64_t b, int64_t) { inside += get(dst.view, b); });
          for (int64_t i = 0; i < dst.base.size(); ++i) all += get(dst.base.view(), i);
          CHECK_EQ(inside, all);
        }
      }
    }
  }
}

FUSEGRAD_TEST(copy_large_in_parallel) {
  const Array a(DType::float32, Shape{1100, 700});
  fill_uniform(a.view(), 1, 2, -1, 1);
  const Array transposed(DType::float32, Shape{1100, 700}, Strides{1, 1100});
  copy_elements(transposed.view(), a.view());
  const Array wide(DType::float64, Shape{1100, 700});
  copy_elements(wide.view(), transposed.view());
  bool same = true;
  for (int64_t i = 0; i < a.size(); ++i) {
    same = same && wide.view().as<double>()[i] == static_cast<double>(a.view().as<float>()[i]);
  }
  CHECK(same);
  const View line{a.data(), DType::float32, Shape{a.size()}, Strides{1}};
  const Array copy(DType::float32, line.shape);
  copy_elements(copy.view(), line);
  CHECK(std::memcmp(copy.data(), a.data(), static_cast<size_t>(a.size()) * 4) == 0);
}

FUSEGRAD_TEST(copy_broadcast_source) {
  const Array row = Array::scalar(3.0f);
  const View stretched{row.data(), DType::float32, Shape{4, 5}, Strides{0, 0}};
  const Array out(DType::int64, Shape{4, 5});
  copy_elements(out.view(), stretched);
  for (int64_t i = 0; i < 20; ++i) CHECK_EQ(out.view().as<int64_t>()[i], 3);
}

FUSEGRAD_TEST(copy_conversions) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_EQ((converted<int32_t>(-1.9)), -1);
  CHECK_EQ((converted<int32_t>(1.9f)), 1);
  CHECK_EQ((converted<int32_t>(2147483647.5)), INT32_MAX);
  CHECK_EQ((converted<int32_t>(2147483648.0)), INT32_MIN);
  CHECK_EQ((converted<int32_t>(2147483647.0f)), INT32_MIN);  // the float is 2^31
  CHECK_EQ((converted<int32_t>(-3e9)), INT32_MIN);
  CHECK_EQ((converted<int32_t>(nan)), INT32_MIN);
  CHECK_EQ((converted<int64_t>(inf)), INT64_MIN);
  CHECK_EQ((converted<int64_t>(-inf)), INT64_MIN);
  CHECK_EQ((converted<int64_t>(9007199254740993.0)), 9007199254740992);
  CHECK_EQ((converted<uint8_t>(255.9)), 255);
  CHECK_EQ((converted<uint8_t>(256.0)), 0);
  CHECK_EQ((converted<uint8_t>(-0.5f)), 0);
  CHECK_EQ((converted<uint8_t>(-7.0f)), 249);
  CHECK_EQ((converted<uint8_t>(nan)), 0);
  CHECK_EQ((converted<uint8_t>(int32_t{-1})), 255);
  CHECK_EQ((converted<int32_t>((int64_t{1} << 32) + 5)), 5);
  CHECK_EQ((converted<bool>(nan)), true);
  CHECK_EQ((converted<bool>(-0.0)), false);
  CHECK_EQ((converted<bool>(int64_t{1} << 40)), true);
  CHECK_EQ((converted<float>(int64_t{16777217})), 16777216.0f);
  CHECK_EQ((converted<float>(1e300)), std::numeric_limits<float>::infinity());
}

FUSEGRAD_TEST(array_contiguous) {
  const Array a(DType::float32, Shape{3, 4});
  fill_uniform(a.view(), 0, 0, 0, 1);
  CHECK(contiguous(a, DType::float32).data() == a.data());
  View flipped = a.view();
  flipped.shape = Shape{4, 3};
  flipped.strides = Strides{1, 4};
  const Array copy = contiguous(Array(a.storage(), flipped), DType::float32);
  CHECK(copy.data() != a.data());
  CHECK_EQ(copy.view().as<float>()[1], a.view().as<float>()[4]);
}

}  // namespace fusegrad
