// Two ways to walk the rows of a strided matrix with vectors of doubles, behind one interface, so
// that every row kernel is written once: AcrossRows puts one row in each lane, AlongRow puts 16
// consecutive elements of one row in 16 lanes. Both visit, add and compare in the contract's order
// (lane = index modulo 16, then the fixed tree), so the choice never changes a bit.
#pragma once

#include <type_traits>

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Element (o, r) of a matrix is p[o*os + r*rs].
template <class T>
struct Rows {
  T* p = nullptr;
  int64_t os = 0, rs = 0;

  // The rows from o on; none stay none.
  FUSEGRAD_INLINE Rows from(int64_t o) const { return {p == nullptr ? p : p + o * os, os, rs}; }
};

// What a visitor of slots is told: whether every lane holds an element.
typedef std::true_type Whole;
typedef std::false_type Partial;

// The extreme element of a row and the index where it first occurs (NaN is the extreme of all).
struct Extreme {
  VD value, index;
};

FUSEGRAD_INLINE VD lane_numbers() {
  VD v = {};
  for (int i = 0; i < kLanesD; ++i) v[i] = i;
  return v;
}

// value(0), value(1), ... as one vector, which takes no way through memory.
template <class F>
FUSEGRAD_INLINE VD from_lanes(const F& value) {
  if constexpr (kLanesD == 8) {
    return VD{value(0), value(1), value(2), value(3), value(4), value(5), value(6), value(7)};
  } else if constexpr (kLanesD == 4) {
    return VD{value(0), value(1), value(2), value(3)};
  } else {
    return VD{value(0), value(1)};
  }
}

