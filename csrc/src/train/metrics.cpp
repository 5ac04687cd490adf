// Accumulation of outputs over an epoch.
// An output that is one number, the usual case, is added without a detour.
// Larger ones are first widened to double, which is exact, by the general copy.
#include "train/metrics.h"

#include <cstring>

namespace fusegrad {
namespace {

Meta result_meta(OutputKind kind, const Meta& output, int64_t rows) {
  if (kind != OutputKind::collect) return {DType::float64, output.shape};
  Meta meta = output;
  meta.shape[0] = rows;
  return meta;
}

}  // namespace

OutputSink::OutputSink(OutputKind kind, const Meta& output, int64_t rows)
    : kind_(kind), meta_(result_meta(kind, output, rows)) {
  if (kind != OutputKind::collect) {
    kept_ = Array(meta_.dtype, meta_.shape);
    widened_ = Array(meta_.dtype, meta_.shape);
  }
}

void OutputSink::begin_epoch() {
  if (kind_ == OutputKind::collect) kept_ = Array(meta_.dtype, meta_.shape);
  const int64_t bytes = kept_.size() * itemsize(kept_.dtype());
  if (bytes > 0) std::memset(kept_.data(), 0, static_cast<size_t>(bytes));
}

void OutputSink::add(const View& output, const int64_t* rows, int64_t first, int64_t count) {
  if (kind_ == OutputKind::last) {
    copy_elements(kept_.view(), output);
    return;
  }
  if (kind_ == OutputKind::accumulate) {
    double* totals = kept_.view().as<double>();
    if (output.rank() == 0 && output.dtype == DType::float64) {
      *totals += *output.as<double>();
      return;
    }
    if (output.rank() == 0 && output.dtype == DType::float32) {
      *totals += static_cast<double>(*output.as<float>());
      return;
    }
    copy_elements(widened_.view(), output);
    const double* values = widened_.view().as<double>();
    const int64_t size = kept_.size();
    for (int64_t i = 0; i < size; ++i) totals[i] += values[i];
    return;
  }
  View to = kept_.view(), from = output;
  const int64_t to_row = to.strides[0] * itemsize(to.dtype);
  const int64_t from_row = from.strides[0] * itemsize(from.dtype);
  char* base = static_cast<char*>(to.data);
  if (rows == nullptr) {
    to.data = base + first * to_row;
    to.shape[0] = count;
    copy_elements(to, from);
    return;
  }
  to.shape[0] = from.shape[0] = 1;
  for (int64_t i = 0; i < count; ++i) {
    to.data = base + rows[i] * to_row;
    copy_elements(to, from);
    from.data = static_cast<char*>(from.data) + from_row;
  }
}

Array OutputSink::result() const {
  if (kind_ == OutputKind::collect) return kept_;
  Array copy(meta_.dtype, meta_.shape);
  copy_elements(copy.view(), kept_.view());
  return copy;
}

}  // namespace fusegrad
