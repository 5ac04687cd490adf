// Tape: evaluates each op as it is recorded and keeps the results for the gradient rules.
//
// An evaluation that raises leaves the tape as it was: Builder::emit takes the node back.
#include "fusegrad/tape.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "eager/scratch.h"
#include "fusegrad/float_environment.h"
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

void Tape::remember(Value value, const Array& array) {
  ValueInfo& info = values_[static_cast<size_t>(value.id)];
  if (!info.array.defined()) info.array = array;
}

std::vector<Array> Tape::last_gradients(Value y, Value seed, const std::vector<Value>& xs) {
  std::optional<Scratch> scratch;
  const auto restore = [](Scratch** current) { *current = nullptr; };
  const std::unique_ptr<Scratch*, decltype(restore)> guard(&scratch_, restore);
  if (!host_rules()) scratch_ = &scratch.emplace(values_);
  std::vector<Array> results;
  results.reserve(xs.size());
  for (const Value value : differentiate(*this, y, seed, xs)) results.push_back(array(value));
  return results;
}

bool Tape::host_rules() const {
  for (int32_t i = 0; i < num_nodes(); ++i) {
    if (node(i).op != nullptr && (node(i).op->traits & kHostRule) != 0) return true;
  }
  return false;
}

void Tape::compute(const OpDef& op, const Value* inputs, int num_inputs, const Attrs& attrs,
                   Value first, int num_outputs) {
  Operands<const Array*> operands(num_inputs);
  for (int i = 0; i < num_inputs; ++i) operands.put(i, &info(inputs[i]).array);
  Result results[kMaxOutputs];
  for (int i = 0; i < num_outputs; ++i) {
    ValueInfo& value = values_[static_cast<size_t>(first.id + i)];
    results[i] = {&value.meta, &value.array};
  }
  std::optional<FloatEnvironment> environment;
  if (scratch_ == nullptr) environment.emplace();  // else differentiate() has set it
  evaluate_inferred(op, operands.data(), num_inputs, attrs, results, num_outputs);
}

}  // namespace fusegrad
