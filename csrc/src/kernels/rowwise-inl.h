// The softmax family over rows, in double throughout. With m the largest logit, first found at j*,
// and s the sum of e_j = e^(x_j - m) over j != j*: softmax_j = e_j / (1 + s), log softmax_j =
// (x_j - m) - log1p(s). Every sum has terms of one sign, so each result has a small relative error,
// and adding a constant that is exact to all logits changes no bit.
#pragma once

#include <type_traits>

#include "kernels/copy-inl.h"
#include "kernels/kernels.h"
#include "kernels/math-inl.h"
#include "kernels/math-loss-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Rows in lanes at a time where short rows are transposed, and their longest length.
constexpr int64_t kTileRows = 16;
constexpr int64_t kTileColumns = 32;

// Memory for the exponentials of rows that do not fit on the stack. Where they do not fit here
// either, they are computed again, with the same bits.
struct Scratch {
  double* p = nullptr;
  int64_t size = 0;
};

// Slots whose exponentials are computed in step.
template <class T>
constexpr int kExpStep = sizeof(T) == 4 ? 4 : 1;

// x - m in two words for double (exp would amplify the rounding error of one), one for float.
template <class T>
FUSEGRAD_INLINE DoubleVD logit_gap(VD x, VD m) {
  const VD d = x - m;
  if constexpr (sizeof(T) == 4) {
    return {d, VD{}};
  } else {
    const VD t = d - x;
    const VD lo = (x - (d - t)) - (m + t);
    return {d, select(abs(d) < kInf, lo, VD{})};
  }
}

// What one step works on: `first` is the number of its first row; x, t and y begin there. `kept`
// has room for the row's exponentials, or is null.
template <class T>
struct Tile {
  int64_t first;
  Rows<const T> x, t;
  Rows<T> y;
  double* kept;
};

// One step's rows: their maximum, its place, s, and the exponentials. Sums of a row with an
// infinite or NaN maximum are NaN, also when the row has one element.
template <class T, class Walk>
struct Softmax {
  Walk walk;
  Rows<const T> x;
  Extreme top;
  VD s, inverse;
  double* kept;

  FUSEGRAD_INLINE Softmax(const Walk& w, const Tile<T>& tile)
      : walk(w), x(tile.x), kept(tile.kept) {
    top = walk.first_largest(x, kept);
    const auto terms = [&](int64_t slot, auto whole, auto& e) FUSEGRAD_INLINE_LAMBDA {
      constexpr int kCount = static_cast<int>(sizeof e / sizeof e[0]);
      DoubleVD d[kCount];
      for (int k = 0; k < kCount; ++k) {
        const VD value = Walk::kAcross && kept != nullptr ? load(kept + (slot + k) * kLanesD)
                                                          : walk.load(x, slot + k, whole);
        d[k] = logit_gap<T>(value, top.value);
      }
      exp_to_one<T, kCount>(e, d);
      if (kept == nullptr) return;
      for (int k = 0; k < kCount; ++k) store(kept + (slot + k) * kLanesD, e[k]);
    };
    const VD total = walk.template sum_except<kExpStep<T>>(top.index, terms);
    s = total + (top.value - top.value);
    inverse = 1.0 / (1.0 + s);
  }
  template <class Whole>
  FUSEGRAD_INLINE DoubleVD gap(int64_t slot, Whole whole) const {
    return logit_gap<T>(walk.load(x, slot, whole), top.value);
  }
  template <class Whole>
  FUSEGRAD_INLINE VD exponential(int64_t slot, Whole whole) const {
    if (kept != nullptr) return load(kept + slot * kLanesD);
    const DoubleVD d = gap(slot, whole);
    return exp_to_one<T>(d.hi, d.lo);
  }
  // e g / (1 + s), where products with the reciprocal are accurate enough for float.
  FUSEGRAD_INLINE VD share(VD e, VD g) const {
    if constexpr (sizeof(T) == 4) return e * (inverse * g);
    return e / (1.0 + s) * g;
  }
  FUSEGRAD_INLINE VD share(VD e) const {
    if constexpr (sizeof(T) == 4) return e * inverse;
    return e / (1.0 + s);
  }
  // 1 - share(e) without cancellation: only the largest element can exceed one half.
  FUSEGRAD_INLINE VD complement(VD e) const { return select(e == 1.0, share(s), 1.0 - share(e)); }
};

