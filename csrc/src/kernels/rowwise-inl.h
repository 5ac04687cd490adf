// The softmax family over rows, in double throughout. With m the largest logit and e_j =
// e^(x_j - m): softmax_j = e_j / (1 + s), log softmax_j = (x_j - m) - log1p(s), where s is the sum
// of the e_j of logits below m, in the contract's lanes, plus how many others equal m. Every sum
// has terms of one sign, so each result has a small relative error, and adding a constant that is
// exact to all logits changes no bit.
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
constexpr int64_t kTileRows = 32;
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

// The largest element of each row, s, and what follows from it. Those of a row with an infinite or
// NaN element are NaN, but for -infinity beside a finite one, also when the row has one element.
struct RowSums {
  VD top, s;
  LogTotal total;
};

// What one step works on: `first` is the number of its first row; x, t and y begin there. `kept`
// has the exponentials of a slot every kept_stride doubles, or is null.
template <class T>
struct Tile {
  int64_t first;
  Rows<const T> x, t;
  Rows<T> y;
  double* kept;
  int64_t kept_stride;
  RowSums sums;
};

// The largest element of each row of kTiles vectors of adjacent rows; NaN where the first one is.
template <class T, int kTiles>
FUSEGRAD_INLINE void largest_across(VD (&top)[kTiles], const Rows<const T>& x, int64_t inner) {
  constexpr int kLanes = Vec<T>::kLanes;
  constexpr int kVectors = kTiles * kLanesD / kLanes;
  if constexpr (kVectors > 0) {
    typename Vec<T>::V best[kVectors];
    for (int k = 0; k < kVectors; ++k) best[k] = load(x.p + k * kLanes);
#pragma GCC unroll 1
    for (int64_t r = 1; r < inner; ++r) {
      for (int k = 0; k < kVectors; ++k) {
        best[k] = max(load(x.p + r * x.rs + k * kLanes), best[k]);
      }
    }
    alignas(64) T each[kTiles * kLanesD];
    for (int k = 0; k < kVectors; ++k) store(each + k * kLanes, best[k]);
    for (int k = 0; k < kTiles; ++k) top[k] = load_widen(each + k * kLanesD);
  } else {
    top[0] = load_widen(x.p);
    for (int64_t r = 1; r < inner; ++r) top[0] = max(load_widen(x.p + r * x.rs), top[0]);
  }
}

// The sums of kTiles vectors of adjacent rows, kSlots elements of each in step.
template <class T, int kTiles, int kSlots>
FUSEGRAD_INLINE void sums_across(RowSums (&sums)[kTiles], const Rows<const T>& x, int64_t inner,
                                 double* kept) {
  const auto at = [&](int64_t r, int k)
                      FUSEGRAD_INLINE_LAMBDA { return load_widen(x.p + r * x.rs + k * kLanesD); };
  VD top[kTiles], below[kTiles];
  largest_across<T, kTiles>(top, x, inner);
  VD lanes[16][kTiles];
  for (int k = 0; k < kTiles; ++k) below[k] = VD{};
  for (int64_t r = 0; r < 16 && r < inner; ++r) {
    for (int k = 0; k < kTiles; ++k) lanes[r][k] = VD{};
  }
  int64_t r = 0;
  const auto step = [&](auto slots) FUSEGRAD_INLINE_LAMBDA {
    constexpr int kStep = decltype(slots)::value;
    DoubleVD d[kStep * kTiles];
    VD e[kStep * kTiles];
    for (int k = 0; k < kStep * kTiles; ++k) {
      d[k] = logit_gap<T>(at(r + k / kTiles, k % kTiles), top[k % kTiles]);
    }
    exp_to_one<T, kStep * kTiles>(e, d);
    for (int k = 0; k < kStep * kTiles; ++k) {
      const VI64 is_below = d[k].hi != 0.0;
      VD& lane = lanes[(r & 15) + k / kTiles][k % kTiles];
      VD& count = below[k % kTiles];
      lane = select(is_below, lane + e[k], lane);
      count = select(is_below, count + 1.0, count);
    }
    if (kept != nullptr) {
      for (int k = 0; k < kStep * kTiles; ++k) store(kept + (r * kTiles + k) * kLanesD, e[k]);
    }
    r += kStep;
  };
#pragma GCC unroll 1
  while (r + kSlots <= inner) step(std::integral_constant<int, kSlots>());
  if constexpr (kSlots > 1) {
#pragma GCC unroll 1
    while (r < inner) step(std::integral_constant<int, 1>());
  }
  // The tree. Lanes without a term are +0, which changes no sum.
  int64_t left = inner < 16 ? inner : 16;
#pragma GCC unroll 1
  for (int64_t half = 8; half > 0; half /= 2) {
#pragma GCC unroll 1
    for (int64_t j = half; j < left; ++j) {
      for (int k = 0; k < kTiles; ++k) lanes[j - half][k] = lanes[j - half][k] + lanes[j][k];
    }
    left = left < half ? left : half;
  }
  for (int k = 0; k < kTiles; ++k) {
    const VD others = static_cast<double>(inner - 1) - below[k];
    const VD s = (lanes[0][k] + others) + (top[k] - top[k]);
    sums[k] = {top[k], s, log_total<T>(s)};
  }
}

