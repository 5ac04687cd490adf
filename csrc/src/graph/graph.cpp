// Graph: inputs, states, updates, outputs, and changes of nodes in place.
#include "fusegrad/graph.h"

#include <array>
#include <stdexcept>

#include "fusegrad/error.h"
#include "graph/print.h"

namespace fusegrad {

namespace {

void check_value(const Graph& graph, Value value, const char* where, const char* argument) {
  if (value.id < 0 || value.id >= graph.num_values()) {
    throw ArgumentError(where, argument, "a value of this graph",
                        "value " + std::to_string(value.id));
  }
}

}  // namespace

Value Graph::input(const Meta& meta, std::string name) {
  const Value value = append(NodeKind::input, meta, Array(), std::move(name));
  inputs_.push_back(value);
  return value;
}

Value Graph::state(const Array& array, std::string name) {
  if (!array.defined()) throw ArgumentError("state()", "array", "an array", "an empty handle");
  const Value value = append(NodeKind::state, array.meta(), array, std::move(name));
  states_.push_back(value);
  return value;
}

void Graph::update(Value state, Value new_value) {
  check_value(*this, state, "update()", "state");
  check_value(*this, new_value, "update()", "new_value");
  if (producer(state).kind != NodeKind::state) {
    throw ArgumentError("update()", "state", "a state of this graph", meta_text(meta(state)));
  }
  const Meta& old_meta = meta(state);
  const Meta& new_meta = meta(new_value);
  if (old_meta != new_meta) {
    throw ArgumentError("update()", "new_value", meta_text(old_meta), meta_text(new_meta));
  }
  for (const auto& [known, value] : updates_) {
    if (known == state) {
      throw ArgumentError("update()", "state", "one update for each state",
                          "a second one for " + producer(state).note);
    }
  }
  updates_.emplace_back(state, new_value);
}

void Graph::output(Value value, std::string name) {
  check_value(*this, value, "output()", "value");
  outputs_.push_back(value);
  try {
    output_names_.push_back(std::move(name));
  } catch (...) {
    outputs_.pop_back();
    throw;
  }
}

void Graph::replace(int32_t node, const OpDef& op, ValueList inputs, const Attrs& attrs,
                    std::string note) {
  Node& target = nodes_[static_cast<size_t>(node)];
  std::vector<Meta> metas;
  metas.reserve(inputs.size());
  for (const Value input : inputs) {
    if (input.id < 0 || input.id >= target.first_output.id) {
      throw std::logic_error("replace(): an input is not an earlier value");
    }
    metas.push_back(meta(input));
  }
  Attrs normal = attrs;
  std::array<Meta, kMaxOutputs> results;
  InferContext context{op.name, metas.data(),   static_cast<int>(inputs.size()),
                       &normal, results.data(), op.num_outputs};
  op.infer(context);
  bool same = context.num_outputs == target.num_outputs;
  for (int i = 0; same && i < target.num_outputs; ++i) {
    same = meta(Value{target.first_output.id + i}) == results[static_cast<size_t>(i)];
  }
  if (!same) throw std::logic_error(std::string("replace(): other results from ") + op.name);
  target.kind = NodeKind::op;
  target.op = &op;
  target.set_attrs(normal);
  target.inputs = std::move(inputs);
  target.note = std::move(note);
}

std::string Graph::text() const { return print_graph(*this, nullptr); }
}  // namespace fusegrad