// body(walk, tile) over all rows. Lanes go across the rows where those are adjacent in memory, or
// are so short that they fill no lanes; short rows are transposed on the way, t and y with them.
// t.p and y.p may be null.
template <class T, class F>
FUSEGRAD_INLINE void for_tiles(const Rows<const T>& x, const Rows<const T>& t, const Rows<T>& y,
                               int64_t outer, int64_t inner, Scratch scratch, const F& body) {
  alignas(64) double few[kKeptOnStack];
  const auto kept = [&](int64_t slots) {
    if (slots * kLanesD <= kKeptOnStack) return &few[0];
    return slots * kLanesD <= scratch.size ? scratch.p : nullptr;
  };
  const auto unchanged = [&](int64_t o, int64_t slots) {
    return Tile<T>{o, x.from(o), t.from(o), y.from(o), kept(slots)};
  };
  const bool adjacent = x.os == 1 && (x.rs != 1 || outer >= kLanesD);
  if (adjacent) {
    for (int64_t o = 0; o < outer; o += kLanesD) {
      const int64_t left = outer - o;
      body(AcrossRows{inner, 0, left < kLanesD ? left : kLanesD}, unchanged(o, inner));
    }
  } else if (inner <= kTileColumns && outer >= kLanesD) {
    alignas(64) T columns[3][kTileColumns * kTileRows];
    for (int64_t o = 0; o < outer; o += kTileRows) {
      const int64_t rows = outer - o < kTileRows ? outer - o : kTileRows;
      Tile<T> tile = unchanged(o, inner);
      const auto transposed = [&](const Rows<const T>& from, T* to) {
        if (from.p == nullptr || from.rs != 1) return from;
        transpose_op(to, kTileRows, from.p, from.os, rows, inner);
        return Rows<const T>{to, 1, kTileRows};
      };
      tile.x = transposed(tile.x, columns[0]);
      tile.t = transposed(tile.t, columns[1]);
      const bool back = y.p != nullptr && y.rs == 1;
      if (back) tile.y = {columns[2], 1, kTileRows};
      for (int64_t i = 0; i < rows; i += kLanesD) {
        const int64_t left = rows - i;
        body(AcrossRows{inner, 0, left < kLanesD ? left : kLanesD},
             Tile<T>{o + i, tile.x.from(i), tile.t.from(i), tile.y.from(i), tile.kept});
      }
      if (back) transpose_op(y.from(o).p, y.os, columns[2], kTileRows, inner, rows);
    }
  } else {
    for (int64_t o = 0; o < outer; ++o) {
      const AlongRow walk{inner, 0, 1};
      body(walk, unchanged(o, walk.slots()));
    }
  }
}

template <class T>
FUSEGRAD_INLINE void softmax_rows(const Rows<T>& y, const Rows<const T>& x, int64_t outer,
                                  int64_t inner, Scratch scratch) {
  const auto body = [&](const auto& walk, const Tile<T>& tile) FUSEGRAD_INLINE_LAMBDA {
    const Softmax<T, std::decay_t<decltype(walk)>> row(walk, tile);
    walk.for_slots([&](int64_t i, auto whole) FUSEGRAD_INLINE_LAMBDA {
      walk.store(tile.y, i, row.share(row.exponential(i, whole)), whole);
    });
  };
  for_tiles<T>(x, {}, y, outer, inner, scratch, body);
}

template <class T>
FUSEGRAD_INLINE void log_softmax_rows(const Rows<T>& y, const Rows<const T>& x, int64_t outer,
                                      int64_t inner) {
  const auto body = [&](const auto& walk, const Tile<T>& tile) FUSEGRAD_INLINE_LAMBDA {
    const Softmax<T, std::decay_t<decltype(walk)>> row(walk, tile);
    const VD l = log1p_sum<T>(row.s);
    walk.for_slots([&](int64_t i, auto whole) FUSEGRAD_INLINE_LAMBDA {
      const DoubleVD d = row.gap(i, whole);
      walk.store(tile.y, i, d.hi - (l - d.lo), whole);
    });
  };
  for_tiles<T>(x, {}, y, outer, inner, {}, body);
}

