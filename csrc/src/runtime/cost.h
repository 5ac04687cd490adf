// What the work of a loop costs, by shapes alone: the one place that says when threads pay.
//
// Costs are picoseconds for an item on one core of a Zen 4 server at 3.6 GHz, medians of loops over
// arrays in its second-level cache, AVX-512, float32. Float64 takes about twice as much, other
// machines some other multiple: the ratios matter, and a wrong cost moves only the size from which
// on a loop is split. A loop of twice kPartPicoseconds is cut in two.
#pragma once

#include <cstdint>

namespace fusegrad {

// The least work that a thread is given. Handing out a part and learning that it has ended took
// 0.4 to 0.7 microseconds, and a line that another core has written comes at 10 to 30 bytes a
// nanosecond; what two cores share in one loop they fetch from each other again in the next. Steps
// of 42 microseconds whose products of 12 were cut in two took 44, and 60 where the updates were
// not cut as well: products of 20 and more gain.
constexpr int64_t kPartPicoseconds = 8'000'000;

constexpr int64_t kMultiplyAddPicoseconds = 20;      // matrix products; 17 at the peak
constexpr int64_t kElementPicoseconds = 100;         // copies, + - * /, comparisons, sums
constexpr int64_t kFunctionPicoseconds = 500;        // exp and others; 250 to 1200
constexpr int64_t kStreamUpdatePicoseconds = 150;    // optimizers that add and multiply
constexpr int64_t kRootUpdatePicoseconds = 225;      // those that take a root and a quotient
constexpr int64_t kSoftmaxRowPicoseconds = 6'000;    // softmax and cross-entropies: a row, and
constexpr int64_t kSoftmaxElementPicoseconds = 600;  // each of its elements
constexpr int64_t kRandomPicoseconds = 2'000;  // uniform numbers; normal ones take four times that

// How many items are worth a thread.
constexpr int64_t grain_of(int64_t picoseconds_per_item) {
  const int64_t items = kPartPicoseconds / (picoseconds_per_item > 0 ? picoseconds_per_item : 1);
  return items > 1 ? items : 1;
}

constexpr int64_t kCheapGrain = grain_of(kElementPicoseconds);
constexpr int64_t kCostlyGrain = grain_of(kFunctionPicoseconds);
constexpr int64_t kProductGrain = grain_of(kMultiplyAddPicoseconds);
constexpr int64_t kStreamUpdateGrain = grain_of(kStreamUpdatePicoseconds);
constexpr int64_t kRootUpdateGrain = grain_of(kRootUpdatePicoseconds);

// Bytes of gathered rows worth a thread: memory sets the pace, and one core does not use all of it.
constexpr int64_t kGatherGrainBytes = 256 * 1024;

}  // namespace fusegrad
