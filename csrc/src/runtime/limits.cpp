#include "fusegrad/limits.h"

#include "fusegrad/error.h"
#include "kernels/kernels.h"

namespace fusegrad {

int64_t fma_peak(int64_t rounds) {
  float result = 1.0f;
  return kernels().fma_peak_f32(&result, rounds);
}

float read_times(const Array& array, int64_t times) {
  if (array.dtype() != DType::float32 || !array.view().c_contiguous()) {
    throw ArgumentError("read_times", "tensor", "a C-contiguous float32 Tensor", "another");
  }
  return kernels().read_f32(array.view().as<float>(), array.size(), times);
}

}  // namespace fusegrad
