// Cross-entropies from logits, value and gradient in one visit: softmax with integer labels or with
// distributions, over rows, and sigmoid. Either output may be absent; the bits of the other one are
// the same. g is the gradient that arrives, gs its stride, 0 for one number.
#pragma once

#include "kernels/math-loss-inl.h"
#include "kernels/rows-inl.h"
#include "kernels/rowwise-inl.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- softmax with integer labels y
// loss = (m - x_y) + log1p(s); dx_j = g (p_j - [j = y]), where p_y - 1 is -s / (1 + s) for a
// largest x_y. A label outside [0, inner) gives a NaN loss.
template <class T, class Walk>
FUSEGRAD_INLINE void ce_tile(const Walk& walk, const Tile<T>& tile, T* loss, const int64_t* labels,
                             const T* g, int64_t gs) {
  const Softmax<T, Walk> row(walk, tile);
  const DoubleVD d = logit_gap<T>(walk.load_at(tile.x, labels), row.top);
  if (loss != nullptr) walk.store_row(loss, (row.total.log - d.lo) - d.hi);
  if (g == nullptr) return;
  const VD scale = walk.load_row(g, gs);
  const VD at_label = VD{} - row.complement(exp_to_one<T>(d.hi, d.lo)) * scale;
  walk.for_slots([&](int64_t i, auto whole) FUSEGRAD_INLINE_LAMBDA {
    walk.store(tile.y, i, row.share(row.exponential(i, whole), scale), whole);
  });
  walk.store_at(tile.y, labels, at_label);
}

// ---- softmax with a distribution t per row
// loss = sum t_j ((m - x_j) + log1p(s)), where t_j = 0 counts as 0 even for an infinite logit;
// dx_j = g (p_j (sum(t) - t_j) - t_j (1 - p_j)): for a one-hot t, the integer form.
template <class T, class Walk>
FUSEGRAD_INLINE void ce_dist_tile(const Walk& walk, const Tile<T>& tile, T* loss, const T* g,
                                  int64_t gs) {
  const Softmax<T, Walk> row(walk, tile);
  if (loss != nullptr) {
    const VD l = row.total.log;
    walk.store_row(loss, walk.sum_all([&](int64_t i, auto whole) FUSEGRAD_INLINE_LAMBDA {
      const DoubleVD d = row.gap(i, whole);
      const VD w = walk.load(tile.t, i, whole);
      return select(w == 0.0, VD{}, w * ((l - d.lo) - d.hi));
    }));
  }
  if (g == nullptr) return;
  const VD total = walk.sum_all([&](int64_t i, auto whole)
                                    FUSEGRAD_INLINE_LAMBDA { return walk.load(tile.t, i, whole); });
  const VD scale = walk.load_row(g, gs);
  walk.for_slots([&](int64_t i, auto whole) FUSEGRAD_INLINE_LAMBDA {
    const VD w = walk.load(tile.t, i, whole);
    const VD e = row.exponential(i, whole);
    const VD dv = row.share(e) * (total - w) - w * row.complement(e);
    walk.store(tile.y, i, dv * scale, whole);
  });
}

// p + offset, but null stays.
template <class T>
FUSEGRAD_INLINE T* from(T* p, int64_t offset) {
  return p == nullptr ? p : p + offset;
}

template <class T>
FUSEGRAD_INLINE void ce_rows(T* loss, const Rows<T>& dx, const Rows<const T>& x,
                             const int64_t* labels, const T* g, int64_t gs, int64_t outer,
                             int64_t inner, Scratch scratch) {
  const auto body = [&](const auto& walk, const Tile<T>& tile) FUSEGRAD_INLINE_LAMBDA {
    const int64_t o = tile.first;
    ce_tile<T>(walk, tile, from(loss, o), labels + o, from(g, o * gs), gs);
  };
  for_tiles<T>(x, {}, dx, outer, inner, scratch, body);
}

template <class T>
FUSEGRAD_INLINE void ce_dist_rows(T* loss, const Rows<T>& dx, const Rows<const T>& x,
                                  const Rows<const T>& t, const T* g, int64_t gs, int64_t outer,
                                  int64_t inner, Scratch scratch) {
  const auto body = [&](const auto& walk, const Tile<T>& tile) FUSEGRAD_INLINE_LAMBDA {
    const int64_t o = tile.first;
    ce_dist_tile<T>(walk, tile, from(loss, o), from(g, o * gs), gs);
  };
  for_tiles<T>(x, t, dx, outer, inner, scratch, body);
}

