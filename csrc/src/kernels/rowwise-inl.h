// The softmax family over rows, in double throughout. With m the largest logit, first found at j*,
// and s the sum of e^(x_j - m) over j != j*: softmax_j = e_j / (1 + s), log softmax_j =
// (x_j - m) - log1p(s). Every sum has terms of one sign, so each result has a small relative error,
// and adding a constant that is exact to all logits changes no bit.
#pragma once

#include "kernels/math-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Vectors of exponentials kept on the stack between passes; longer rows compute them again, with
// the same bits.
constexpr int64_t kKeptSlots = 128;

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

// One step's rows: their maximum, its place, and s. Sums of a row with an infinite or NaN maximum
// are NaN, also when the row has one element.
template <class T, class Walk>
struct Softmax {
  const Walk& walk;
  const Rows<const T>& x;
  Extreme top;
  VD s, inverse;
  bool kept;
  VD e[kKeptSlots];

  FUSEGRAD_INLINE Softmax(const Walk& w, const Rows<const T>& rows) : walk(w), x(rows) {
    kept = walk.slots() <= kKeptSlots;
  }
  FUSEGRAD_INLINE DoubleVD gap(int64_t slot) const {
    return logit_gap<T>(walk.load(x, slot), top.value);
  }
  // visit(slot, gap) sees every element during the summing pass.
  template <class F>
  FUSEGRAD_INLINE void run(const F& visit) {
    top = walk.extreme([&](int64_t slot) { return walk.load(x, slot); });
    const VD total = walk.sum_long([&](int64_t slot) {
      const DoubleVD d = gap(slot);
      const VD v = exp_sum_for<T>(d.hi, d.lo);
      if (kept) e[slot] = v;
      visit(slot, d);
      return select(walk.index(slot) == top.index, VD{}, v);
    });
    s = total + (top.value - top.value);
    inverse = 1.0 / (1.0 + s);
  }
  FUSEGRAD_INLINE void run() {
    run([](int64_t, const DoubleVD&) {});
  }
  FUSEGRAD_INLINE VD exponential(int64_t slot) const {
    if (kept) return e[slot];
    const DoubleVD d = gap(slot);
    return exp_sum_for<T>(d.hi, d.lo);
  }
  // v / (1 + s), where a product with the reciprocal is accurate enough for float.
  FUSEGRAD_INLINE VD share(VD v) const {
    if constexpr (sizeof(T) == 4) return v * inverse;
    return v / (1.0 + s);
  }
  FUSEGRAD_INLINE VD probability(int64_t slot) const { return share(exponential(slot)); }
  // 1 - probability without cancellation: only the largest can exceed one half.
  FUSEGRAD_INLINE VD complement(int64_t slot, VD p) const {
    return select(walk.index(slot) == top.index, share(s), 1.0 - p);
  }
};

template <class T, class Walk>
FUSEGRAD_INLINE Softmax<T, Walk> softmax_of(const Walk& walk, const Rows<const T>& x) {
  return Softmax<T, Walk>(walk, x);
}

// body(softmax) for every step of rows, with the softmax of the step already summed.
template <class T, class F>
FUSEGRAD_INLINE void for_softmax_rows(const Rows<const T>& x, int64_t outer, int64_t inner,
                                      const F& body) {
  for_rows(outer, x.os, inner, x.rs, true, [&](const auto& walk) {
    auto row = softmax_of<T>(walk, x);
    row.run();
    body(row);
  });
}

template <class T>
FUSEGRAD_INLINE void softmax_rows(const Rows<T>& y, const Rows<const T>& x, int64_t outer,
                                  int64_t inner) {
  for_softmax_rows<T>(x, outer, inner, [&](const auto& row) {
    const int64_t n = row.walk.slots();
    for (int64_t i = 0; i < n; ++i) row.walk.store(y, i, row.probability(i));
  });
}

template <class T>
FUSEGRAD_INLINE void log_softmax_rows(const Rows<T>& y, const Rows<const T>& x, int64_t outer,
                                      int64_t inner) {
  for_softmax_rows<T>(x, outer, inner, [&](const auto& row) {
    const VD l = log1p_for<T>(row.s);
    const int64_t n = row.walk.slots();
    for (int64_t i = 0; i < n; ++i) {
      const DoubleVD d = row.gap(i);
      row.walk.store(y, i, d.hi - (l - d.lo));
    }
  });
}

