// Reads and writes the control register of the vector unit.
#include "fusegrad/float_environment.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fusegrad {

#if defined(__x86_64__)

namespace {

constexpr unsigned kDefault = 0x1F80;  // round to nearest, all exceptions masked, FTZ and DAZ off
constexpr unsigned kControl = 0xFFC0;  // the rest only records exceptions

bool is_default(uint64_t state) { return (state & kControl) == kDefault; }

}  // namespace

// Writing the register stalls the vector unit, and most callers have the default already.
FloatEnvironment::FloatEnvironment() : saved_(_mm_getcsr()) {
  if (!is_default(saved_)) _mm_setcsr(kDefault);
}

FloatEnvironment::~FloatEnvironment() {
  if (!is_default(saved_)) _mm_setcsr(static_cast<unsigned>(saved_));
}

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
