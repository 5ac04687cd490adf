// Tape: a Builder that runs each op as it is emitted. Eager differentiation.
#pragma once

#include <vector>

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
  // The elements of differentiate()'s results, for a tape that is then done with: nothing more is
  // recorded, and what no rule needs any longer is freed on the way.
  std::vector<Array> last_gradients(Value y, Value seed, const std::vector<Value>& xs);
  // Keeps the elements of a value that a checkpoint forgot.
  void remember(Value value, const Array& array);

 protected:
  void compute(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
               Value first, int num_outputs) override;
  void forget(ValueInfo& value) override { value.array = Array(); }

 private:
  bool host_rules() const;
};

}  // namespace fusegrad
