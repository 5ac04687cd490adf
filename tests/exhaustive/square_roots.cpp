// Tries the square roots of kernels/square-roots-inl.h that are made by multiplication, from the
// sources' root, on a processor with AVX-512 (about ten seconds):
//
//   g++ -std=c++17 -O3 -march=native -ffp-contract=off -Icsrc/src -Icsrc/include
//     -DFUSEGRAD_ISA=avx512 tests/exhaustive/square_roots.cpp -o square_roots && ./square_roots
//
// For every float x in [1, 4), every float y within 2^-13 of 1 / sqrt(x), relatively, and a few
// beyond, must give the root of x that the processor gives. What it has for a first y must be
// within 2^-14, as its manual says.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "kernels/square-roots-inl.h"

using namespace fusegrad::simd::FUSEGRAD_ISA;

namespace {

int32_t bits_of(float x) {
  int32_t b;
  std::memcpy(&b, &x, sizeof b);
  return b;
}

float float_of(int32_t b) {
  float x;
  std::memcpy(&x, &b, sizeof x);
  return x;
}

}  // namespace

int main() {
  constexpr double kFar = 0x1p-13;
  int64_t tried = 0, wrong = 0;
  double farthest = 0.0;
  VI32 step;
  for (int lane = 0; lane < kLanesF; ++lane) step[lane] = lane;
  for (int32_t b = bits_of(1.0F); b < bits_of(4.0F); ++b) {
    const float x = float_of(b);
    const double exact = std::sqrt(static_cast<double>(x));
    const VF expected = sqrt(set1(x));
    const int32_t first = bits_of(static_cast<float>((1.0 - kFar) / exact)) - 1;
    const int32_t last = bits_of(static_cast<float>((1.0 + kFar) / exact)) + 1;
    for (int32_t y = first; y <= last; y += kLanesF) {
      if (any(refined_root(set1(x), from_bits(set1(y) + step)) != expected)) {
        ++wrong;
        std::printf("wrong: the root of %a from %a or the next floats\n", x, float_of(y));
      }
      tried += kLanesF;
    }
    const VF start = (VF)_mm512_rsqrt14_ps((__m512)set1(x));
    farthest = std::fmax(farthest, std::fabs(static_cast<double>(start[0]) * exact - 1.0));
  }
  std::printf("%lld pairs, %lld wrong; the processor's y is within 2^%.3f\n",
              static_cast<long long>(tried), static_cast<long long>(wrong), std::log2(farthest));
  return wrong == 0 && farthest < 0x1p-14 ? 0 : 1;
}
