// What is drawn from Philox: uniform and normal numbers and permutations.
// Every number is a function of its key and its counter alone.
// So threads may fill any part of an array, and an epoch's order needs no history.
#include "fusegrad/random.h"

#include <algorithm>
#include <string>

#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/parallel.h"
#include "kernels/kernels.h"
#include "runtime/cost.h"
#include "runtime/philox.h"

namespace fusegrad {
namespace {

// A bijection of 64 bits that spreads every input bit (the finaliser of SplitMix64).
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// The element of `view` that C order counts as `index`, and the step to its successors.
class Cursor {
 public:
  Cursor(const View& view, int64_t index) : view_(view) {
    for (int axis = view.rank() - 1; axis >= 0; --axis) {
      place_[axis] = index % view.shape[axis];
      index /= view.shape[axis];
      offset_ += place_[axis] * view.strides[axis];
    }
  }
  int64_t offset() const { return offset_; }
  void next() {
    for (int axis = view_.rank() - 1; axis >= 0; --axis) {
      offset_ += view_.strides[axis];
      if (++place_[axis] < view_.shape[axis]) return;
      offset_ -= place_[axis] * view_.strides[axis];
      place_[axis] = 0;
    }
  }

 private:
  const View& view_;
  int64_t place_[kMaxRank] = {};
  int64_t offset_ = 0;
};

// 24 or 53 random bits as a number in [0, 1), exactly.
double unit(const std::array<uint32_t, 4>& words, float) {
  return static_cast<double>(words[0] >> 8) * 0x1p-24;
}
double unit(const std::array<uint32_t, 4>& words, double) {
  const uint64_t bits = (uint64_t{words[1]} << 32 | words[0]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

template <typename T>
void fill_typed(const View& out, uint64_t seed, uint64_t stream, double low, double high) {
  const std::array<uint32_t, 2> key = philox_key(seed, stream);
  const double span = high - low;
  const T least = static_cast<T>(low), limit = static_cast<T>(high);
  parallel_for(out.size(), grain_of(kRandomPicoseconds), [&](int64_t begin, int64_t end) {
    Cursor cursor(out, begin);
    for (int64_t i = begin; i < end; ++i, cursor.next()) {
      const uint64_t counter = static_cast<uint64_t>(i);
      const std::array<uint32_t, 4> words = philox_rounds(
          {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}, key);
      // Rounding may reach the excluded bound; that draw, about one in 2^25, becomes the other one.
      const T value = static_cast<T>(low + span * unit(words, T()));
      out.as<T>()[cursor.offset()] = value < limit ? value : least;
    }
  });
}

// p(x) / q(x) for coefficients in ascending order.
double ratio(const double (&p)[8], const double (&q)[8], double x) {
  double above = p[7], below = q[7];
  for (int k = 6; k >= 0; --k) {
    above = above * x + p[k];
    below = below * x + q[k];
  }
  return above / below;
}

// The z with Phi(z) = 1/2 + q, |q| < 1/2, to about 1e-16 of z; r = sqrt(-log(1/2 - |q|)).
// M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied
// Statistics 37 (1988): PPND16.
double normal_quantile(double q, double r) {
  constexpr double kCentralP[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                   1.9715909503065514427e3, 1.3731693765509461125e4,
                                   4.5921953931549871457e4, 6.7265770927008700853e4,
                                   3.3430575583588128105e4, 2.5090809287301226727e3};
  constexpr double kCentralQ[8] = {1.0,
                                   4.2313330701600911252e1,
                                   6.8718700749205790830e2,
                                   5.3941960214247511077e3,
                                   2.1213794301586595867e4,
                                   3.9307895800092710610e4,
                                   2.8729085735721942674e4,
                                   5.2264952788528545610e3};
  constexpr double kTailP[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr double kTailQ[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
  constexpr double kFarP[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr double kFarQ[8] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
  if (q >= -0.425 && q <= 0.425) return q * ratio(kCentralP, kCentralQ, 0.180625 - q * q);
  const double z = r <= 5.0 ? ratio(kTailP, kTailQ, r - 1.6) : ratio(kFarP, kFarQ, r - 5.0);
  return q < 0.0 ? -z : z;
}

constexpr int64_t kNormalBlock = 256;

// Quantiles z[i] at the numbers of the counters from `first`. Uniform numbers lie in the middle of
// 2^52 cells of (0, 1), so that 1/2 - |q| is exact and never 0.
void normal_block(double* z, int64_t n, int64_t first, std::array<uint32_t, 2> key,
                  bool truncated) {
  constexpr double kWithinTwo = 0.9544997361036416;  // Phi(2) - Phi(-2)
  double r[kNormalBlock];
  for (int64_t i = 0; i < n; ++i) {
    const uint64_t counter = static_cast<uint64_t>(first + i);
    const std::array<uint32_t, 4> words = philox_rounds(
        {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}, key);
    const uint64_t bits = (uint64_t{words[1]} << 32 | words[0]) >> 12;
    const double q = (static_cast<double>(bits) + 0.5) * 0x1p-52 - 0.5;
    z[i] = truncated ? q * kWithinTwo : q;
    r[i] = 0.5 - (z[i] < 0.0 ? -z[i] : z[i]);
  }
  const auto unary = kernels().unary_f64;
  unary(UnaryOp::log, r, 1, r, 1, n);
  unary(UnaryOp::negative, r, 1, r, 1, n);
  unary(UnaryOp::sqrt, r, 1, r, 1, n);
  for (int64_t i = 0; i < n; ++i) {
    z[i] = normal_quantile(z[i], r[i]);
    if (truncated) z[i] = z[i] < -2.0 ? -2.0 : (z[i] > 2.0 ? 2.0 : z[i]);
  }
}

template <typename T>
void fill_normal_typed(const View& out, uint64_t seed, uint64_t stream, double mean, double stddev,
                       bool truncated) {
  const std::array<uint32_t, 2> key = philox_key(seed, stream);
  parallel_for(out.size(), grain_of(4 * kRandomPicoseconds), [&](int64_t begin, int64_t end) {
    double z[kNormalBlock];
    Cursor cursor(out, begin);
    for (int64_t first = begin; first < end; first += kNormalBlock) {
      const int64_t n = end - first < kNormalBlock ? end - first : kNormalBlock;
      normal_block(z, n, first, key, truncated);
      for (int64_t i = 0; i < n; ++i, cursor.next()) {
        out.as<T>()[cursor.offset()] = static_cast<T>(mean + stddev * z[i]);
      }
    }
  });
}

// Uniform integers below a bound from the words of one counter sequence, by multiplication.
// D. Lemire, "Fast random integer generation in an interval", TOMACS 29 (2019): the high half of
// word * bound, redrawn where the low half falls in the remainder.
class BoundedDraws {
 public:
  BoundedDraws(std::array<uint32_t, 2> key, uint64_t epoch) : key_(key), epoch_(epoch) {}

  uint64_t below(uint64_t bound) {
    if (bound <= UINT32_MAX) {
      const uint32_t range = static_cast<uint32_t>(bound);
      uint64_t product = uint64_t{word()} * range;
      if (static_cast<uint32_t>(product) < range) {
        const uint32_t remainder = (0u - range) % range;
        while (static_cast<uint32_t>(product) < remainder) product = uint64_t{word()} * range;
      }
      return product >> 32;
    }
    // As many leading bits as the bound has, redrawn until they are below it.
    const int shift = __builtin_clzll(bound - 1);
    uint64_t value;
    do {
      const uint64_t high = word();
      value = (high << 32 | word()) >> shift;
    } while (value >= bound);
    return value;
  }

  // The same for `count` bounds, each one less than the one before. Nearly all words are sure to be
  // used: they are taken in a loop of their own.
  void below(uint64_t bound, int count, int64_t* draws) {
    for (int k = 0; k < count; ++k) {
      const int most = bound - static_cast<uint64_t>(k) <= UINT32_MAX
                           ? std::min(count - k, 4 * kBlocks - next_)
                           : 0;
      const uint32_t* words = words_ + next_;
      int used = 0;
      for (; used < most; ++used) {
        const auto range = static_cast<uint32_t>(bound - static_cast<uint64_t>(k + used));
        const uint64_t product = uint64_t{words[used]} * range;
        if (static_cast<uint32_t>(product) < range) break;
        draws[k + used] = static_cast<int64_t>(product >> 32);
      }
      next_ += used;
      k += used;
      if (k < count) draws[k] = static_cast<int64_t>(below(bound - static_cast<uint64_t>(k)));
    }
  }

 private:
  static constexpr int kBlocks = 32;  // at a time

  uint32_t word() {
    if (next_ == 4 * kBlocks) refill();
    return words_[next_++];
  }

  void refill() {
    const uint32_t counter[4] = {static_cast<uint32_t>(index_), static_cast<uint32_t>(index_ >> 32),
                                 static_cast<uint32_t>(epoch_),
                                 static_cast<uint32_t>(epoch_ >> 32)};
    kernels().philox(words_, counter, key_.data(), kBlocks);
    index_ += kBlocks;
    next_ = 0;
  }

  std::array<uint32_t, 2> key_;
  uint64_t epoch_;
  uint64_t index_ = 0;
  int next_ = 4 * kBlocks;
  uint32_t words_[4 * kBlocks];
};

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  return philox_rounds(counter, key);
}

std::array<uint32_t, 2> philox_key(uint64_t seed, uint64_t stream) {
  // For one seed no two streams, and for one stream no two seeds, share a key.
  const uint64_t key = mix(seed ^ mix(stream + 0x9e3779b97f4a7c15u));
  return {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

void fill_uniform(const View& out, uint64_t seed, uint64_t stream, double low, double high) {
  if (!is_floating(out.dtype)) {
    throw ArgumentError("uniform", "dtype", "float32 or float64", name(out.dtype));
  }
  const double span = high - low;
  if (!(span >= 0.0) || span > 0x1.fffffffffffffp+1023) {
    throw ArgumentError("uniform", "high",
                        "a finite number of at least low = " + std::to_string(low),
                        std::to_string(high));
  }
  const FloatEnvironment environment;
  if (out.dtype == DType::float32) {
    fill_typed<float>(out, seed, stream, low, high);
  } else {
    fill_typed<double>(out, seed, stream, low, high);
  }
}

void fill_normal(const View& out, uint64_t seed, uint64_t stream, double mean, double stddev,
                 bool truncated) {
  constexpr double kLargest = 0x1.fffffffffffffp+1023;
  if (!is_floating(out.dtype)) {
    throw ArgumentError("normal", "dtype", "float32 or float64", name(out.dtype));
  }
  if (!(mean >= -kLargest && mean <= kLargest)) {
    throw ArgumentError("normal", "mean", "a finite number", std::to_string(mean));
  }
  if (!(stddev >= 0.0 && stddev <= kLargest)) {
    throw ArgumentError("normal", "stddev", "a finite number >= 0", std::to_string(stddev));
  }
  const FloatEnvironment environment;
  if (out.dtype == DType::float32) {
    fill_normal_typed<float>(out, seed, stream, mean, stddev, truncated);
  } else {
    fill_normal_typed<double>(out, seed, stream, mean, stddev, truncated);
  }
}

void permutation(int64_t* out, int64_t n, uint64_t seed, int64_t epoch) {
  constexpr int kAhead = 64;  // draws made before the swaps that use them, so that memory is near
  BoundedDraws draws(philox_key(seed, kShuffleStream), static_cast<uint64_t>(epoch));
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  int64_t places[kAhead];
  for (int64_t i = n - 1; i > 0;) {
    const int count = i < kAhead ? static_cast<int>(i) : kAhead;
    draws.below(static_cast<uint64_t>(i) + 1, count, places);
    for (int k = 0; k < count; ++k) __builtin_prefetch(out + places[k], 1);
    for (int k = 0; k < count; ++k, --i) {
      const int64_t moved = out[places[k]];
      out[places[k]] = out[i];
      out[i] = moved;
    }
  }
}

}  // namespace fusegrad
