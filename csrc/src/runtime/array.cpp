// Arrays, and the one routine that copies elements between any two layouts and types.
// Conversions are those of convert.h.
#include "fusegrad/array.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <type_traits>

#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/parallel.h"
#include "kernels/kernels.h"
#include "runtime/convert.h"
#include "runtime/cost.h"
#include "runtime/storage.h"

namespace fusegrad {
namespace {

// A copy reduced to as few axes as its strides allow, outermost first in the destination.
struct Plan {
  int rank = 0;
  int64_t size[kMaxRank], dst[kMaxRank], src[kMaxRank];
};

int64_t magnitude(int64_t stride) { return stride < 0 ? -stride : stride; }

Plan make_plan(const View& dst, const View& src) {
  Plan plan;
  for (int axis = 0; axis < dst.rank(); ++axis) {
    if (dst.shape[axis] == 1) continue;
    int place = plan.rank++;
    for (; place > 0 && magnitude(plan.dst[place - 1]) < magnitude(dst.strides[axis]); --place) {
      plan.size[place] = plan.size[place - 1];
      plan.dst[place] = plan.dst[place - 1];
      plan.src[place] = plan.src[place - 1];
    }
    plan.size[place] = dst.shape[axis];
    plan.dst[place] = dst.strides[axis];
    plan.src[place] = src.strides[axis];
  }
  int kept = 0;
  for (int axis = 1; axis < plan.rank; ++axis) {
    if (plan.dst[kept] == plan.dst[axis] * plan.size[axis] &&
        plan.src[kept] == plan.src[axis] * plan.size[axis]) {
      plan.size[kept] *= plan.size[axis];
    } else {
      plan.size[++kept] = plan.size[axis];
    }
    plan.dst[kept] = plan.dst[axis];
    plan.src[kept] = plan.src[axis];
  }
  plan.rank = plan.rank == 0 ? 0 : kept + 1;
  for (; plan.rank < 2; ++plan.rank) {  // at least two axes, so that one loop serves all
    for (int axis = plan.rank; axis > 0; --axis) {
      plan.size[axis] = plan.size[axis - 1];
      plan.dst[axis] = plan.dst[axis - 1];
      plan.src[axis] = plan.src[axis - 1];
    }
    plan.size[0] = 1;
    plan.dst[0] = plan.src[0] = 0;
  }
  return plan;
}

template <typename To, typename From>
void copy_line(To* dst, int64_t dst_stride, const From* src, int64_t src_stride, int64_t n) {
  if (dst_stride == 1 && src_stride == 1) {
    if constexpr (std::is_same_v<To, From>) {
      std::memcpy(dst, src, static_cast<size_t>(n) * sizeof(To));
    } else if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double>) {
      kernels().f32_from_f64(dst, 1, src, 1, n);
    } else if constexpr (std::is_same_v<To, double> && std::is_same_v<From, float>) {
      kernels().f64_from_f32(dst, 1, src, 1, n);
    } else {
      for (int64_t i = 0; i < n; ++i) dst[i] = convert<To>(src[i]);
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) dst[i * dst_stride] = convert<To>(src[i * src_stride]);
}

// A two-dimensional copy whose source runs down the columns: in tiles, so that each cache line of
// either side is met while it is near.
template <typename To, typename From>
void copy_tiles(To* dst, int64_t dst_rows, int64_t dst_cols, const From* src, int64_t src_rows,
                int64_t src_cols, int64_t rows, int64_t cols) {
  constexpr int64_t kTile = 32;
  for (int64_t r = 0; r < rows; r += kTile) {
    const int64_t r_end = r + kTile < rows ? r + kTile : rows;
    for (int64_t c = 0; c < cols; c += kTile) {
      const int64_t c_end = c + kTile < cols ? c + kTile : cols;
      for (int64_t i = r; i < r_end; ++i) {
        for (int64_t j = c; j < c_end; ++j) {
          dst[i * dst_rows + j * dst_cols] = convert<To>(src[i * src_rows + j * src_cols]);
        }
      }
    }
  }
}

// The two innermost axes.
template <typename To, typename From>
void copy_plane(To* dst, int64_t dst_rows, int64_t dst_cols, const From* src, int64_t src_rows,
                int64_t src_cols, int64_t rows, int64_t cols) {
  if (rows > 1 && cols > 1 && magnitude(src_rows) < magnitude(src_cols) && src_rows != 0) {
    if (dst_cols == 1 && src_rows == 1) {
      // The kernel counts the rows and columns of its source.
      if constexpr (std::is_same_v<To, float> && std::is_same_v<From, float>) {
        return kernels().transpose_f32(dst, dst_rows, src, src_cols, cols, rows);
      } else if constexpr (std::is_same_v<To, double> && std::is_same_v<From, double>) {
        return kernels().transpose_f64(dst, dst_rows, src, src_cols, cols, rows);
      }
    }
    copy_tiles(dst, dst_rows, dst_cols, src, src_rows, src_cols, rows, cols);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    copy_line(dst + i * dst_rows, dst_cols, src + i * src_rows, src_cols, cols);
  }
}

// Planes [begin, end) of the outer axes, or, where the plan is one plane, its rows [begin, end).
template <typename To, typename From>
void copy_range(const Plan& plan, To* dst, const From* src, int64_t begin, int64_t end) {
  const int rows = plan.rank - 2, cols = plan.rank - 1;
  if (rows == 0) {
    copy_plane(dst + begin * plan.dst[rows], plan.dst[rows], plan.dst[cols],
               src + begin * plan.src[rows], plan.src[rows], plan.src[cols], end - begin,
               plan.size[cols]);
    return;
  }
  for (int64_t plane = begin; plane < end; ++plane) {
    int64_t rest = plane, to = 0, from = 0;
    for (int axis = rows - 1; axis >= 0; --axis) {
      const int64_t index = rest % plan.size[axis];
      rest /= plan.size[axis];
      to += index * plan.dst[axis];
      from += index * plan.src[axis];
    }
    copy_plane(dst + to, plan.dst[rows], plan.dst[cols], src + from, plan.src[rows], plan.src[cols],
               plan.size[rows], plan.size[cols]);
  }
}

constexpr int64_t kElementsPerThread = kCheapGrain;

template <typename To, typename From>
void copy_typed(const View& dst, const View& src) {
  Plan plan = make_plan(dst, src);
  if (plan.rank == 2 && plan.size[0] == 1) {  // a line: cut it where threads may share it
    constexpr int64_t kCut = 1 << 12;
    if (plan.size[1] >= 2 * kElementsPerThread) {
      const int64_t whole = plan.size[1] / kCut * kCut;
      copy_line(dst.as<To>() + whole * plan.dst[1], plan.dst[1],
                src.as<From>() + whole * plan.src[1], plan.src[1], plan.size[1] - whole);
      plan.size[0] = whole / kCut;
      plan.size[1] = kCut;
      plan.dst[0] = kCut * plan.dst[1];
      plan.src[0] = kCut * plan.src[1];
    }
  }
  int64_t outer = 1, per_item = plan.size[plan.rank - 1];
  if (plan.rank == 2) {
    outer = plan.size[0];
  } else {
    for (int axis = 0; axis < plan.rank - 2; ++axis) outer *= plan.size[axis];
    per_item *= plan.size[plan.rank - 2];
  }
  const int64_t grain = (kElementsPerThread + per_item - 1) / per_item;
  parallel_for(outer, grain, [&](int64_t begin, int64_t end) {
    copy_range(plan, dst.as<To>(), src.as<From>(), begin, end);
  });
}

template <typename To>
void copy_from(const View& dst, const View& src) {
  switch (src.dtype) {
    case DType::float32: return copy_typed<To, float>(dst, src);
    case DType::float64: return copy_typed<To, double>(dst, src);
    case DType::int32: return copy_typed<To, int32_t>(dst, src);
    case DType::int64: return copy_typed<To, int64_t>(dst, src);
    case DType::uint8: return copy_typed<To, uint8_t>(dst, src);
    case DType::boolean: return copy_typed<To, Bool>(dst, src);
  }
}

StoragePtr allocate_for(DType dtype, const Shape& shape) {
  int64_t bytes = -1;
  try {
    bytes = checked_mul(num_elements(shape), itemsize(dtype));
    return StoragePtr(Storage::allocate(bytes));
  } catch (const AllocationError&) {
    double size = static_cast<double>(itemsize(dtype));
    for (int64_t length : shape) size *= static_cast<double>(length);
    throw AllocationError(allocation_failure(size) + " for an array with shape " +
                          to_string(shape) + " and data type " + name(dtype));
  }
}

}  // namespace

void Array::allocate(DType dtype, const Shape& shape) {
  storage_ = allocate_for(dtype, shape);
  view_.data = storage_.get()->data();
  view_.dtype = dtype;
  view_.shape = shape;
  view_.strides = c_strides(shape);
}

Array::Array(DType dtype, const Shape& shape, const Strides& strides) {
  // Strides that permute a contiguous layout are not negative and reach exactly the last element.
  const int64_t count = num_elements(shape);
  bool fits = strides.rank() == shape.rank();
  int64_t last = 0;
  for (int i = 0; fits && count > 0 && i < shape.rank(); ++i) {
    int64_t reach;
    fits = strides[i] >= 0 && !__builtin_mul_overflow(strides[i], shape[i] - 1, &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (!fits || (count > 0 && last != count - 1)) {
    throw ArgumentError("Array", "strides",
                        "a permutation of a contiguous layout of shape " + to_string(shape),
                        to_string(strides));
  }
  storage_ = allocate_for(dtype, shape);
  view_ = View{storage_.get()->data(), dtype, shape, strides};
}

void copy_elements(const View& dst, const View& src) {
  if (dst.shape != src.shape) {
    throw ArgumentError("copy_elements", "src", "shape " + to_string(dst.shape),
                        to_string(src.shape));
  }
  const int64_t count = dst.size();
  if (count == 0) return;
  // Narrowing rounds; the threads of the pool round by the contract, so this one must too.
  const FloatEnvironment environment;
  switch (dst.dtype) {
    case DType::float32: return copy_from<float>(dst, src);
    case DType::float64: return copy_from<double>(dst, src);
    case DType::int32: return copy_from<int32_t>(dst, src);
    case DType::int64: return copy_from<int64_t>(dst, src);
    case DType::uint8: return copy_from<uint8_t>(dst, src);
    case DType::boolean: return copy_from<Bool>(dst, src);
  }
}

bool may_overlap(const View& a, const View& b) {
  uintptr_t low[2], high[2];
  const View* views[2] = {&a, &b};
  for (int i = 0; i < 2; ++i) {
    const View& view = *views[i];
    if (view.size() == 0) return false;
    int64_t below = 0, above = 1;
    for (int axis = 0; axis < view.rank(); ++axis) {
      const int64_t reach = (view.shape[axis] - 1) * view.strides[axis];
      (reach < 0 ? below : above) += reach;
    }
    const uintptr_t base = reinterpret_cast<uintptr_t>(view.data);
    low[i] = base - static_cast<uintptr_t>(-below * itemsize(view.dtype));
    high[i] = base + static_cast<uintptr_t>(above * itemsize(view.dtype));
  }
  return low[0] < high[1] && low[1] < high[0];
}

Array contiguous(const Array& array, DType dtype) {
  if (array.dtype() == dtype && array.view().c_contiguous()) return array;
  Array result(dtype, array.shape());
  copy_elements(result.view(), array.view());
  return result;
}

namespace {

template <typename T>
int64_t first_nonfinite_of(const T* x, int64_t n, int64_t (*search)(const T* x, int64_t n)) {
  // Reading memory is what takes the time, and one core does not use all of its bandwidth.
  constexpr int64_t kGrain = 1 << 16;
  std::atomic<int64_t> first{n};
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && i < first.load(std::memory_order_relaxed); i += kGrain) {
      const int64_t found = search(x + i, std::min(kGrain, end - i));
      if (found < 0) continue;
      int64_t best = first.load(std::memory_order_relaxed);
      while (i + found < best && !first.compare_exchange_weak(best, i + found)) {
      }
      return;
    }
  });
  return first.load() < n ? first.load() : -1;
}

}  // namespace

