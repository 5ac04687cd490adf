// Copies rows of a data array into a program's input buffer, converting them on the way.
//
// value = element * scale + offset in the buffer's type, each operation rounded; scale 1 with
// offset 0 leaves the bits alone. Integer and bool buffers take integer and bool rows only.
#pragma once

#include <cstdint>

#include "fusegrad/array.h"
#include "fusegrad/trainer.h"
#include "kernels/kernels.h"

namespace fusegrad {

class Gather {
 public:
  // `input` is the buffer's type and the shape of one batch. Raises ArgumentError where the rows do
  // not fit it; `index` names the source in the text.
  Gather(const BatchSource& source, const Meta& input, int index);

  // Whether the rows can be used where they lie, as a view: no conversion, C order.
  bool direct() const { return direct_; }
  View view(int64_t first, int64_t count) const;

  // buffer[i] = row rows[i], or row first + i where `rows` is null, for i < count. The buffer is in
  // C order. Writes the batch in order f to `transposed` as well, where that is not null and can be
  // done on the way; returns whether it was.
  bool copy(void* buffer, void* transposed, const int64_t* rows, int64_t first,
            int64_t count) const;

  // The rows rows[0 .. count), to be asked for while the batch before them is computed; empty where
  // the data is small enough to stay near.
  PrefetchQueue prefetch(const int64_t* rows, int64_t count) const;

  // One row's axes after axis 0, reduced to as few as their strides allow; at least one.
  struct Layout {
    int rank = 0;
    int64_t size[kMaxRank], stride[kMaxRank];
    int64_t elements = 1;

    bool contiguous() const { return rank == 1 && stride[0] == 1; }
  };
  struct Job {
    void* buffer;
    void* transposed;  // or null
    const void* data;
    const int64_t* rows;
    int64_t first, row_stride, count;
    const Layout* layout;
    double scale, offset;
    bool affine;
    bool by_kernel;
  };

 private:
  Array rows_;
  DType dtype_;
  double scale_, offset_;
  bool affine_, direct_;
  bool by_kernel_;  // there is a kernel for whole batches of these types and this layout
  Layout layout_;
  void (*run_)(const Job& job, int64_t begin, int64_t end);
};

}  // namespace fusegrad
