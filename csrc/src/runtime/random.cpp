// What is drawn from Philox: uniform numbers and permutations.
// Every number is a function of its key and its counter alone.
// So threads may fill any part of an array, and an epoch's order needs no history.
#include "fusegrad/random.h"

#include <string>

#include "fusegrad/error.h"
#include "fusegrad/parallel.h"
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
  constexpr int64_t kPerThread = 4096;
  const std::array<uint32_t, 2> key = philox_key(seed, stream);
  const double span = high - low;
  const T least = static_cast<T>(low), limit = static_cast<T>(high);
  parallel_for(out.size(), kPerThread, [&](int64_t begin, int64_t end) {
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

 private:
  static constexpr int kBlocks = 8;  // at a time: independent chains that overlap in the pipeline

  uint32_t word() {
    if (next_ == 4 * kBlocks) refill();
    return words_[next_++];
  }

  void refill() {
    for (int block = 0; block < kBlocks; ++block, ++index_) {
      const std::array<uint32_t, 4> four =
          philox_rounds({static_cast<uint32_t>(index_), static_cast<uint32_t>(index_ >> 32),
                         static_cast<uint32_t>(epoch_), static_cast<uint32_t>(epoch_ >> 32)},
                        key_);
      for (int i = 0; i < 4; ++i) words_[4 * block + i] = four[static_cast<size_t>(i)];
    }
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

void permutation(int64_t* out, int64_t n, uint64_t seed, int64_t epoch) {
  constexpr int kAhead = 64;  // draws made before the swaps that use them, so that memory is near
  BoundedDraws draws(philox_key(seed, kShuffleStream), static_cast<uint64_t>(epoch));
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  int64_t places[kAhead];
  for (int64_t i = n - 1; i > 0;) {
    const int count = i < kAhead ? static_cast<int>(i) : kAhead;
    for (int k = 0; k < count; ++k) {
      places[k] = static_cast<int64_t>(draws.below(static_cast<uint64_t>(i - k) + 1));
      __builtin_prefetch(out + places[k], 1);
    }
    for (int k = 0; k < count; ++k, --i) {
      const int64_t moved = out[places[k]];
      out[places[k]] = out[i];
      out[i] = moved;
    }
  }
}

}  // namespace fusegrad
