// Names of element types, and their promotion.
// The table follows NumPy's rules for arrays (NEP 50).
// Scalars of the calling language are weak, which the bindings handle before they come here.
#include "fusegrad/dtype.h"

namespace fusegrad {

const char* name(DType dtype) {
  static constexpr const char* kNames[kNumDTypes] = {"float32", "float64", "int32",
                                                     "int64",   "uint8",   "bool"};
  return kNames[static_cast<int>(dtype)];
}

DType promote(DType a, DType b) {
  constexpr DType f4 = DType::float32, f8 = DType::float64, i4 = DType::int32, i8 = DType::int64,
                  u1 = DType::uint8, b1 = DType::boolean;
  // float32 holds uint8 and bool exactly but not int32.
  static constexpr DType kTable[kNumDTypes][kNumDTypes] = {
      {f4, f8, f8, f8, f4, f4},  // float32
      {f8, f8, f8, f8, f8, f8},  // float64
      {f8, f8, i4, i8, i4, i4},  // int32
      {f8, f8, i8, i8, i8, i8},  // int64
      {f4, f8, i4, i8, u1, u1},  // uint8
      {f4, f8, i4, i8, u1, b1},  // bool
  };
  return kTable[static_cast<int>(a)][static_cast<int>(b)];
}

}  // namespace fusegrad