// ---- sigmoid, elementwise
// loss = (1 - t) softplus(x) + t softplus(-x), where a factor of 0 hides an infinite softplus;
// dx = ((1 - t) sigmoid(x) - t sigmoid(-x)) g.
template <class T>
FUSEGRAD_INLINE VD sigmoid_loss(VD x, VD t, const SigmoidParts& parts) {
  if constexpr (sizeof(T) == 4) {
    // max(x, 0) - x t + tail: the product is exact, and 1e300 is infinite as a float.
    const VD finite = max(set1(-1e300), min(set1(1e300), x));  // NaN stays
    return fma(-finite, t, relu(finite)) + parts.tail;
  } else {
    const VD off = relu(x) + parts.tail;
    const VD on = relu(-x) + parts.tail;
    return select(t == 0.0, off, select(t == 1.0, on, (1.0 - t) * off + t * on));
  }
}

// kCount vectors from element i on; the last one has `count` lanes.
template <class T, int kCount>
FUSEGRAD_INLINE void sigmoid_ce_step(T* loss, int64_t ls, T* dx, int64_t dxs, const T* x,
                                     int64_t xs, const T* t, int64_t ts, const T* g, int64_t gs,
                                     int64_t i, int64_t count) {
  VD logit[kCount];
  for (int k = 0; k < kCount; ++k) logit[k] = load_lanes(x + (i + k * kLanesD) * xs, xs, count);
  SigmoidParts parts[kCount];
  sigmoid_parts<T, kCount>(parts, logit);
  for (int k = 0; k < kCount; ++k) {
    const int64_t at = i + k * kLanesD;
    const VD target = load_lanes(t + at * ts, ts, count);
    if (loss != nullptr) {
      store_lanes(loss + at * ls, ls, sigmoid_loss<T>(logit[k], target, parts[k]), count);
    }
    if (dx == nullptr) continue;
    const VI64 positive = logit[k] >= 0.0;
    const VD on = select(positive, parts[k].large, parts[k].small);
    const VD off = select(positive, parts[k].small, parts[k].large);
    const VD scale = load_lanes(g + at * gs, gs, count);
    store_lanes(dx + at * dxs, dxs, ((1.0 - target) * on - target * off) * scale, count);
  }
}

template <class T>
FUSEGRAD_INLINE void sigmoid_ce_loop(T* loss, int64_t ls, T* dx, int64_t dxs, const T* x,
                                     int64_t xs, const T* t, int64_t ts, const T* g, int64_t gs,
                                     int64_t n) {
  constexpr int kCount = kExpStep<T>;
  int64_t i = 0;
  for (; i + kCount * kLanesD <= n; i += kCount * kLanesD) {
    sigmoid_ce_step<T, kCount>(loss, ls, dx, dxs, x, xs, t, ts, g, gs, i, kLanesD);
  }
  for (; i < n; i += kLanesD) {
    const int64_t count = n - i < kLanesD ? n - i : kLanesD;
    sigmoid_ce_step<T, 1>(loss, ls, dx, dxs, x, xs, t, ts, g, gs, i, count);
  }
}

#define FUSEGRAD_CROSS_ENTROPY(T, suffix)                                                     \
  void softmax_ce_i64_##suffix(T* loss, T* dx, int64_t dx_os, int64_t dx_rs, const T* x,      \
                               int64_t x_os, int64_t x_rs, const int64_t* labels, const T* g, \
                               int64_t gs, int64_t outer, int64_t inner, double* scratch,     \
                               int64_t scratch_size) {                                        \
    ce_rows<T>(loss, {dx, dx_os, dx_rs}, {x, x_os, x_rs}, labels, g, gs, outer, inner,        \
               {scratch, scratch_size});                                                      \
  }                                                                                           \
  void softmax_ce_dist_##suffix(T* loss, T* dx, int64_t dx_os, int64_t dx_rs, const T* x,     \
                                int64_t x_os, int64_t x_rs, const T* t, int64_t t_os,         \
                                int64_t t_rs, const T* g, int64_t gs, int64_t outer,          \
                                int64_t inner, double* scratch, int64_t scratch_size) {       \
    ce_dist_rows<T>(loss, {dx, dx_os, dx_rs}, {x, x_os, x_rs}, {t, t_os, t_rs}, g, gs, outer, \
                    inner, {scratch, scratch_size});                                          \
  }                                                                                           \
  void sigmoid_ce_##suffix(T* loss, int64_t ls, T* dx, int64_t dxs, const T* x, int64_t xs,   \
                           const T* t, int64_t ts, const T* g, int64_t gs, int64_t n) {       \
    sigmoid_ce_loop(loss, ls, dx, dxs, x, xs, t, ts, g, gs, n);                               \
  }
FUSEGRAD_CROSS_ENTROPY(float, f32)
FUSEGRAD_CROSS_ENTROPY(double, f64)
#undef FUSEGRAD_CROSS_ENTROPY

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
