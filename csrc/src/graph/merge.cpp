// Merge: the gradient of a relu becomes part of the product before it; the update of a large matrix
// takes the product that is its gradient with it, so that the gradient never goes to memory; the
// other updates become one instruction, so that a step has one parallel region for all of them and
// small variables cost next to nothing.
#include <algorithm>
#include <string>
#include <utility>

#include "graph/plan.h"
#include "ops/matmul.h"
#include "ops/update.h"

namespace fusegrad {

namespace {

bool share_block(const std::vector<Operand>& a, const std::vector<Operand>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Operand& left) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Operand& right) { return left.place.block == right.place.block; });
  });
}

// Whether the two may run in any order, or at once.
bool independent(const Instruction& a, const Instruction& b) {
  return !share_block(a.outputs, b.inputs) && !share_block(a.outputs, b.outputs) &&
         !share_block(a.inputs, b.outputs);
}

bool same_layout(const Operand& a, const Operand& b) {
  return a.meta.shape == b.meta.shape && a.place.strides == b.place.strides;
}

// An update that writes nothing but states, each in place.
bool updates_in_place(const Plan& plan, const Instruction& instruction) {
  if ((instruction.op->traits & kMultiTensor) == 0) return false;
  for (size_t k = 0; k < instruction.outputs.size(); ++k) {
    const Place& place = instruction.outputs[k].place;
    if (plan.blocks[static_cast<size_t>(place.block)].home != Home::state) return false;
    if (!(place == instruction.inputs[k].place)) return false;
  }
  return true;
}

void append(Instruction* all, Instruction one) {
  all->inputs.pop_back();  // the operand that they share comes last
  std::move(one.inputs.begin(), one.inputs.end(), std::back_inserter(all->inputs));
  std::move(one.outputs.begin(), one.outputs.end(), std::back_inserter(all->outputs));
}

// A gradient of so many bytes is in no cache any more when its update begins.
constexpr int64_t kGradientBytes = int64_t{4} << 20;
// The unit stride of the variable, of which scratch memory for 32 or more is taken.
constexpr int64_t kLongestLanes = 16384;

// Whether all states are dense matrices of one order, and large.
bool large_matrices(const std::vector<Operand>& states) {
  const Shape& shape = states[0].meta.shape;
  const Strides& strides = states[0].place.strides;
  if (shape.rank() != 2) return false;
  const bool c_order = is_c_contiguous(shape, strides);
  if (!c_order && !is_f_contiguous(shape, strides)) return false;
  for (const Operand& state : states) {
    if (state.place.strides != strides) return false;
  }
  return num_elements(shape) * itemsize(states[0].meta.dtype) >= kGradientBytes &&
         shape[c_order ? 1 : 0] <= kLongestLanes;
}

Operand transposed(Operand matrix, bool transpose) {
  if (!transpose) return matrix;
  std::swap(matrix.meta.shape[0], matrix.meta.shape[1]);
  std::swap(matrix.place.strides[0], matrix.place.strides[1]);
  return matrix;
}

// The instruction before `user` whose result is its operand k: a product of two matrices, not of
// bfloat16, that nothing else reads, and whose factors are still there when the user runs. -1 where
// none is.
int product_of(const Plan& plan, size_t user, size_t k) {
  const std::vector<Instruction>& list = plan.instructions;
  const std::vector<Operand> gradient{list[user].inputs[k]};
  if (share_block(gradient, plan.outputs)) return -1;
  int found = -1;
  for (size_t i = 0; i < list.size(); ++i) {
    if (i == user) continue;
    const Instruction& other = list[i];
    if (share_block(gradient, other.inputs)) return -1;
    if (!share_block(gradient, other.outputs)) continue;
    if (other.op != &matmul_op || other.attrs->bfloat16 || found >= 0 || i > user) return -1;
    found = static_cast<int>(i);
  }
  if (found < 0) return -1;
  const Instruction& product = list[static_cast<size_t>(found)];
  if (!(product.outputs[0].value == gradient[0].value)) return -1;
  for (const Operand& factor : product.inputs) {
    if (factor.meta.shape.rank() != 2) return -1;
  }
  for (size_t i = static_cast<size_t>(found) + 1; i <= user; ++i) {
    if (share_block(list[i].outputs, product.inputs)) return -1;
  }
  return found;
}

}  // namespace

void merge_relu_gradients(Plan* plan) {
  std::vector<Instruction>& list = plan->instructions;
  for (size_t i = 0; i < list.size(); ++i) {
    Instruction& user = list[i];
    if (user.op != &relu_grad_op || !same_layout(user.inputs[1], user.outputs[0])) continue;
    const int product = product_of(*plan, i, 0);
    if (product < 0 || share_block({user.inputs[0]}, {user.inputs[1]})) continue;
    const auto source = list.begin() + product;
    if (!same_layout(source->outputs[0], user.outputs[0])) continue;
    user.inputs = {source->inputs[0], source->inputs[1], user.inputs[1]};
    user.op = &matmul_relu_grad_op;
    user.attrs = source->attrs;
    user.note = "matmul + relu_grad";
    list.erase(source);
    --i;
  }
}

void merge_products(Plan* plan) {
  std::vector<Instruction>& list = plan->instructions;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!updates_in_place(*plan, list[i]) || !large_matrices(list[i].outputs)) continue;
    const OpDef* const op = matmul_update_of(*list[i].op);
    const int product = op == nullptr ? -1 : product_of(*plan, i, list[i].outputs.size());
    if (product < 0) continue;
    const auto source = list.begin() + product;
    Instruction& update = list[i];
    const auto gradient =
        update.inputs.begin() + static_cast<std::ptrdiff_t>(update.outputs.size());
    *gradient = transposed(source->inputs[1], source->attrs->transpose_b);
    update.inputs.insert(gradient, transposed(source->inputs[0], source->attrs->transpose_a));
    update.op = op;
    update.note = "in place, matmul + " + std::string(op->name).substr(7);
    list.erase(source);
    --i;
  }
}

void merge_updates(Plan* plan) {
  std::vector<Instruction>& list = plan->instructions;
  for (size_t i = 0; i < list.size(); ++i) {
    if (!updates_in_place(*plan, list[i])) continue;
    const size_t states = list[i].outputs.size();
    const auto fits = [&](const Instruction& other) {
      return other.op == list[i].op && *other.attrs == *list[i].attrs &&
             other.outputs.size() == states && updates_in_place(*plan, other) &&
             other.inputs.back().value == list[i].inputs.back().value &&
             other.outputs[0].meta.dtype == list[i].outputs[0].meta.dtype;
    };
    for (size_t j = i + 1; j < list.size();) {
      const Instruction& other = list[j];
      const auto apart = [&](const Instruction& earlier) { return independent(earlier, other); };
      const auto begin = list.begin() + static_cast<std::ptrdiff_t>(i);
      const auto end = list.begin() + static_cast<std::ptrdiff_t>(j);
      if (fits(other) && std::all_of(begin, end, apart)) {
        append(&list[i], std::move(list[j]));
        list.erase(end);
      } else {
        ++j;
      }
    }
    const size_t variables = list[i].outputs.size() / states;
    if (variables > 1) list[i].note = "in place, " + std::to_string(variables) + " variables";
  }
}

}  // namespace fusegrad
