// Kernels that move, select and convert: fill, copy, transpose, comparisons, where, conversions
// between element types, and the search for a non-finite element.
#pragma once

#include <stddef.h>

#include "kernels/kernels.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// ---- bytes -----------------------------------------------------------------------------------

// As many bytes as a vector of T has lanes.
template <int kCount>
struct Bytes;
#define FUSEGRAD_BYTES(count)                              \
  template <>                                              \
  struct Bytes<count> {                                    \
    typedef uint8_t V __attribute__((vector_size(count))); \
  };
FUSEGRAD_BYTES(2)
FUSEGRAD_BYTES(4)
FUSEGRAD_BYTES(8)
FUSEGRAD_BYTES(16)
#undef FUSEGRAD_BYTES

template <class T>
using BytesOf = typename Bytes<Vec<T>::kLanes>::V;

// The first n bytes at p, +0 after them.
template <class B>
FUSEGRAD_INLINE B load_bytes(const uint8_t* p, int64_t n) {
  B b = {};
  if (n == static_cast<int64_t>(sizeof(B))) {
    __builtin_memcpy(&b, p, sizeof(B));
  } else {
    __builtin_memcpy(&b, p, static_cast<size_t>(n));
  }
  return b;
}

// Bytes as unsigned integers as wide as T. GCC 12 makes convertvector of bytes one lane at a time,
// so the instructions are named where there are any.
template <class T>
FUSEGRAD_INLINE typename Vec<T>::M widen_bytes(BytesOf<T> bytes) {
  typedef typename Vec<T>::M M;
#if defined(__SSE2__)
#if defined(__AVX2__)
  __m128i low = {};
  __builtin_memcpy(&low, &bytes, sizeof(bytes));
#else
  // By way of a general register: a short store and a long load from the stack would wait.
  uint32_t word = 0;
  __builtin_memcpy(&word, &bytes, sizeof(bytes));
  __m128i low = _mm_cvtsi32_si128(static_cast<int>(word));
#endif
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return reinterpret_cast<M>(_mm512_cvtepu8_epi32(low));
  if constexpr (sizeof(T) == 8) return reinterpret_cast<M>(_mm512_cvtepu8_epi64(low));
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return reinterpret_cast<M>(_mm256_cvtepu8_epi32(low));
  if constexpr (sizeof(T) == 8) return reinterpret_cast<M>(_mm256_cvtepu8_epi64(low));
#else
  const __m128i zero = {};
  low = _mm_unpacklo_epi16(_mm_unpacklo_epi8(low, zero), zero);
  if constexpr (sizeof(T) == 8) low = _mm_unpacklo_epi32(low, zero);
  return reinterpret_cast<M>(low);
#endif
#else
  return __builtin_convertvector(bytes, M);
#endif
}

template <class B>
FUSEGRAD_INLINE void store_bytes(uint8_t* p, B b, int64_t n) {
  if (n == static_cast<int64_t>(sizeof(B))) {
    __builtin_memcpy(p, &b, sizeof(B));
  } else {
    __builtin_memcpy(p, &b, static_cast<size_t>(n));
  }
}

// The next vector of a strided operand, n lanes of it; stride 0 repeats one element.
template <class T>
FUSEGRAD_INLINE typename Vec<T>::V load_strided(const T* p, int64_t s, int64_t n) {
  if (s == 1) return n == Vec<T>::kLanes ? load(p) : load_n(p, n);
  typename Vec<T>::V v = {};
  for (int i = 0; i < Vec<T>::kLanes; ++i) {
    if (i < n) v[i] = p[i * s];
  }
  return v;
}

template <class T>
FUSEGRAD_INLINE void store_strided(T* p, int64_t s, typename Vec<T>::V v, int64_t n) {
  if (s == 1 && n == Vec<T>::kLanes) {
    store(p, v);
  } else if (s == 1) {
    store_n(p, v, n);
  } else {
    for (int i = 0; i < Vec<T>::kLanes; ++i) {
      if (i < n) p[i * s] = v[i];
    }
  }
}

