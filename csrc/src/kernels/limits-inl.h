// What the processor can do at most, for benchmarks to measure against: arithmetic that needs no
// memory, and reading that needs next to no arithmetic. No op calls these.
#pragma once

#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

// Independent chains: enough to hide the latency of two FMA units, few enough to stay in registers.
constexpr int kChains = 12;

// out[0] keeps the work alive. Values tend to 2, far from subnormals and overflow.
int64_t fma_peak_f32(float* out, int64_t rounds) {
  const VF half = set1(0.5f);
  const VF one = set1(1.0f);
  VF chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = set1(out[0] + static_cast<float>(i));
  for (int64_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < kChains; ++i) chain[i] = fma(chain[i], half, one);
  }
  VF total = VF{};
  for (int i = 0; i < kChains; ++i) total = total + chain[i];
  out[0] = total[0];
  return rounds * kChains * kLanesF * 2;
}

float read_f32(const float* x, int64_t n, int64_t times) {
  VF sum[kChains] = {};
  constexpr int64_t kBlock = kChains * kLanesF;
  for (int64_t t = 0; t < times; ++t) {
    int64_t i = 0;
    for (; i + kBlock <= n; i += kBlock) {
      for (int j = 0; j < kChains; ++j) sum[j] = sum[j] + load(x + i + j * kLanesF);
    }
    for (; i < n; i += kLanesF) {
      sum[0] = sum[0] + load_n(x + i, n - i < kLanesF ? n - i : kLanesF);
    }
  }
  float total = 0;
  for (int j = 0; j < kChains; ++j) {
    for (int lane = 0; lane < kLanesF; ++lane) total += sum[j][lane];
  }
  return total;
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
