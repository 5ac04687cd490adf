// Tape: evaluates each op as it is recorded and keeps the results for the gradient rules.
//
// An evaluation that raises leaves the tape as it was: Builder::emit takes the node back.
#include "fusegrad/tape.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace fusegrad {

Value Tape::watch(const Array& array) {
  return append(NodeKind::input, array.meta(), array, std::string());
}

void Tape::recorded(Node& node) {
  constexpr size_t kFewInputs = 8;
  std::array<Array, kFewInputs> few;
  std::vector<Array> many;
  Array* operands = few.data();
  if (node.inputs.size() > kFewInputs) {
    many.resize(node.inputs.size());
    operands = many.data();
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) operands[i] = info(node.inputs[i]).array;
  std::array<Array, kMaxOutputs> results;
  const int count = evaluate(*node.op, operands, static_cast<int>(node.inputs.size()), node.attrs,
                             results.data());
  for (int i = 0; i < count; ++i) {
    values_[static_cast<size_t>(node.first_output.id + i)].array =
        std::move(results[static_cast<size_t>(i)]);
  }
}

}  // namespace fusegrad
