// One element from one type to another: the rule that casts, copies and batches share.
//
// Floats to integers drop the fraction; NaN and what int32 or int64 cannot hold become its least
// value, and uint8 keeps the low bits, as integers that are narrowed do. All but 0 is true.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

namespace fusegrad {

// An element of a bool array: a byte, whatever the writer put there.
struct Bool {
  uint8_t byte;
};

template <typename To, typename From>
inline To convert(From value) {
  if constexpr (std::is_same_v<From, Bool>) {
    return convert<To>(static_cast<uint8_t>(value.byte != 0));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<uint8_t>(value != From(0))};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr From kLimit = static_cast<From>(9223372036854775808.0);  // 2^63
    const int64_t whole = value >= -kLimit && value < kLimit ? static_cast<int64_t>(value)
                                                             : std::numeric_limits<int64_t>::min();
    if constexpr (sizeof(To) == 4) {
      const bool fits =
          whole >= std::numeric_limits<To>::min() && whole <= std::numeric_limits<To>::max();
      return fits ? static_cast<To>(whole) : std::numeric_limits<To>::min();
    } else {
      return static_cast<To>(whole);
    }
  } else {
    return static_cast<To>(value);
  }
}

}  // namespace fusegrad
