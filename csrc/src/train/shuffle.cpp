// The permutation of an epoch, held for its length.
// One int64 a row: small beside any data worth shuffling.
// It is made anew by each epoch, never shuffled further, so that a resumed run sees the same order.
#include "train/shuffle.h"

#include "fusegrad/random.h"

namespace fusegrad {

RowOrder::RowOrder(int64_t rows, bool shuffle, uint64_t seed) : count_(rows), seed_(seed) {
  if (shuffle) rows_ = Array(DType::int64, Shape{rows});
}

void RowOrder::begin_epoch(int64_t epoch) {
  if (shuffled()) permutation(rows_.view().as<int64_t>(), count_, seed_, epoch);
}

const int64_t* RowOrder::rows(int64_t begin) const {
  return shuffled() ? rows_.view().as<int64_t>() + begin : nullptr;
}

}  // namespace fusegrad
