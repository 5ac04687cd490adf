// Two ways to walk the rows of a strided matrix with vectors of doubles, behind one interface, so
// that every row kernel is written once: AcrossRows puts one row in each lane, AlongRow puts 16
// consecutive elements of one row in 16 lanes. Both visit, add and compare in the contract's order
// (lane = index modulo 16, then the fixed tree), so the choice never changes a bit.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Element (o, r) of a matrix is p[o*os + r*rs].
template <class T>
struct Rows {
  T* p;
  int64_t os, rs;
};

// The extreme element of a row and the index where it first occurs (NaN is the extreme of all).
struct Extreme {
  VD value, index;
};

FUSEGRAD_INLINE VD lane_numbers() {
  VD v = {};
  for (int i = 0; i < kLanesD; ++i) v[i] = i;
  return v;
}

// kLanesD elements of stride s; lanes from count on repeat the last element.
template <class T>
FUSEGRAD_INLINE VD gather_widen(const T* p, int64_t s, int64_t count) {
  const int64_t last = count - 1;
  const auto at = [&](int64_t i) { return static_cast<double>(p[(i < last ? i : last) * s]); };
  if constexpr (kLanesD == 8) {
    if (count == kLanesD) {
      return VD{static_cast<double>(p[0]),     static_cast<double>(p[s]),
                static_cast<double>(p[2 * s]), static_cast<double>(p[3 * s]),
                static_cast<double>(p[4 * s]), static_cast<double>(p[5 * s]),
                static_cast<double>(p[6 * s]), static_cast<double>(p[7 * s])};
    }
    return VD{at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)};
  } else if constexpr (kLanesD == 4) {
    return VD{at(0), at(1), at(2), at(3)};
  } else {
    return VD{at(0), at(1)};
  }
}

template <class T>
FUSEGRAD_INLINE VD load_lanes(const T* p, int64_t s, int64_t count) {
  if (s == 1) return count == kLanesD ? load_widen(p) : load_widen_n(p, count);
  return gather_widen(p, s, count);
}

template <class T>
FUSEGRAD_INLINE void store_lanes(T* p, int64_t s, VD v, int64_t count) {
  if (s == 1) {
    if (count == kLanesD) {
      store_narrow(p, v);
    } else {
      store_narrow_n(p, v, count);
    }
    return;
  }
  alignas(64) T buffer[kLanesD];
  store_narrow(buffer, v);
  for (int64_t i = 0; i < count; ++i) p[i * s] = buffer[i];
}

// The later of two candidates replaces the earlier one only when it is strictly more extreme.
FUSEGRAD_INLINE void keep_extreme(Extreme& best, VD value, VD index, VI64 allowed) {
  const VI64 first_nan = (value != value) & (best.value == best.value);
  const VI64 take = ((value > best.value) | first_nan) & allowed;
  best.value = select(take, value, best.value);
  best.index = select(take, index, best.index);
}

// Lane i is row first + i; count rows are real.
struct AcrossRows {
  int64_t inner, first, count;

  FUSEGRAD_INLINE int64_t slots() const { return inner; }
  FUSEGRAD_INLINE VD index(int64_t slot) const { return set1(static_cast<double>(slot)); }

  template <class T>
  FUSEGRAD_INLINE VD load(const Rows<const T>& x, int64_t slot) const {
    return load_lanes(x.p + first * x.os + slot * x.rs, x.os, count);
  }
  template <class T>
  FUSEGRAD_INLINE void store(const Rows<T>& y, int64_t slot, VD v) const {
    store_lanes(y.p + first * y.os + slot * y.rs, y.os, v, count);
  }
  // One value per row.
  template <class T>
  FUSEGRAD_INLINE VD load_row(const T* p, int64_t s) const {
    return load_lanes(p + first * s, s, count);
  }
  template <class T>
  FUSEGRAD_INLINE void store_row(T* p, VD v) const {
    store_lanes(p + first, 1, v, count);
  }
  FUSEGRAD_INLINE VD load_labels(const int64_t* p) const {
    return gather_widen(p + first, 1, count);
  }
  // As store_row, for values that are right in the lane that held the label's element.
  template <class T>
  FUSEGRAD_INLINE void store_labelled(T* p, VD v, VD) const {
    store_row(p, v);
  }
  FUSEGRAD_INLINE void store_indices(int64_t* p, VD v) const {
    for (int64_t i = 0; i < kLanesD; ++i) {
      if (i < count) p[first + i] = static_cast<int64_t>(v[i]);
    }
  }

  static FUSEGRAD_INLINE VD tree(VD (&lane)[16]) {
    for (int s = 8; s > 0; s /= 2) {
      for (int j = 0; j < s; ++j) lane[j] = lane[j] + lane[j + s];
    }
    return lane[0];
  }
  // The sum over the row of term(slot), for terms of a few instructions.
  template <class F>
  FUSEGRAD_INLINE VD sum(const F& term) const {
    VD lane[16] = {};
    int64_t r = 0;
    for (; r + 16 <= inner; r += 16) {
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j) lane[j] = lane[j] + term(r + j);
    }
#pragma GCC unroll 16
    for (int j = 0; j < 15; ++j) {
      if (r + j < inner) lane[j] = lane[j] + term(r + j);
    }
    return tree(lane);
  }
  // The same sum without unrolling, for long terms.
  template <class F>
  FUSEGRAD_INLINE VD sum_long(const F& term) const {
    VD lane[16] = {};
#pragma GCC unroll 1
    for (int64_t r = 0; r < inner; ++r) lane[r & 15] = lane[r & 15] + term(r);
    return tree(lane);
  }

  // value(slot) is the element, or its negative to find the smallest.
  template <class F>
  FUSEGRAD_INLINE Extreme extreme(const F& value) const {
    Extreme best = {value(0), VD{}};
    for (int64_t r = 1; r < inner; ++r) {
      keep_extreme(best, value(r), index(r), ~VI64{});
    }
    return best;
  }
};

