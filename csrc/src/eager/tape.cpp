// Tape: evaluates each op as it is recorded and keeps the results for the gradient rules.
//
// An evaluation that raises leaves the tape as it was: Builder::emit takes the node back.
#include "fusegrad/tape.h"

#include <cstring>
#include <string>

#include "ops/evaluate.h"

namespace fusegrad {

Value Tape::watch(const Array& array) {
  return append(NodeKind::input, array.meta(), array, std::string());
}

void Tape::preserve(const Storage* storage) {
  Array bytes;  // made when the first such value is met
  for (size_t i = 0; i < values_.size(); ++i) {
    ValueInfo& value = values_[i];
    if (value.array.storage().get() != storage) continue;
    const char* const from = static_cast<const char*>(storage->data());
    if (!bytes.defined()) {
      bytes = Array(DType::uint8, Shape{storage->bytes()});
      if (storage->bytes() > 0) {
        std::memcpy(bytes.data(), from, static_cast<size_t>(storage->bytes()));
      }
    }
    View view = value.array.view();
    view.data = static_cast<char*>(bytes.data()) + (static_cast<const char*>(view.data) - from);
    value.array = Array(bytes.storage(), view);
  }
}

void Tape::recorded(const Node& node) {
  const int num_inputs = static_cast<int>(node.inputs.size());
  Operands<const Array*> operands(num_inputs);
  for (int i = 0; i < num_inputs; ++i) {
    operands.put(i, &info(node.inputs[static_cast<size_t>(i)]).array);
  }
  Result results[kMaxOutputs];
  for (int i = 0; i < node.num_outputs; ++i) {
    ValueInfo& value = values_[static_cast<size_t>(node.first_output.id + i)];
    results[i] = {&value.meta, &value.array};
  }
  evaluate_inferred(*node.op, operands.data(), num_inputs, node.attrs(), results, node.num_outputs);
}

}  // namespace fusegrad
