// The floating-point environment of the numerics contract.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

// Sets round to nearest, subnormals kept, no traps; restores the caller's environment.
class FUSEGRAD_API FloatEnvironment {
 public:
  FloatEnvironment();
  ~FloatEnvironment();
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  uint64_t saved_;
};

}  // namespace fusegrad