template <class T>
FUSEGRAD_INLINE void logsumexp_rows(T* out, const Rows<const T>& x, int64_t outer, int64_t inner) {
  const auto body = [&](const auto& walk, const Tile<T>& tile) FUSEGRAD_INLINE_LAMBDA {
    const Softmax<T, std::decay_t<decltype(walk)>> row(walk, tile);
    const VD m = row.top.value;
    walk.store_row(out + tile.first, select(abs(m) < kInf, m + log1p_sum<T>(row.s), m));
  };
  for_tiles<T>(x, {}, {}, outer, inner, {}, body);
}

// dx = y (dy - sum(dy y))
template <class T>
FUSEGRAD_INLINE void softmax_grad_rows(const Rows<T>& dx, const Rows<const T>& dy,
                                       const Rows<const T>& y, int64_t outer, int64_t inner) {
  for_rows(outer, dx.os, inner, dx.rs, false, [&](const auto& walk) {
    const VD total = walk.sum_long([&](int64_t i) { return walk.load(dy, i) * walk.load(y, i); });
    const int64_t n = walk.slots();
    for (int64_t i = 0; i < n; ++i) {
      walk.store(dx, i, walk.load(y, i) * (walk.load(dy, i) - total));
    }
  });
}

// dx = dy - exp(y) sum(dy)
template <class T>
FUSEGRAD_INLINE void log_softmax_grad_rows(const Rows<T>& dx, const Rows<const T>& dy,
                                           const Rows<const T>& y, int64_t outer, int64_t inner) {
  for_rows(outer, dx.os, inner, dx.rs, false, [&](const auto& walk) {
    const VD total = walk.sum_long([&](int64_t i) { return walk.load(dy, i); });
    const int64_t n = walk.slots();
    for (int64_t i = 0; i < n; ++i) {
      walk.store(dx, i, walk.load(dy, i) - exp_for<T>(walk.load(y, i)) * total);
    }
  });
}

#define FUSEGRAD_ROWWISE(T, suffix)                                                                \
  void softmax_##suffix(T* y, int64_t y_os, int64_t y_rs, const T* x, int64_t x_os, int64_t x_rs,  \
                        int64_t outer, int64_t inner, double* scratch, int64_t scratch_size) {     \
    softmax_rows<T>({y, y_os, y_rs}, {x, x_os, x_rs}, outer, inner, {scratch, scratch_size});      \
  }                                                                                                \
  void log_softmax_##suffix(T* y, int64_t y_os, int64_t y_rs, const T* x, int64_t x_os,            \
                            int64_t x_rs, int64_t outer, int64_t inner) {                          \
    log_softmax_rows<T>({y, y_os, y_rs}, {x, x_os, x_rs}, outer, inner);                           \
  }                                                                                                \
  void logsumexp_##suffix(T* out, const T* x, int64_t x_os, int64_t x_rs, int64_t outer,           \
                          int64_t inner) {                                                         \
    logsumexp_rows<T>(out, {x, x_os, x_rs}, outer, inner);                                         \
  }                                                                                                \
  void softmax_grad_##suffix(T* dx, int64_t dx_os, int64_t dx_rs, const T* dy, int64_t dy_os,      \
                             int64_t dy_rs, const T* y, int64_t y_os, int64_t y_rs, int64_t outer, \
                             int64_t inner) {                                                      \
    softmax_grad_rows<T>({dx, dx_os, dx_rs}, {dy, dy_os, dy_rs}, {y, y_os, y_rs}, outer, inner);   \
  }                                                                                                \
  void log_softmax_grad_##suffix(T* dx, int64_t dx_os, int64_t dx_rs, const T* dy, int64_t dy_os,  \
                                 int64_t dy_rs, const T* y, int64_t y_os, int64_t y_rs,            \
                                 int64_t outer, int64_t inner) {                                   \
    log_softmax_grad_rows<T>({dx, dx_os, dx_rs}, {dy, dy_os, dy_rs}, {y, y_os, y_rs}, outer,       \
                             inner);                                                               \
  }
FUSEGRAD_ROWWISE(float, f32)
FUSEGRAD_ROWWISE(double, f64)
#undef FUSEGRAD_ROWWISE

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