// One row; lanes are consecutive elements. A slot is kLanesD of them.
struct AlongRow {
  int64_t inner, first, count;

  FUSEGRAD_INLINE int64_t slots() const { return (inner + kLanesD - 1) / kLanesD; }
  FUSEGRAD_INLINE VD index(int64_t slot) const {
    return lane_numbers() + static_cast<double>(slot * kLanesD);
  }
  FUSEGRAD_INLINE int64_t lanes_in(int64_t slot) const {
    const int64_t left = inner - slot * kLanesD;
    return left < kLanesD ? left : kLanesD;
  }

  template <class T>
  FUSEGRAD_INLINE VD load(const Rows<const T>& x, int64_t slot) const {
    return load_lanes(x.p + first * x.os + slot * kLanesD * x.rs, x.rs, lanes_in(slot));
  }
  template <class T>
  FUSEGRAD_INLINE void store(const Rows<T>& y, int64_t slot, VD v) const {
    store_lanes(y.p + first * y.os + slot * kLanesD * y.rs, y.rs, v, lanes_in(slot));
  }
  template <class T>
  FUSEGRAD_INLINE VD load_row(const T* p, int64_t s) const {
    return set1(static_cast<double>(p[first * s]));
  }
  template <class T>
  FUSEGRAD_INLINE void store_row(T* p, VD v) const {
    p[first] = static_cast<T>(v[0]);
  }
  FUSEGRAD_INLINE VD load_labels(const int64_t* p) const {
    return set1(static_cast<double>(p[first]));
  }
  template <class T>
  FUSEGRAD_INLINE void store_labelled(T* p, VD v, VD label) const {
    alignas(64) double lanes[kLanesD];
    simd::FUSEGRAD_ISA::store(lanes, v);
    const int64_t j = static_cast<int64_t>(label[0]);
    p[first] = static_cast<T>(lanes[j & (kLanesD - 1)]);
  }
  FUSEGRAD_INLINE void store_indices(int64_t* p, VD v) const {
    p[first] = static_cast<int64_t>(v[0]);
  }

  FUSEGRAD_INLINE VI64 real_lanes(int64_t slot) const {
    return index(slot) < static_cast<double>(inner);
  }
  template <class F>
  FUSEGRAD_INLINE VD sum(const F& term) const {
    Lanes16 lanes = lanes16_zero();
    int64_t slot = 0;
    for (; (slot + kLanes16Vectors) * kLanesD <= inner; slot += kLanes16Vectors) {
#pragma GCC unroll 16
      for (int j = 0; j < kLanes16Vectors; ++j) lanes.v[j] = lanes.v[j] + term(slot + j);
    }
#pragma GCC unroll 16
    for (int j = 0; j < kLanes16Vectors; ++j) {
      if ((slot + j) * kLanesD < inner) {
        lanes.v[j] = lanes.v[j] + select(real_lanes(slot + j), term(slot + j), VD{});
      }
    }
    return set1(lanes16_sum(lanes));
  }
  template <class F>
  FUSEGRAD_INLINE VD sum_long(const F& term) const {
    Lanes16 lanes = lanes16_zero();
    const int64_t n = slots();
#pragma GCC unroll 1
    for (int64_t slot = 0; slot < n; ++slot) {
      VD& lane = lanes.v[slot & (kLanes16Vectors - 1)];
      lane = lane + select(real_lanes(slot), term(slot), VD{});
    }
    return set1(lanes16_sum(lanes));
  }

  template <class F>
  FUSEGRAD_INLINE Extreme extreme(const F& value) const {
    Extreme best = {set1(-__builtin_inf()), lane_numbers()};
    const int64_t n = slots();
    for (int64_t slot = 0; slot < n; ++slot) {
      keep_extreme(best, value(slot), index(slot), real_lanes(slot));
    }
    double top = best.value[0];
    double where = best.index[0];
    for (int i = 1; i < kLanesD && i < inner; ++i) {
      const double v = best.value[i];
      const bool more = v > top || (v != v && top == top);
      const bool same = v == top || (v != v && top != top);
      if (more || (same && best.index[i] < where)) {
        top = v;
        where = best.index[i];
      }
    }
    return {set1(top), set1(where)};
  }
};

// Runs body(walk) over all rows, with lanes across the rows where those are adjacent in memory, or
// where rows are too short to fill lanes and `long_terms` says that arithmetic outweighs gathering.
template <class F>
FUSEGRAD_INLINE void for_rows(int64_t outer, int64_t os, int64_t inner, int64_t rs, bool long_terms,
                              const F& body) {
  const bool adjacent = os == 1 && (rs != 1 || outer >= kLanesD);
  const bool short_rows = long_terms && inner <= 16 && outer >= kLanesD;
  if (adjacent || short_rows) {
    for (int64_t o = 0; o < outer; o += kLanesD) {
      const int64_t left = outer - o;
      body(AcrossRows{inner, o, left < kLanesD ? left : kLanesD});
    }
  } else {
    for (int64_t o = 0; o < outer; ++o) body(AlongRow{inner, o, 1});
  }
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
