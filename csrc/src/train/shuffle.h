// The order in which an epoch visits the rows.
// Shuffled, it is a function of (seed, epoch) alone; else it is the order of the data.
// The memory for it is allocated once and reused by every epoch.
#pragma once

#include <cstdint>

#include "fusegrad/array.h"

namespace fusegrad {

class RowOrder {
 public:
  RowOrder(int64_t rows, bool shuffle, uint64_t seed);

  void begin_epoch(int64_t epoch);

  bool shuffled() const { return rows_.defined(); }
  // The rows of positions [begin, ...); null where the order is that of the data.
  const int64_t* rows(int64_t begin) const;

 private:
  Array rows_;  // int64, undefined without shuffling
  int64_t count_;
  uint64_t seed_;
};

}  // namespace fusegrad
