// What the processor can do at most, to be timed by benchmarks. Nothing else uses it.
#pragma once

#include "fusegrad/array.h"

namespace fusegrad {

// Runs fused multiply-adds of floats in registers; returns the floating-point operations done.
FUSEGRAD_API int64_t fma_peak(int64_t rounds);

// Reads a C-contiguous float32 array that many times; returns the sum of all, in no stated order.
FUSEGRAD_API float read_times(const Array& array, int64_t times);

}  // namespace fusegrad
