// Philox4x32-10 for counters that follow each other, one in each lane: see runtime/philox.h.
#pragma once

#include <string.h>

#include "kernels/kernels.h"
#include "kernels/vec-inl.h"

namespace fusegrad::simd::FUSEGRAD_ISA {
namespace {

void philox(uint32_t* words, const uint32_t* counter, const uint32_t* key, int64_t blocks) {
  constexpr uint64_t kLow = 0xffffffffu;
  const uint64_t first = uint64_t{counter[1]} << 32 | counter[0];
  for (int64_t block = 0; block < blocks; block += kLanesD) {
    VU64 index;
    for (int i = 0; i < kLanesD; ++i) index[i] = first + static_cast<uint64_t>(block + i);
    // Only the low halves count; what a round leaves in the high ones, the next does not read.
    VU64 c0 = index, c1 = index >> 32, c2 = VU64{} + counter[2], c3 = VU64{} + counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const VU64 p0 = multiply_low_halves(c0, VU64{} + 0xD2511F53u);
      const VU64 p1 = multiply_low_halves(c2, VU64{} + 0xCD9E8D57u);
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c1 = p1;
      c3 = p0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const VU64 low = (c0 & kLow) | c1 << 32, high = (c2 & kLow) | c3 << 32;
    uint64_t four[2 * kLanesD];
    for (int i = 0; i < kLanesD; ++i) {
      four[2 * i] = low[i];
      four[2 * i + 1] = high[i];
    }
    memcpy(words + 4 * block, four, sizeof(four));
  }
}

}  // namespace
}  // namespace fusegrad::simd::FUSEGRAD_ISA
