// Integer operands that select elements: copied once as int64, range-checked as they are copied, so
// that what the kernels read cannot change under them.
#pragma once

#include "fusegrad/array.h"
#include "fusegrad/batch.h"
#include "fusegrad/error.h"
#include "fusegrad/workspace.h"

namespace fusegrad {

// Copies `labels` in C order to out[0 .. size); raises ArgumentError for one outside [0, limit).
// `wrap` lets -limit .. -1 count from the end. `kind` says in the message what they are.
void copy_labels(const char* op, const char* argument, const View& labels, int64_t limit, bool wrap,
                 int64_t* out, const char* kind = "integer class labels");

// Room for `count` of them in this thread's workspace.
inline int64_t* label_space(int64_t count) {
  return static_cast<int64_t*>(
      thread_workspace(checked_mul(count, static_cast<int64_t>(sizeof(int64_t)))));
}

// For batch rules. Where the indices of each example, operand 1, point to among the slabs of all
// examples laid end to end, `count` for each; of int64. `wrap` as above.
Value flat_indices(BatchContext& context, int64_t count, bool wrap);

}  // namespace fusegrad
