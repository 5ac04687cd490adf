// Tape: a Builder that runs each op as it is emitted. Eager differentiation.
#pragma once

#include "fusegrad/builder.h"

namespace fusegrad {

class FUSEGRAD_API Tape final : public Builder {
 public:
  // A value on the tape with the elements of `array`, which later gradients may be taken of.
  Value watch(const Array& array);
  const Array& array(Value value) const { return info(value).array; }
  // Gives the values that lie in `storage` a copy of it, because it is about to be written.
  void preserve(const Storage* storage);
  // Frees the elements of a value that nothing will read again.
  void release(Value value) { values_[static_cast<size_t>(value.id)].array = Array(); }

 protected:
  void recorded(const Node& node) override;
};

}  // namespace fusegrad