// kLanesD elements of stride s; lanes from count on repeat the last element.
template <class T>
FUSEGRAD_INLINE VD gather_widen(const T* p, int64_t s, int64_t count) {
  const int64_t last = count - 1;
  return from_lanes([&](int64_t i) FUSEGRAD_INLINE_LAMBDA {
    return static_cast<double>(p[(i < last ? i : last) * s]);
  });
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
  FUSEGRAD_INLINE VD load(const Rows<const T>& x, int64_t slot, Whole = {}) const {
    return load_lanes(x.p + first * x.os + slot * x.rs, x.os, count);
  }
  template <class T>
  FUSEGRAD_INLINE void store(const Rows<T>& y, int64_t slot, VD v, Whole = {}) const {
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
  // The element of each row at its label; NaN for a label outside the row.
  template <class T>
  FUSEGRAD_INLINE VD load_at(const Rows<const T>& x, const int64_t* labels) const {
    return from_lanes([&](int64_t i) FUSEGRAD_INLINE_LAMBDA {
      const int64_t row = first + (i < count ? i : count - 1);
      const int64_t j = labels[row];
      return j >= 0 && j < inner ? static_cast<double>(x.p[row * x.os + j * x.rs])
                                 : __builtin_nan("");
    });
  }
  template <class T>
  FUSEGRAD_INLINE void store_at(const Rows<T>& y, const int64_t* labels, VD v) const {
    alignas(64) T buffer[kLanesD];
    store_narrow(buffer, v);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t j = labels[first + i];
      if (j >= 0 && j < inner) y.p[(first + i) * y.os + j * y.rs] = buffer[i];
    }
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

  // f(slot, whole) for every slot.
  template <class F>
  FUSEGRAD_INLINE void for_slots(const F& f) const {
#pragma GCC unroll 1
    for (int64_t r = 0; r < inner; ++r) f(r, Whole());
  }
  // The sum of term(slot, whole) over the row.
  template <class F>
  FUSEGRAD_INLINE VD sum_all(const F& term) const {
    return sum_long([&](int64_t r) FUSEGRAD_INLINE_LAMBDA { return term(r, Whole()); });
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
  template <class T, bool kWhole>
  FUSEGRAD_INLINE VD load(const Rows<const T>& x, int64_t slot, std::bool_constant<kWhole>) const {
    const int64_t lanes = kWhole ? kLanesD : lanes_in(slot);
    return load_lanes(x.p + first * x.os + slot * kLanesD * x.rs, x.rs, lanes);
  }
  template <class T, bool kWhole>
  FUSEGRAD_INLINE void store(const Rows<T>& y, int64_t slot, VD v,
                             std::bool_constant<kWhole>) const {
    const int64_t lanes = kWhole ? kLanesD : lanes_in(slot);
    store_lanes(y.p + first * y.os + slot * kLanesD * y.rs, y.rs, v, lanes);
  }
  template <class T>
  FUSEGRAD_INLINE VD load_row(const T* p, int64_t s) const {
    return set1(static_cast<double>(p[first * s]));
  }
  template <class T>
  FUSEGRAD_INLINE void store_row(T* p, VD v) const {
    p[first] = static_cast<T>(v[0]);
  }
  template <class T>
  FUSEGRAD_INLINE VD load_at(const Rows<const T>& x, const int64_t* labels) const {
    const int64_t j = labels[first];
    return set1(j >= 0 && j < inner ? static_cast<double>(x.p[first * x.os + j * x.rs])
                                    : __builtin_nan(""));
  }
  template <class T>
  FUSEGRAD_INLINE void store_at(const Rows<T>& y, const int64_t* labels, VD v) const {
    const int64_t j = labels[first];
    if (j >= 0 && j < inner) y.p[first * y.os + j * y.rs] = static_cast<T>(v[0]);
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
  FUSEGRAD_INLINE void for_slots(const F& f) const {
    const int64_t n = inner / kLanesD;
    for (int64_t slot = 0; slot < n; ++slot) f(slot, Whole());
    if (n * kLanesD < inner) f(n, Partial());
  }
  // Adds the terms of the slots [slot, end), all whole; slot is a multiple of a group's.
  template <int kCount, class F>
  static FUSEGRAD_INLINE int64_t add_whole(Lanes16& lanes, int64_t slot, int64_t end,
                                           const F& terms) {
#pragma GCC unroll 1
    for (; slot + kCount <= end; slot += kCount) {
      VD v[kCount];
      terms(slot, Whole(), v);
#pragma GCC unroll 16
      for (int j = 0; j < kCount; ++j) {
        VD& lane = lanes.v[j & (kLanes16Vectors - 1)];
        lane = lane + v[j];
      }
    }
    return slot;
  }
  // Adds the terms of the last group, which is not whole.
  template <class F>
  FUSEGRAD_INLINE void add_rest(Lanes16& lanes, int64_t slot, const F& terms) const {
    for (int j = 0; j < kLanes16Vectors && slot * kLanesD < inner; ++j, ++slot) {
      VD v[1];
      terms(slot, Partial(), v);
      lanes.v[j] = lanes.v[j] + select(real_lanes(slot), v[0], VD{});
    }
  }
  // Whether kCount vectors of whole slots may hold `value`: for adjacent elements, whether they do.
  template <int kCount, class T>
  FUSEGRAD_INLINE bool may_hold(const Rows<const T>& x, int64_t slot, T value) const {
    if (x.rs != 1) return true;
    const T* const p = x.p + first * x.os + slot * kLanesD;
    typename Vec<T>::M found = {};
#pragma GCC unroll 16
    for (int i = 0; i < kCount * kLanesD; i += Vec<T>::kLanes) {
      found |= simd::FUSEGRAD_ISA::load(p + i) == set1(value);
    }
    return any(found);
  }
  // The sum of terms over the elements of x that are not `top`, plus the number of others less one.
  // terms(slot, whole, v) fills the array v with the terms of as many slots.
  template <int kStep, class T, class F>
  FUSEGRAD_INLINE VD sum_except_top(const Rows<const T>& x, VD top, const F& terms) const {
    constexpr int kGroup = kLanes16Vectors;
    constexpr int kMany = kStep > kGroup ? kStep : kGroup;
    VD others = {};
    const auto below = [&](int64_t slot, auto whole, auto& v) FUSEGRAD_INLINE_LAMBDA {
      constexpr int kCount = static_cast<int>(sizeof v / sizeof v[0]);
      terms(slot, whole, v);
      if constexpr (decltype(whole)::value) {
        if (!may_hold<kCount>(x, slot, static_cast<T>(top[0]))) return;
      }
      for (int k = 0; k < kCount; ++k) {
        const VI64 is_top = load(x, slot + k, whole) == top;
        others = others + select(is_top & real_lanes(slot + k), set1(1.0), VD{});
        v[k] = select(is_top, VD{}, v[k]);
      }
    };
    Lanes16 lanes = lanes16_zero();
    const int64_t whole = inner / 16 * kGroup;
    const int64_t slot = add_whole<kMany>(lanes, 0, whole, below);
    add_whole<kGroup>(lanes, slot, whole, below);
    add_rest(lanes, whole, below);
    double ties = -1.0;
    for (int j = 0; j < kLanesD; ++j) ties += others[j];
    return set1(lanes16_sum(lanes) + ties);
  }
  template <class F>
  FUSEGRAD_INLINE VD sum_all(const F& term) const {
    const auto terms = [&](int64_t slot, auto whole, auto& v) FUSEGRAD_INLINE_LAMBDA {
      constexpr int kCount = static_cast<int>(sizeof v / sizeof v[0]);
      for (int k = 0; k < kCount; ++k) v[k] = term(slot + k, whole);
    };
    Lanes16 lanes = lanes16_zero();
    const int64_t whole = inner / 16 * kLanes16Vectors;
    add_whole<kLanes16Vectors>(lanes, 0, whole, terms);
    add_rest(lanes, whole, terms);
    return set1(lanes16_sum(lanes));
  }
  // The largest element; NaN exactly where the first one is, as across rows.
  template <class T>
  FUSEGRAD_INLINE VD largest(const Rows<const T>& x) const {
    const T* const p = x.p + first * x.os;
    const int64_t s = x.rs;
    constexpr int kLanes = Vec<T>::kLanes;
    if (s == 1 && inner >= kLanes) {
      typedef typename Vec<T>::V V;
      const V start = set1(p[0]);
      V best[4] = {start, start, start, start};
      int64_t i = 0;
      for (; i + 4 * kLanes <= inner; i += 4 * kLanes) {
        for (int j = 0; j < 4; ++j) {
          best[j] = max(simd::FUSEGRAD_ISA::load(p + i + j * kLanes), best[j]);
        }
      }
      for (; i + kLanes <= inner; i += kLanes) {
        best[0] = max(simd::FUSEGRAD_ISA::load(p + i), best[0]);
      }
      best[1] = max(simd::FUSEGRAD_ISA::load(p + inner - kLanes), best[1]);
      T each[kLanes];
      simd::FUSEGRAD_ISA::store(each, max(max(best[0], best[1]), max(best[2], best[3])));
#pragma GCC unroll 4
      for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int j = 0; j < half; ++j) {
          each[j] = each[j + half] > each[j] ? each[j + half] : each[j];
        }
      }
      return set1(static_cast<double>(each[0]));
    }
    T top = p[0];
    for (int64_t i = 1; i < inner; ++i) top = p[i * s] > top ? p[i * s] : top;
    return set1(static_cast<double>(top));
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

// Runs body(walk) over all rows, with lanes across the rows where those are adjacent in memory.
template <class F>
FUSEGRAD_INLINE void for_rows(int64_t outer, int64_t os, int64_t inner, int64_t rs, const F& body) {
  if (os == 1 && (rs != 1 || outer >= kLanesD)) {
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