int64_t first_nonfinite(const Array& array) {
  if (!is_floating(array.dtype())) return -1;
  const Array dense = contiguous(array, array.dtype());
  if (array.dtype() == DType::float32) {
    return first_nonfinite_of(dense.view().as<const float>(), dense.size(),
                              kernels().all_finite_f32);
  }
  return first_nonfinite_of(dense.view().as<const double>(), dense.size(),
                            kernels().all_finite_f64);
}

namespace {

// Bound is wide enough for T: then one loop without branches serves.
template <typename T, typename Bound>
bool all_within(const View& view, Bound low, Bound high) {
  const T* x = view.as<const T>();
  const int64_t count = view.size();
  bool within = true;
  for (int64_t i = 0; i < count; ++i) {
    within &= (static_cast<Bound>(x[i]) >= low) & (static_cast<Bound>(x[i]) <= high);
  }
  return within;
}

}  // namespace

bool all_within(const View& view, double low, double high) {
  constexpr double kLargestInteger = 9007199254740992.0;  // of those that double holds
  const double largest = view.dtype == DType::float32 ? std::numeric_limits<float>::max()
                                                      : std::numeric_limits<double>::max();
  low = std::max(low, -largest);
  high = std::min(high, largest);
  const auto least = static_cast<int64_t>(std::max(low, -kLargestInteger));
  const auto most = static_cast<int64_t>(std::min(high, kLargestInteger));
  const bool any_finite = low == -largest && high == largest;
  switch (view.dtype) {
    case DType::float32:
      if (any_finite) return kernels().all_finite_f32(view.as<const float>(), view.size()) < 0;
      return all_within<float>(view, static_cast<float>(low), static_cast<float>(high));
    case DType::float64:
      if (any_finite) return kernels().all_finite_f64(view.as<const double>(), view.size()) < 0;
      return all_within<double>(view, low, high);
    case DType::int64: return all_within<int64_t>(view, least, most);
    case DType::int32: return all_within<int32_t>(view, least, most);
    case DType::uint8: return all_within<uint8_t>(view, least, most);
    case DType::boolean: break;
  }
  return false;
}

}  // namespace fusegrad
