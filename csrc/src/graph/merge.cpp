// Merge: the updates of many variables become one instruction, so that a step has one parallel
// region for all of them and small variables cost next to nothing.
#include <algorithm>
#include <string>
#include <utility>

#include "graph/plan.h"

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

}  // namespace

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
    if (variables > 1) list[i].note += ", " + std::to_string(variables) + " variables";
  }
}

}  // namespace fusegrad
