// Reads and writes the control register of the vector unit.
#include "fusegrad/float_environment.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fusegrad {

#if defined(__x86_64__)

FloatEnvironment::FloatEnvironment() : saved_(_mm_getcsr()) {
  constexpr unsigned kDefault = 0x1F80;  // round to nearest, all exceptions masked, FTZ and DAZ off
  if (saved_ != kDefault) _mm_setcsr(kDefault);
}

FloatEnvironment::~FloatEnvironment() { _mm_setcsr(static_cast<unsigned>(saved_)); }

#elif defined(__aarch64__)

FloatEnvironment::FloatEnvironment() {
  asm volatile("mrs %0, fpcr" : "=r"(saved_));
  if (saved_ != 0) asm volatile("msr fpcr, %0" : : "r"(uint64_t{0}));
}

FloatEnvironment::~FloatEnvironment() {
  if (saved_ != 0) asm volatile("msr fpcr, %0" : : "r"(saved_));
}

#else
#error "FloatEnvironment needs this architecture's control register"
#endif

}  // namespace fusegrad