// body(i, n) for every group of up to kLanes elements.
template <int kLanes, class F>
FUSEGRAD_INLINE void for_groups(int64_t n, const F& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, int64_t{kLanes});
  if (i < n) body(i, n - i);
}

// ---- comparisons and where -------------------------------------------------------------------

template <class T, class F>
void compare(uint8_t* y, int64_t ys, const T* a, int64_t as, const T* b, int64_t bs, int64_t n,
             const F& relation) {
  for_groups<Vec<T>::kLanes>(n, [&](int64_t i, int64_t count) {
    const typename Vec<T>::M mask =
        relation(load_strided(a + i * as, as, count), load_strided(b + i * bs, bs, count));
    const BytesOf<T> bytes = __builtin_convertvector(mask, BytesOf<T>) & 1;
    if (ys == 1) {
      store_bytes(y + i, bytes, count);
    } else {
      for (int j = 0; j < Vec<T>::kLanes; ++j) {
        if (j < count) y[(i + j) * ys] = bytes[j];
      }
    }
  });
}

template <class T>
FUSEGRAD_INLINE void compare_op(CompareOp op, uint8_t* y, int64_t ys, const T* a, int64_t as,
                                const T* b, int64_t bs, int64_t n) {
  typedef typename Vec<T>::V V;
  switch (op) {
    case CompareOp::equal: return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u == v; });
    case CompareOp::not_equal:
      return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u != v; });
    case CompareOp::less: return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u < v; });
    case CompareOp::less_equal:
      return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u <= v; });
    case CompareOp::greater: return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u > v; });
    case CompareOp::greater_equal:
      return compare(y, ys, a, as, b, bs, n, [](V u, V v) { return u >= v; });
    case CompareOp::isnan: return compare(y, ys, a, as, b, bs, n, [](V u, V) { return u != u; });
    case CompareOp::isinf:
      return compare(y, ys, a, as, b, bs, n,
                     [](V u, V) { return abs(u) == static_cast<T>(__builtin_inf()); });
    case CompareOp::isfinite:
      return compare(y, ys, a, as, b, bs, n,
                     [](V u, V) { return abs(u) < static_cast<T>(__builtin_inf()); });
    case CompareOp::signbit:
      return compare(y, ys, a, as, b, bs, n, [](V u, V) { return bits(u) < 0; });
  }
}

template <class T>
FUSEGRAD_INLINE void where_op(T* y, int64_t ys, const uint8_t* c, int64_t cs, const T* a,
                              int64_t as, const T* b, int64_t bs, int64_t n) {
  typedef typename Vec<T>::M M;
  for_groups<Vec<T>::kLanes>(n, [&](int64_t i, int64_t count) {
    BytesOf<T> bytes = {};
    if (cs == 1) {
      bytes = load_bytes<BytesOf<T>>(c + i, count);
    } else {
      for (int j = 0; j < Vec<T>::kLanes; ++j) {
        if (j < count) bytes[j] = c[(i + j) * cs];
      }
    }
    const M mask = widen_bytes<T>(bytes) != M{};
    store_strided(
        y + i * ys, ys,
        select(mask, load_strided(a + i * as, as, count), load_strided(b + i * bs, bs, count)),
        count);
  });
}

// ---- fill, copy, transpose -------------------------------------------------------------------

template <class T>
FUSEGRAD_INLINE void fill_op(T* y, int64_t ys, T value, int64_t n) {
  for_groups<Vec<T>::kLanes>(
      n, [&](int64_t i, int64_t count) { store_strided(y + i * ys, ys, set1(value), count); });
}

