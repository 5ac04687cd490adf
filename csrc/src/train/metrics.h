// What an epoch keeps of a program's output: its sum over batches, a row for every sample, or what
// the latest batch gave.
//
// Sums are in double and in batch order, so they do not depend on threads. Collected rows lie where
// their samples lie in the data.
#pragma once

#include <cstdint>

#include "fusegrad/array.h"
#include "fusegrad/trainer.h"

namespace fusegrad {

class OutputSink {
 public:
  // `output` is the output's type and shape for one batch; `rows` counts the samples of an epoch.
  OutputSink(OutputKind kind, const Meta& output, int64_t rows);

  // Totals zero, or a new array of rows: results given out before keep their elements.
  void begin_epoch();
  // Takes the output of the batch with `count` samples at `rows` (at first + i where null).
  void add(const View& output, const int64_t* rows, int64_t first, int64_t count);
  // float64 totals or latest values, a copy; or the collected rows, zero where no batch has been.
  Array result() const;

 private:
  OutputKind kind_;
  Meta meta_;  // of the result
  Array kept_;
  Array widened_;  // accumulate: one batch's output in double, C order
};

}  // namespace fusegrad