template <class T>
FUSEGRAD_INLINE void logsumexp_rows(T* out, const Rows<const T>& x, int64_t outer, int64_t inner) {
  for_softmax_rows<T>(x, outer, inner, [&](const auto& row) {
    const VD m = row.top.value;
    row.walk.store_row(out, select(abs(m) < kInf, m + log1p_for<T>(row.s), m));
  });
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

// ---- cross-entropy with integer labels -------------------------------------------------------
// loss = (m - x_y) + log1p(s); dx_j = g (p_j - [j = y]), where p_y - 1 is -s / (1 + s) for y = j*.
// One of the outputs is absent. A label outside [0, inner) gives a NaN loss.
template <class T>
FUSEGRAD_INLINE void ce_rows(T* loss, const Rows<T>& dx, const Rows<const T>& x,
                             const int64_t* labels, const T* g, int64_t gs, int64_t outer,
                             int64_t inner) {
  for_rows(outer, x.os, inner, x.rs, true, [&](const auto& walk) {
    auto row = softmax_of<T>(walk, x);
    const VD label = walk.load_labels(labels);
    if (loss == nullptr) {
      row.run();
    } else {
      VD hi = {};
      VD lo = {};
      VI64 found = {};
      row.run([&](int64_t i, const DoubleVD& d) {
        const VI64 here = walk.index(i) == label;
        hi = select(here, d.hi, hi);
        lo = select(here, d.lo, lo);
        found = found | here;
      });
      const VD l = log1p_for<T>(row.s);
      walk.store_labelled(loss, select(found, (l - lo) - hi, set1(kNaN)), label);
    }
    if (g == nullptr) return;
    const VD scale = walk.load_row(g, gs);
    const int64_t n = walk.slots();
    for (int64_t i = 0; i < n; ++i) {
      const VD j = walk.index(i);
      const VD p = row.probability(i);
      const VD q = select(j == row.top.index, VD{} - row.share(row.s), p - 1.0);
      walk.store(dx, i, select(j == label, q, p) * scale);
    }
  });
}

// ---- cross-entropy with a distribution t per row ---------------------------------------------
// loss = sum t_j ((m - x_j) + log1p(s)), where t_j = 0 counts as 0 even for an infinite logit.
template <class T>
FUSEGRAD_INLINE void ce_dist_rows(T* loss, const Rows<const T>& x, const Rows<const T>& t,
                                  int64_t outer, int64_t inner) {
  for_softmax_rows<T>(x, outer, inner, [&](const auto& row) {
    const VD l = log1p_for<T>(row.s);
    row.walk.store_row(loss, row.walk.sum_long([&](int64_t i) {
      const DoubleVD d = row.gap(i);
      const VD w = row.walk.load(t, i);
      return select(w == 0.0, VD{}, w * ((l - d.lo) - d.hi));
    }));
  });
}

// dx_j = g (p_j (sum(t) - t_j) - t_j (1 - p_j)): for a one-hot t, the integer form exactly.
template <class T>
FUSEGRAD_INLINE void ce_dist_grad_rows(const Rows<T>& dx, const Rows<const T>& x,
                                       const Rows<const T>& t, const T* g, int64_t gs,
                                       int64_t outer, int64_t inner) {
  for_softmax_rows<T>(x, outer, inner, [&](const auto& row) {
    const VD total = row.walk.sum_long([&](int64_t i) { return row.walk.load(t, i); });
    const VD scale = row.walk.load_row(g, gs);
    const int64_t n = row.walk.slots();
    for (int64_t i = 0; i < n; ++i) {
      const VD w = row.walk.load(t, i);
      const VD p = row.probability(i);
      row.walk.store(dx, i, (p * (total - w) - w * row.complement(i, p)) * scale);
    }
  });
}

#define FUSEGRAD_ROWWISE(T, suffix)                                                                \
  void softmax_##suffix(T* y, int64_t y_os, int64_t y_rs, const T* x, int64_t x_os, int64_t x_rs,  \
                        int64_t outer, int64_t inner) {                                            \
    softmax_rows<T>({y, y_os, y_rs}, {x, x_os, x_rs}, outer, inner);                               \
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
  }                                                                                                \
  void softmax_ce_i64_##suffix(T* loss, const T* x, int64_t x_os, int64_t x_rs,                    \
                               const int64_t* labels, int64_t outer, int64_t inner) {              \
    ce_rows<T>(loss, {}, {x, x_os, x_rs}, labels, nullptr, 0, outer, inner);                       \
  }                                                                                                \
  void softmax_ce_grad_i64_##suffix(T* dx, int64_t dx_os, int64_t dx_rs, const T* x, int64_t x_os, \
                                    int64_t x_rs, const int64_t* labels, const T* g, int64_t gs,   \
                                    int64_t outer, int64_t inner) {                                \
    ce_rows<T>(nullptr, {dx, dx_os, dx_rs}, {x, x_os, x_rs}, labels, g, gs, outer, inner);         \
  }                                                                                                \
  void softmax_ce_dist_##suffix(T* loss, const T* x, int64_t x_os, int64_t x_rs, const T* t,       \
                                int64_t t_os, int64_t t_rs, int64_t outer, int64_t inner) {        \
    ce_dist_rows<T>(loss, {x, x_os, x_rs}, {t, t_os, t_rs}, outer, inner);                         \
  }                                                                                                \
  void softmax_ce_dist_grad_##suffix(                                                              \
      T* dx, int64_t dx_os, int64_t dx_rs, const T* x, int64_t x_os, int64_t x_rs, const T* t,     \
      int64_t t_os, int64_t t_rs, const T* g, int64_t gs, int64_t outer, int64_t inner) {          \
    ce_dist_grad_rows<T>({dx, dx_os, dx_rs}, {x, x_os, x_rs}, {t, t_os, t_rs}, g, gs, outer,       \
                         inner);                                                                   \
  }
FUSEGRAD_ROWWISE(float, f32)
FUSEGRAD_ROWWISE(double, f64)
#undef FUSEGRAD_ROWWISE

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
