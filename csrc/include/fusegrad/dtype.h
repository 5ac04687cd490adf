// Element types: float32 and float64 for arithmetic, integers and booleans for labels, indices,
// masks and raw inputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

enum class DType : uint8_t { float32, float64, int32, int64, uint8, boolean };

constexpr int kNumDTypes = 6;

constexpr int64_t itemsize(DType dtype) {
  constexpr int64_t kSizes[kNumDTypes] = {4, 8, 4, 8, 1, 1};
  return kSizes[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float64;
}

// "float32", "float64", "int32", "int64", "uint8", "bool": NumPy's names.
FUSEGRAD_API const char* name(DType dtype);

// The type that holds both, by NumPy's rules for arrays (NEP 50).
FUSEGRAD_API DType promote(DType a, DType b);

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};

}  // namespace fusegrad
