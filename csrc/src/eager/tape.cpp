// Tape: evaluates each op as it is recorded and keeps the results for the gradient rules.
//
// An evaluation that raises leaves the tape as it was: Builder::emit takes the node back.
#include "fusegrad/tape.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace fusegrad {

Value Tape::watch(const Array& array) {
  return append(NodeKind::input, array.meta(), array, std::string());
}

void Tape::preserve(const Storage* storage) {
  Array bytes;  // made when the first such value is met
  for (ValueInfo& value : values_) {
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

void Tape::recorded(Node& node) {
  constexpr size_t kFewInputs = 8;
  std::array<const Array*, kFewInputs> few;
  std::vector<const Array*> many;
  const Array** operands = few.data();
  if (node.inputs.size() > kFewInputs) {
    many.resize(node.inputs.size());
    operands = many.data();
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) operands[i] = &info(node.inputs[i]).array;
  std::array<Array, kMaxOutputs> results;
  const int count = evaluate(*node.op, operands, static_cast<int>(node.inputs.size()), node.attrs,
                             results.data());
  for (int i = 0; i < count; ++i) {
    values_[static_cast<size_t>(node.first_output.id + i)].array =
        std::move(results[static_cast<size_t>(i)]);
  }
}

}  // namespace fusegrad