// The sums of `count` rows, one after the other: vector i has those of row i in all lanes, but the
// logarithms are taken of all rows at once. Row i keeps its exponentials at i * kept_stride.
template <class T>
FUSEGRAD_INLINE void sums_along(RowSums (&sums)[kLanesD], const Rows<const T>& x, int64_t inner,
                                int64_t count, double* kept, int64_t kept_stride) {
  alignas(64) double logs[kLanesD], inverses[kLanesD];
  for (int64_t i = 0; i < count; ++i) {
    const AlongRow walk{inner, i, 1};
    const VD top = walk.largest(x);
    double* const row_kept = kept == nullptr ? kept : kept + i * kept_stride;
    const auto terms = [&](int64_t slot, auto whole, auto& e) FUSEGRAD_INLINE_LAMBDA {
      constexpr int kCount = static_cast<int>(sizeof e / sizeof e[0]);
      DoubleVD d[kCount];
      for (int k = 0; k < kCount; ++k) d[k] = logit_gap<T>(walk.load(x, slot + k, whole), top);
      exp_to_one<T, kCount>(e, d);
      if (row_kept == nullptr) return;
      for (int k = 0; k < kCount; ++k) store(row_kept + (slot + k) * kLanesD, e[k]);
    };
    sums[i].top = top;
    sums[i].s = walk.template sum_except_top<kExpStep<T>>(x, top, terms) + (top - top);
  }
  const VD s =
      from_lanes([&](int64_t i) FUSEGRAD_INLINE_LAMBDA { return sums[i < count ? i : 0].s[0]; });
  const LogTotal total = log_total<T>(s);
  store(logs, total.log);
  store(inverses, total.inverse);
  for (int64_t i = 0; i < count; ++i) sums[i].total = {set1(logs[i]), set1(inverses[i])};
}

// One step's rows.
template <class T, class Walk>
struct Softmax : RowSums {
  Walk walk;
  Rows<const T> x;
  const double* kept;
  int64_t kept_stride;

  FUSEGRAD_INLINE Softmax(const Walk& w, const Tile<T>& tile)
      : RowSums(tile.sums), walk(w), x(tile.x), kept(tile.kept), kept_stride(tile.kept_stride) {}
  template <class Whole>
  FUSEGRAD_INLINE DoubleVD gap(int64_t slot, Whole whole) const {
    return logit_gap<T>(walk.load(x, slot, whole), top);
  }
  template <class Whole>
  FUSEGRAD_INLINE VD exponential(int64_t slot, Whole whole) const {
    if (kept != nullptr) return load(kept + slot * kept_stride);
    const DoubleVD d = gap(slot, whole);
    return exp_to_one<T>(d.hi, d.lo);
  }
  // e g / (1 + s), where products with the reciprocal are accurate enough for float.
  FUSEGRAD_INLINE VD share(VD e, VD g) const {
    if constexpr (sizeof(T) == 4) return e * (total.inverse * g);
    return e / (1.0 + s) * g;
  }
  FUSEGRAD_INLINE VD share(VD e) const {
    if constexpr (sizeof(T) == 4) return e * total.inverse;
    return e / (1.0 + s);
  }
  // 1 - share(e) without cancellation: only the largest element can exceed one half.
  FUSEGRAD_INLINE VD complement(VD e) const { return select(e == 1.0, share(s), 1.0 - share(e)); }
};

// body(walk, tile) over all rows, one after the other; `fit` of them at a time keep exponentials.
template <class T, class F>
FUSEGRAD_INLINE void tiles_along(const Rows<const T>& x, const Rows<const T>& t, const Rows<T>& y,
                                 int64_t outer, int64_t inner, double* kept, int64_t fit,
                                 const F& body) {
  const int64_t kept_size = AlongRow{inner, 0, 1}.slots() * kLanesD;
  const int64_t step = fit < kLanesD ? fit : kLanesD;
  RowSums sums[kLanesD];
  for (int64_t first = 0; first < outer; first += step) {
    const int64_t count = outer - first < step ? outer - first : step;
    sums_along<T>(sums, x.from(first), inner, count, kept, kept_size);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t o = first + i;
      double* const e = kept == nullptr ? kept : kept + i * kept_size;
      body(AlongRow{inner, 0, 1}, Tile<T>{o, x.from(o), t.from(o), y.from(o), e, kLanesD, sums[i]});
    }
  }
}

