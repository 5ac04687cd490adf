// The update ops of each rule. The arithmetic is in the ops; here is which op takes which operands.
//
// Slots come in the order in which the op takes and returns them. The rules and defaults are
// Keras's; its names of slots too.
#include "fusegrad/optimizer.h"

#include "fusegrad/error.h"

namespace fusegrad {

std::vector<std::string> Optimizer::slots() const {
  std::vector<std::string> names;
  switch (rule) {
    case Rule::sgd:
      if (momentum != 0.0) names = {"momentum"};
      break;
    case Rule::rmsprop:
      names = {"velocity"};
      if (centered) names.push_back("average_gradient");
      if (momentum > 0.0) names.push_back("momentum");
      break;
    case Rule::adam:
      names = {"momentum", "velocity"};
      if (amsgrad) names.push_back("velocity_hat");
      break;
  }
  return names;
}

Value Optimizer::step_size(Builder& builder, Value learning_rate, Value iterations) const {
  if (rule != Rule::adam) return learning_rate;
  Attrs attrs;
  attrs.scalars[0] = beta_1;
  attrs.scalars[1] = beta_2;
  return builder.emit(adam_step_size_op, {learning_rate, iterations}, attrs);
}

std::vector<Value> Optimizer::update(Builder& builder, Value variable, Value gradient,
                                     const std::vector<Value>& slot_values,
                                     Value step_size_value) const {
  const size_t expected = slots().size();
  if (slot_values.size() != expected) {
    throw ArgumentError("Optimizer.update", "slots", std::to_string(expected) + " slots",
                        std::to_string(slot_values.size()));
  }
  const OpDef* op = &sgd_update_op;
  Attrs attrs;
  switch (rule) {
    case Rule::sgd:
      if (expected == 0) break;
      op = &momentum_update_op;
      attrs.scalars[0] = momentum;
      attrs.flag = nesterov;
      break;
    case Rule::rmsprop:
      op = &rmsprop_update_op;
      attrs.scalars[0] = rho;
      attrs.scalars[1] = momentum > 0.0 ? momentum : 0.0;
      attrs.scalars[2] = epsilon;
      attrs.scalars[3] = centered ? 1.0 : 0.0;
      break;
    case Rule::adam:
      op = &adam_update_op;
      attrs.scalars[0] = beta_1;
      attrs.scalars[1] = beta_2;
      attrs.scalars[2] = epsilon;
      break;
  }
  // variable, slots, gradient, step size -> variable, slots
  std::vector<Value> operands;
  operands.reserve(expected + 3);
  operands.push_back(variable);
  operands.insert(operands.end(), slot_values.begin(), slot_values.end());
  operands.push_back(gradient);
  operands.push_back(step_size_value);
  Value outputs[kMaxOutputs];
  const int count =
      builder.emit(*op, operands.data(), static_cast<int>(operands.size()), attrs, outputs);
  return std::vector<Value>(outputs, outputs + count);
}

}  // namespace fusegrad
