// Counter-based random numbers: Philox4x32-10 keyed by (seed, stream), so that a number depends on
// its place alone, never on threads or on what was drawn before.
#pragma once

#include <array>
#include <cstdint>

#include "fusegrad/api.h"
#include "fusegrad/array.h"

namespace fusegrad {

// Four 32-bit words for counter {c0, c1, c2, c3} and key {k0, k1}.
FUSEGRAD_API std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                                std::array<uint32_t, 2> key);

// The Philox key of (seed, stream).
FUSEGRAD_API std::array<uint32_t, 2> philox_key(uint64_t seed, uint64_t stream);

// Streams of the built-in users, so that no two share numbers.
enum Stream : uint64_t {
  kShuffleStream = 1,
  kUserStream = 1u << 16,
  kUserNormalStream,
};

// Uniform in [low, high); element i (C order) from counter i. float32: 24 bits; float64: 53 bits.
FUSEGRAD_API void fill_uniform(const View& out, uint64_t seed, uint64_t stream, double low,
                               double high);
// mean + stddev z with z normal, by inversion of 52 uniform bits; element i (C order) from counter
// i. float32 is the float64 number, rounded. `truncated` is the law of z given |z| <= 2; nothing is
// redrawn.
FUSEGRAD_API void fill_normal(const View& out, uint64_t seed, uint64_t stream, double mean,
                              double stddev, bool truncated);
// A permutation of 0 .. n-1 for this (seed, epoch): Fisher-Yates with bounded draws.
FUSEGRAD_API void permutation(int64_t* out, int64_t n, uint64_t seed, int64_t epoch);

}  // namespace fusegrad