// body(walk, tile) over `outer` adjacent rows, kTiles vectors of them at a time. The last step
// overlaps the one before it, so that all are whole. The first row has number `first`.
template <class T, int kTiles, class F>
FUSEGRAD_INLINE void tiles_across(const Rows<const T>& x, const Rows<const T>& t, const Rows<T>& y,
                                  int64_t first, int64_t outer, int64_t inner, double* kept,
                                  const F& body) {
  constexpr int64_t kRows = kTiles * kLanesD;
  for (int64_t next = 0; next < outer; next += kRows) {
    const int64_t o = next < outer - kRows ? next : outer - kRows;
    RowSums sums[kTiles];
    sums_across<T, kTiles, kExpStep<T> / kTiles>(sums, x.from(o), inner, kept);
#pragma GCC unroll 1
    for (int k = 0; k < kTiles; ++k) {
      const int64_t i = o + k * kLanesD;
      double* const e = kept == nullptr ? kept : kept + k * kLanesD;
      body(AcrossRows{inner, 0, kLanesD},
           Tile<T>{first + i, x.from(i), t.from(i), y.from(i), e, kRows, sums[k]});
    }
  }
}

// body(walk, tile) over all rows. Lanes go across the rows where those are adjacent in memory, or
// are so short that they fill no lanes; short rows are transposed on the way, t and y with them.
// The last step overlaps the one before it. t.p and y.p may be null.
template <class T, class F>
FUSEGRAD_INLINE void for_tiles(const Rows<const T>& x, const Rows<const T>& t, const Rows<T>& y,
                               int64_t outer, int64_t inner, Scratch scratch, const F& body) {
  constexpr int64_t kFew = 2 * kKeptOnStack;
  alignas(64) double few[kFew];
  const auto kept = [&](int64_t slots) {
    if (slots * kLanesD <= kKeptOnStack) return &few[0];
    return slots * kLanesD <= scratch.size ? scratch.p : nullptr;
  };
  const auto adjacent = [](const auto& rows) { return rows.p == nullptr || rows.os == 1; };
  const auto across = [&](const auto& rows) {
    return adjacent(rows) || (inner <= kTileColumns && rows.rs == 1);
  };
  if (outer < kLanesD || !across(x) || !across(t) || !across(y)) {
    const int64_t slots = AlongRow{inner, 0, 1}.slots();
    double* const e = kept(slots);
    const int64_t fit = e == &few[0] ? kFew / (slots * kLanesD) : 1;
    const auto whole = [](const auto& rows) { return rows.p == nullptr || rows.rs == 1; };
    if (whole(x) && whole(t) && whole(y)) {  // strides that the compiler knows
      tiles_along<T>({x.p, x.os, 1}, {t.p, t.os, 1}, {y.p, y.os, 1}, outer, inner, e, fit, body);
    } else {
      tiles_along<T>(x, t, y, outer, inner, e, fit, body);
    }
    return;
  }
  constexpr int kMany = kExpStep<T>;
  const int64_t rows = outer < kTileRows ? outer : kTileRows;
  const bool many = rows >= kMany * kLanesD && inner * kMany * kLanesD <= kKeptOnStack;
  alignas(64) T columns[3][kTileColumns * kTileRows];
  for (int64_t next = 0; next < outer; next += kTileRows) {
    const int64_t o = next < outer - rows ? next : outer - rows;
    const auto in_columns = [&](const Rows<const T>& from, T* to) {
      if (adjacent(from)) return Rows<const T>{from.from(o).p, 1, from.rs};
      transpose_op(to, kTileRows, from.from(o).p, from.os, rows, inner);
      return Rows<const T>{to, 1, kTileRows};
    };
    const Rows<const T> tile_x = in_columns(x, columns[0]);
    const Rows<const T> tile_t = in_columns(t, columns[1]);
    const bool back = !adjacent(y);
    const Rows<T> tile_y = back ? Rows<T>{columns[2], 1, kTileRows} : Rows<T>{y.from(o).p, 1, y.rs};
    if (many) {
      tiles_across<T, kMany>(tile_x, tile_t, tile_y, o, rows, inner, kept(inner * kMany), body);
    } else {
      tiles_across<T, 1>(tile_x, tile_t, tile_y, o, rows, inner, kept(inner), body);
    }
    if (back) transpose_op(y.from(o).p, y.os, columns[2], kTileRows, inner, rows);
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
    const VD l = row.total.log;
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
    const VD m = row.top;
    walk.store_row(out + tile.first, select(abs(m) < kInf, m + row.total.log, m));
  };
  for_tiles<T>(x, {}, {}, outer, inner, {}, body);
}

// dx = y (dy - sum(dy y))
template <class T>
FUSEGRAD_INLINE void softmax_grad_rows(const Rows<T>& dx, const Rows<const T>& dy,
                                       const Rows<const T>& y, int64_t outer, int64_t inner) {
  for_rows(outer, dx.os, inner, dx.rs, [&](const auto& walk) {
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
  for_rows(outer, dx.os, inner, dx.rs, [&](const auto& walk) {
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
