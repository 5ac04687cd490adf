// Batch gather: one loop over rows, instantiated for each pair of types.
//
// A row that lies contiguously goes through the vector kernels; a row of one element (a label) goes
// through a plain indexed loop; any other layout is walked element by element. While a row is
// copied the next ones are fetched, since shuffled rows are far apart in memory; whole batches for
// which there is a kernel are fetched by the products of the batch before.
#include "train/gather.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "fusegrad/error.h"
#include "fusegrad/parallel.h"
#include "kernels/kernels.h"
#include "runtime/convert.h"
#include "runtime/cost.h"

namespace fusegrad {
namespace {

template <typename T>
inline T affine(T value, T scale, T offset) {
  const T product = value * scale;
  return product + offset;
}

// A contiguous row for which there is no kernel of its own.
template <typename To, typename From>
void convert_row(To* y, const From* x, int64_t n, const Gather::Job& job) {
  constexpr bool to_f32 = std::is_same_v<To, float>, to_f64 = std::is_same_v<To, double>;
  if constexpr (to_f64 && std::is_same_v<From, uint8_t>) {
    kernels().f64_from_u8(y, x, n, job.scale, job.offset);
    return;
  } else if constexpr (to_f32 && std::is_same_v<From, double>) {
    kernels().f32_from_f64(y, 1, x, 1, n);
  } else if constexpr (to_f64 && std::is_same_v<From, float>) {
    kernels().f64_from_f32(y, 1, x, 1, n);
  } else if constexpr (std::is_same_v<To, From>) {
    if (!job.affine) {
      std::memcpy(y, x, static_cast<size_t>(n) * sizeof(To));
      return;
    }
    if constexpr (to_f32) kernels().affine_f32(y, x, n, job.scale, job.offset);
    if constexpr (to_f64) kernels().affine_f64(y, x, n, job.scale, job.offset);
    return;
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = convert<To>(x[i]);
  }
  if constexpr (std::is_floating_point_v<To>) {
    if (!job.affine) return;
    if constexpr (to_f32) kernels().affine_f32(y, y, n, job.scale, job.offset);
    if constexpr (to_f64) kernels().affine_f64(y, y, n, job.scale, job.offset);
  }
}

// The types for which there are kernels that gather whole batches.
constexpr bool has_kernel(DType to, DType from) {
  return is_floating(to) && (to == from || (to == DType::float32 && from == DType::uint8));
}

template <typename To, typename From>
void gather_by_kernel(const Gather::Job& job, int64_t begin, int64_t end) {
  constexpr bool bytes = std::is_same_v<To, float> && std::is_same_v<From, uint8_t>;
  constexpr bool plain = std::is_same_v<To, From> && std::is_floating_point_v<To>;
  if constexpr (bytes || plain) {
    const From* data = static_cast<const From*>(job.data);
    if (job.rows == nullptr) data += job.first * job.row_stride;
    const GatherRows batch{job.rows, begin, end, job.count, job.layout->elements, job.row_stride};
    To* const y = static_cast<To*>(job.buffer);
    To* const yt = static_cast<To*>(job.transposed);
    if constexpr (bytes) {
      kernels().gather_f32_u8(y, yt, data, batch, job.scale, job.offset);
    } else if constexpr (std::is_same_v<To, float>) {
      kernels().gather_f32(y, yt, data, batch);
    } else {
      kernels().gather_f64(y, yt, data, batch);
    }
  }
}

template <typename To, typename From>
inline To convert_one(From x, const Gather::Job& job) {
  const To value = convert<To>(x);
  if constexpr (std::is_floating_point_v<To>) {
    if (job.affine) {
      return affine(value, static_cast<To>(job.scale), static_cast<To>(job.offset));
    }
  }
  return value;
}

// Any layout: the last axis in a loop, the others counted up.
template <typename To, typename From>
void walk_row(To* y, const From* x, const Gather::Job& job) {
  const Gather::Layout& layout = *job.layout;
  const int last = layout.rank - 1;
  const int64_t n = layout.size[last], stride = layout.stride[last];
  int64_t place[kMaxRank] = {};
  for (int64_t done = 0; done < layout.elements; done += n) {
    for (int64_t i = 0; i < n; ++i) y[done + i] = convert_one<To>(x[i * stride], job);
    for (int axis = last - 1; axis >= 0; --axis) {
      x += layout.stride[axis];
      if (++place[axis] < layout.size[axis]) break;
      x -= place[axis] * layout.stride[axis];
      place[axis] = 0;
    }
  }
}

// Asks for the lines of a row; long rows end in what the hardware foresees by itself.
inline void fetch(const void* row, int64_t bytes) {
  constexpr int64_t kLine = 64, kMost = 4096;
  const char* p = static_cast<const char*>(row);
  for (int64_t i = 0; i < (bytes < kMost ? bytes : kMost); i += kLine) __builtin_prefetch(p + i);
}

template <typename To, typename From>
void gather_rows(const Gather::Job& job, int64_t begin, int64_t end) {
  if (job.by_kernel) return gather_by_kernel<To, From>(job, begin, end);
  const Gather::Layout& layout = *job.layout;
  const int64_t n = layout.elements;
  const From* data = static_cast<const From*>(job.data);
  To* buffer = static_cast<To*>(job.buffer);
  const int64_t* rows = job.rows;
  const auto row = [&](int64_t i) {
    return data + (rows != nullptr ? rows[i] : job.first + i) * job.row_stride;
  };
  if (n == 1) {
    for (int64_t i = begin; i < end; ++i) buffer[i] = convert_one<To>(*row(i), job);
    return;
  }
  const bool contiguous = layout.contiguous();
  constexpr int64_t kAhead = 2;
  const int64_t bytes = contiguous && rows != nullptr ? n * static_cast<int64_t>(sizeof(From)) : 0;
  for (int64_t i = begin; i < end; ++i) {
    if (i + kAhead < end) fetch(row(i + kAhead), bytes);
    if (contiguous) {
      convert_row(buffer + i * n, row(i), n, job);
    } else {
      walk_row(buffer + i * n, row(i), job);
    }
  }
}

using Run = void (*)(const Gather::Job& job, int64_t begin, int64_t end);

template <typename To>
Run floating_run(DType from) {
  switch (from) {
    case DType::float32: return gather_rows<To, float>;
    case DType::float64: return gather_rows<To, double>;
    case DType::int32: return gather_rows<To, int32_t>;
    case DType::int64: return gather_rows<To, int64_t>;
    case DType::uint8: return gather_rows<To, uint8_t>;
    case DType::boolean: return gather_rows<To, Bool>;
  }
  return nullptr;
}

// Only what every element survives: null for floats and for narrower integers.
Run choose_run(DType to, DType from) {
  switch (to) {
    case DType::float32: return floating_run<float>(from);
    case DType::float64: return floating_run<double>(from);
    case DType::int32:
      if (from == DType::int32) return gather_rows<int32_t, int32_t>;
      if (from == DType::uint8) return gather_rows<int32_t, uint8_t>;
      if (from == DType::boolean) return gather_rows<int32_t, Bool>;
      return nullptr;
    case DType::int64:
      if (from == DType::int64) return gather_rows<int64_t, int64_t>;
      if (from == DType::int32) return gather_rows<int64_t, int32_t>;
      if (from == DType::uint8) return gather_rows<int64_t, uint8_t>;
      if (from == DType::boolean) return gather_rows<int64_t, Bool>;
      return nullptr;
    case DType::uint8:
      if (from == DType::uint8) return gather_rows<uint8_t, uint8_t>;
      if (from == DType::boolean) return gather_rows<uint8_t, Bool>;
      return nullptr;
    case DType::boolean:
      if (from == DType::boolean) return gather_rows<Bool, Bool>;
      return nullptr;
  }
  return nullptr;
}

Gather::Layout row_layout(const View& rows) {
  Gather::Layout layout;
  for (int axis = 1; axis < rows.rank(); ++axis) {
    const int64_t size = rows.shape[axis], stride = rows.strides[axis];
    layout.elements *= size;
    if (size == 1) continue;
    if (layout.rank > 0 && layout.stride[layout.rank - 1] == stride * size) {
      layout.size[layout.rank - 1] *= size;
      layout.stride[layout.rank - 1] = stride;
    } else {
      layout.size[layout.rank] = size;
      layout.stride[layout.rank++] = stride;
    }
  }
  if (layout.rank == 0) {
    layout.size[0] = layout.stride[0] = 1;
    layout.rank = 1;
  }
  return layout;
}

}  // namespace

Gather::Gather(const BatchSource& source, const Meta& input, int index)
    : rows_(source.rows),
      dtype_(input.dtype),
      scale_(source.scale),
      offset_(source.offset),
      affine_(source.scale != 1.0 || source.offset != 0.0) {
  const std::string argument = "sources[" + std::to_string(index) + "]";
  const auto refuse = [&](const std::string& expected, const std::string& got) {
    throw ArgumentError("Trainer", argument, expected, got);
  };
  if (!rows_.defined()) refuse("an array", "none");
  const std::string got =
      std::string(name(rows_.dtype())) + " array of shape " + to_string(rows_.shape());
  Shape expected = input.shape;
  if (input.shape.rank() == 0 || rows_.rank() == 0) {
    refuse("rows along axis 0 for an input of shape " + to_string(input.shape), got);
  }
  expected[0] = rows_.shape()[0];
  if (expected != rows_.shape()) {
    refuse("rows that fit batches of shape " + to_string(input.shape), got);
  }
  run_ = choose_run(input.dtype, rows_.dtype());
  if (run_ == nullptr) refuse(std::string("elements that ") + name(input.dtype) + " holds", got);
  if (affine_ && !is_floating(input.dtype)) {
    refuse(std::string("no scale and offset for ") + name(input.dtype),
           "scale " + std::to_string(scale_) + ", offset " + std::to_string(offset_));
  }
  layout_ = row_layout(rows_.view());
  by_kernel_ = layout_.contiguous() && has_kernel(dtype_, rows_.dtype()) &&
               (dtype_ != rows_.dtype() || !affine_);
  direct_ = !affine_ && rows_.dtype() == input.dtype && rows_.view().c_contiguous();
}

View Gather::view(int64_t first, int64_t count) const {
  View view = rows_.view();
  view.data = static_cast<char*>(view.data) + first * view.strides[0] * itemsize(view.dtype);
  view.shape[0] = count;
  return view;
}

bool Gather::copy(void* buffer, void* transposed, const int64_t* rows, int64_t first,
                  int64_t count) const {
  const View& view = rows_.view();
  // The kernels transpose whole squares.
  constexpr int64_t kSide = 16;
  if (!by_kernel_ || count % kSide != 0) transposed = nullptr;
  const Job job{buffer, transposed, view.data, rows,    first,   view.strides[0],
                count,  &layout_,   scale_,    offset_, affine_, by_kernel_};
  // Rows are the unit, so that threads write disjoint rows.
  const int64_t unit = transposed != nullptr ? kSide : 1;
  const int64_t unit_bytes = unit * layout_.elements * itemsize(view.dtype) + 1;
  parallel_for(count / unit, kGatherGrainBytes / unit_bytes + 1,
               [&](int64_t begin, int64_t end) { run_(job, begin * unit, end * unit); });
  return transposed != nullptr;
}

PrefetchQueue Gather::prefetch(const int64_t* rows, int64_t count) const {
  constexpr int64_t kNear = 512 * 1024;  // stays in a core's own cache
  constexpr int64_t kMost = 256 * 1024;  // of a batch: more would push out what is in use
  const View& view = rows_.view();
  const int64_t item = itemsize(view.dtype);
  const int64_t bytes = layout_.elements * item;
  if (!layout_.contiguous() || bytes * view.shape[0] <= kNear) return {};
  count = std::min(count, kMost / bytes);
  return {
      static_cast<const char*>(view.data), rows, rows + count, view.strides[0] * item, bytes, 0};
}

}  // namespace fusegrad
