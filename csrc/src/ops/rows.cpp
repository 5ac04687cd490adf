// Rows: merging of the reduced axes.
//
// See rows.h.
#include "ops/rows.h"

#include "ops/check.h"

namespace fusegrad {

void Rows::add_full(const View& view) {
  full_[loop.operands] = &view;
  loop.add(view, view.strides);
}

void Rows::add_reduced(const View& view, const Shape& shape, const Dims& axes) {
  Strides strides;
  const bool keepdims = view.rank() == shape.rank();
  int from = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool reduced = contains(axes, i);
    strides.push_back(reduced ? 0 : view.strides[from]);
    if (!reduced || keepdims) ++from;
  }
  full_[loop.operands] = nullptr;
  loop.add(view, strides);
}

bool Rows::finish(const Shape& shape, const Dims& axes) {
  bool kept[kMaxRank];
  for (int i = 0; i < shape.rank(); ++i) kept[i] = !contains(axes, i);
  loop.finish(shape, kept);
  inner = reduced_count(shape, axes);
  for (int k = 0; k < loop.operands; ++k) {
    rs[k] = full_[k] == nullptr ? 0 : 1;
    if (full_[k] == nullptr || inner <= 1) continue;
    bool first = true;
    int64_t expected = 0;
    for (int i = axes.rank() - 1; i >= 0; --i) {
      const int axis = static_cast<int>(axes[i]);
      if (shape[axis] == 1) continue;
      const int64_t stride = full_[k]->strides[axis];
      if (first) {
        rs[k] = stride;
      } else if (stride != expected) {
        return false;
      }
      first = false;
      expected = stride * shape[axis];
    }
  }
  return true;
}

View kept_first(const View& x, const Dims& axes) {
  View result = x;
  int place = 0;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < x.rank(); ++i) {
      if (contains(axes, i) != (pass == 1)) continue;
      result.shape[place] = x.shape[i];
      result.strides[place] = x.strides[i];
      ++place;
    }
  }
  return result;
}

}  // namespace fusegrad
