// From a dtype at run time to a C++ type, and to the kernel of that type.
//
// FUSEGRAD_TYPED(T, exp) is kernels().exp_f32 or kernels().exp_f64.
#pragma once

#include <type_traits>

#include "fusegrad/dtype.h"
#include "kernels/kernels.h"

namespace fusegrad {

template <typename T, typename F32, typename F64>
constexpr auto pick(F32 f32, F64 f64) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>, "kernels are for floats");
  if constexpr (std::is_same_v<T, float>) {
    return f32;
  } else {
    return f64;
  }
}

#define FUSEGRAD_TYPED(T, name) \
  ::fusegrad::pick<T>(::fusegrad::kernels().name##_f32, ::fusegrad::kernels().name##_f64)

// Calls f(T()) for the floating type `dtype`.
template <typename F>
void by_float(DType dtype, const F& f) {
  if (dtype == DType::float32) {
    f(float());
  } else {
    f(double());
  }
}

// Calls f(T()) for a dtype with arithmetic.
template <typename F>
void by_number(DType dtype, const F& f) {
  switch (dtype) {
    case DType::float32: return f(float());
    case DType::float64: return f(double());
    case DType::int32: return f(int32_t());
    default: return f(int64_t());
  }
}

// What a sum or product of T is carried in.
template <typename T>
using Carried = std::conditional_t<std::is_floating_point_v<T>, double, T>;

// Calls f(T()) for any element type; booleans are bytes that hold 0 or 1.
template <typename F>
void by_dtype(DType dtype, const F& f) {
  switch (dtype) {
    case DType::float32: return f(float());
    case DType::float64: return f(double());
    case DType::int32: return f(int32_t());
    case DType::int64: return f(int64_t());
    case DType::uint8:
    case DType::boolean: return f(uint8_t());
  }
}

// a op b for integers without undefined overflow: modulo 2^bits, as NumPy.
template <typename T>
constexpr T wrap_add(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
}
template <typename T>
constexpr T wrap_subtract(T a, T b) {
  using U = std::make_unsigned_t<T>;
  return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
}
template <typename T>
constexpr T wrap_multiply(T a, T b) {
  return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

// a + b and a * b of numbers that are carried: floats rounded, integers modulo 2^bits.
template <typename T>
constexpr T plus(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    return wrap_add(a, b);
  }
}
template <typename T>
constexpr T times(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a * b;
  } else {
    return wrap_multiply(a, b);
  }
}

}  // namespace fusegrad