template <class T>
FUSEGRAD_INLINE void copy_op(T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {
  if (ys == 1 && xs == 1) {
    if (n > 0) __builtin_memmove(y, x, static_cast<size_t>(n) * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; ++i) y[i * ys] = x[i * xs];
  }
}

// Square blocks of 16-byte rows, at every level.
typedef float SquareF __attribute__((vector_size(16)));
typedef double SquareD __attribute__((vector_size(16)));

FUSEGRAD_INLINE void transpose_square(float* y, int64_t y_rs, const float* x, int64_t x_rs) {
  SquareF r[4];
  for (int i = 0; i < 4; ++i) __builtin_memcpy(&r[i], x + i * x_rs, 16);
  const SquareF even_lo = __builtin_shufflevector(r[0], r[2], 0, 4, 1, 5);
  const SquareF even_hi = __builtin_shufflevector(r[0], r[2], 2, 6, 3, 7);
  const SquareF odd_lo = __builtin_shufflevector(r[1], r[3], 0, 4, 1, 5);
  const SquareF odd_hi = __builtin_shufflevector(r[1], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(even_lo, odd_lo, 0, 4, 1, 5);
  r[1] = __builtin_shufflevector(even_lo, odd_lo, 2, 6, 3, 7);
  r[2] = __builtin_shufflevector(even_hi, odd_hi, 0, 4, 1, 5);
  r[3] = __builtin_shufflevector(even_hi, odd_hi, 2, 6, 3, 7);
  for (int i = 0; i < 4; ++i) __builtin_memcpy(y + i * y_rs, &r[i], 16);
}

FUSEGRAD_INLINE void transpose_square(double* y, int64_t y_rs, const double* x, int64_t x_rs) {
  SquareD r[2];
  for (int i = 0; i < 2; ++i) __builtin_memcpy(&r[i], x + i * x_rs, 16);
  const SquareD lo = __builtin_shufflevector(r[0], r[1], 0, 2);
  const SquareD hi = __builtin_shufflevector(r[0], r[1], 1, 3);
  __builtin_memcpy(y, &lo, 16);
  __builtin_memcpy(y + y_rs, &hi, 16);
}

// y[j*y_rs + i] = x[i*x_rs + j], in strips of rows that fill one cache line of y, so that a line is
// written once however long the strip is. The last squares overlap those before them.
template <class T>
FUSEGRAD_INLINE void transpose_op(T* y, int64_t y_rs, const T* x, int64_t x_rs, int64_t rows,
                                  int64_t cols) {
  constexpr int64_t kSide = 16 / sizeof(T);
  constexpr int64_t kStrip = 64 / sizeof(T);
  if (rows < kSide || cols < kSide) {
    for (int64_t j = 0; j < cols; ++j) {
      for (int64_t i = 0; i < rows; ++i) y[j * y_rs + i] = x[i * x_rs + j];
    }
    return;
  }
  for (int64_t first = 0; first < rows; first += kStrip) {
    const int64_t end = rows - first < kStrip ? rows : first + kStrip;
    for (int64_t next = 0; next < cols; next += kSide) {
      const int64_t j = next < cols - kSide ? next : cols - kSide;
      for (int64_t i = first; i < end; i += kSide) {
        const int64_t k = i < rows - kSide ? i : rows - kSide;
        transpose_square(y + j * y_rs + k, y_rs, x + k * x_rs + j, x_rs);
      }
    }
  }
}

// ---- conversions and checks ------------------------------------------------------------------

template <class To, class From>
FUSEGRAD_INLINE void convert_op(To* y, int64_t ys, const From* x, int64_t xs, int64_t n) {
  if (ys != 1 || xs != 1) {
    for (int64_t i = 0; i < n; ++i) y[i * ys] = static_cast<To>(x[i * xs]);
    return;
  }
  for_groups<kLanesD>(n, [&](int64_t i, int64_t count) {
    if (count == kLanesD) {
      store_narrow(y + i, load_widen(x + i));
    } else {
      store_narrow_n(y + i, load_widen_n(x + i, count), count);
    }
  });
}

// x * scale + offset, each operation rounded.
template <class T>
FUSEGRAD_INLINE void from_u8_op(T* y, const uint8_t* x, int64_t n, T scale, T offset) {
  typedef typename Vec<T>::V V;
  typedef typename Vec<T>::M M;
  for_groups<Vec<T>::kLanes>(n, [&](int64_t i, int64_t count) {
    const M whole = widen_bytes<T>(load_bytes<BytesOf<T>>(x + i, count));
    // Via int32 bits: every level converts 32-bit integers, not all convert 64-bit ones.
    V v;
    if constexpr (sizeof(T) == 4) {
      v = __builtin_convertvector(whole, V);
    } else {
      v = from_bits(whole | 0x4330000000000000) - 0x1p52;
    }
    store_strided(y + i, 1, v * scale + offset, count);
  });
}

template <class T>
FUSEGRAD_INLINE int64_t first_not_finite(const T* x, int64_t n) {
  typedef typename Vec<T>::V V;
  constexpr int kLanes = Vec<T>::kLanes;
  const V limit = set1(static_cast<T>(__builtin_inf()));
  int64_t i = 0;
  // x - x is 0 for a finite x and NaN otherwise; both add up without hiding a NaN.
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    const V u = load(x + i);
    const V v = load(x + i + kLanes);
    const V w = load(x + i + 2 * kLanes);
    const V z = load(x + i + 3 * kLanes);
    const V t = ((u - u) + (v - v)) + ((w - w) + (z - z));
    if (__builtin_expect(any(t != t), 0)) break;
  }
  for (; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    const V v = load_strided(x + i, 1, count);
    // A NaN compares false, so the finite test is the one negated.
    if (any(~(abs(v) < limit))) {
      for (int64_t j = i; j < i + count; ++j) {
        if (!(x[j] - x[j] == 0)) return j;
      }
    }
  }
  return -1;
}

#define FUSEGRAD_COPIES(T, suffix)                                                                \
  void compare_##suffix(CompareOp op, uint8_t* y, int64_t ys, const T* a, int64_t as, const T* b, \
                        int64_t bs, int64_t n) {                                                  \
    compare_op(op, y, ys, a, as, b, bs, n);                                                       \
  }                                                                                               \
  void where_##suffix(T* y, int64_t ys, const uint8_t* c, int64_t cs, const T* a, int64_t as,     \
                      const T* b, int64_t bs, int64_t n) {                                        \
    where_op(y, ys, c, cs, a, as, b, bs, n);                                                      \
  }                                                                                               \
  void fill_##suffix(T* y, int64_t ys, double value, int64_t n) {                                 \
    fill_op(y, ys, static_cast<T>(value), n);                                                     \
  }                                                                                               \
  void copy_##suffix(T* y, int64_t ys, const T* x, int64_t xs, int64_t n) {                       \
    copy_op(y, ys, x, xs, n);                                                                     \
  }                                                                                               \
  void transpose_##suffix(T* y, int64_t y_rs, const T* x, int64_t x_rs, int64_t rows,             \
                          int64_t cols) {                                                         \
    transpose_op(y, y_rs, x, x_rs, rows, cols);                                                   \
  }                                                                                               \
  int64_t all_finite_##suffix(const T* x, int64_t n) { return first_not_finite(x, n); }
FUSEGRAD_COPIES(float, f32)
FUSEGRAD_COPIES(double, f64)
#undef FUSEGRAD_COPIES

void f64_from_u8(double* y, const uint8_t* x, int64_t n, double scale, double offset) {
  from_u8_op(y, x, n, scale, offset);
}
void f32_from_f64(float* y, int64_t ys, const double* x, int64_t xs, int64_t n) {
  convert_op(y, ys, x, xs, n);
}
void f64_from_f32(double* y, int64_t ys, const float* x, int64_t xs, int64_t n) {
  convert_op(y, ys, x, xs, n);
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
