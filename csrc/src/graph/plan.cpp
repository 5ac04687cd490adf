// Plan: order of the instructions, places of the values, and sharing of the arena.
//
// Order: what computes, then copies of old states that outputs or other states still need, then
// ops that write states in place, then copies into states. So an instruction that raises leaves all
// states as they were.
#include "graph/plan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fusegrad/error.h"
#include "graph/print.h"
#include "graph/rebuild.h"

namespace fusegrad {

namespace {

void eval_copy(const EvalContext& context) { copy_elements(context.outputs[0], context.inputs[0]); }

void infer_copy(InferContext& context) {
  context.outputs[0] = context.inputs[0];
  context.num_outputs = 1;
}

// Moves elements to another place or order; never a node of a graph.
const OpDef kCopy = {"copy", 1, 1, 0, &infer_copy, &eval_copy, &kNotDifferentiable};

// Smaller outputs are copied: that is cheaper than memory of their own.
constexpr int64_t kOwnOutputBytes = 1 << 15;

// View rules are asked with this address; only differences from it are used.
constexpr uintptr_t kProbe = uintptr_t{1} << 40;

int64_t bytes_of(const Meta& meta) {
  return checked_mul(num_elements(meta.shape), itemsize(meta.dtype));
}

class Planner {
 public:
  Planner(const Graph& graph, const Layout& layout, bool merge)
      : graph_(graph),
        layout_(layout),
        merge_(merge),
        live_(live_nodes(graph)),
        places_(static_cast<size_t>(graph.num_values())),
        in_place_state_(static_cast<size_t>(graph.num_values())),
        sunk_(static_cast<size_t>(graph.num_nodes()), 0) {}

  Plan run() {
    choose_sunk();
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      if (live_[index(i)] != 0) place(graph_.node(i));
    }
    settle_sunk();
    list_main();
    list_outputs_and_updates();
    if (merge_) {
      merge_relu_gradients(&plan_);
      merge_products(&plan_);
      merge_updates(&plan_);
    }
    measure_lives();
    share_in_place();
    separate_outputs();
    assign_offsets();
    return std::move(plan_);
  }

 private:
  static size_t index(int32_t i) { return static_cast<size_t>(i); }
  static size_t index(Value value) { return static_cast<size_t>(value.id); }

  Place& place_of(Value value) { return places_[index(value)]; }
  Block& block_of(const Place& place) { return plan_.blocks[index(place.block)]; }
  Operand operand(Value value) { return {value, graph_.meta(value), place_of(value)}; }

  int32_t new_block(Home home, Value owner, int64_t bytes) {
    Block block;
    block.home = home;
    block.owner = owner.id;
    block.bytes = bytes;
    plan_.blocks.push_back(block);
    return static_cast<int32_t>(plan_.blocks.size()) - 1;
  }

  Strides strides_of(Value value) const {
    const Shape& shape = graph_.meta(value).shape;
    return shape.rank() == 2 && layout_.of(value) == Order::f ? f_strides(shape) : c_strides(shape);
  }

  // ---- which ops may write states in place --------------------------------------------------

  // An update by an op that may overwrite the state's operand, and whose results no op reads, can
  // wait until everything else is done.
  void choose_sunk() {
    std::vector<char> read_by_op(static_cast<size_t>(graph_.num_values()), 0);
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      if (live_[index(i)] == 0) continue;
      for (const Value input : graph_.node(i).inputs) read_by_op[index(input)] = 1;
    }
    for (const auto& [state, value] : graph_.updates()) {
      const ValueInfo& info = graph_.info(value);
      const Node& node = graph_.node(info.node);
      if (node.kind != NodeKind::op || (node.op->traits & (kInPlace0 << info.index)) == 0) continue;
      const size_t operand_index = static_cast<size_t>(info.index);
      if (operand_index >= node.inputs.size() || !(node.inputs[operand_index] == state)) continue;
      bool free = !in_place_state_[index(value)].valid() && !shares_storage(state);
      for (int k = 0; free && k < node.num_outputs; ++k) {
        free = read_by_op[index(Value{node.first_output.id + k})] == 0;
      }
      if (!free) continue;
      in_place_state_[index(value)] = state;
      sunk_[index(info.node)] = 1;
    }
  }

  bool shares_storage(Value state) const {
    const Storage* storage = graph_.info(state).array.storage().get();
    return std::count_if(graph_.states().begin(), graph_.states().end(), [&](Value other) {
             return graph_.info(other).array.storage().get() == storage;
           }) > 1;
  }

  // Takes back what would overwrite a state that the op itself or a later one reads otherwise.
  void settle_sunk() {
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      if (sunk_[index(i)] == 0) continue;
      const Node& node = graph_.node(i);
      for (int k = 0; k < node.num_outputs; ++k) {
        const Value output{node.first_output.id + k};
        const Value state = in_place_state_[index(output)];
        if (!state.valid()) continue;
        if (overwritten_early(i, k, place_of(state))) {
          in_place_state_[index(output)] = Value();
        } else {
          place_of(output) = place_of(state);
        }
      }
    }
  }

  bool overwritten_early(int32_t node_index, int k, const Place& state) {
    const Node& node = graph_.node(node_index);
    for (size_t j = 0; j < node.inputs.size(); ++j) {
      if (static_cast<int>(j) == k) continue;
      const Place& other = place_of(node.inputs[j]);
      if (other.block != state.block) continue;
      if ((node.op->traits & kElementwise) == 0 || !(other == state)) return true;
    }
    for (int32_t later = node_index + 1; later < graph_.num_nodes(); ++later) {
      if (sunk_[index(later)] == 0) continue;
      for (const Value input : graph_.node(later).inputs) {
        if (place_of(input).block == state.block) return true;
      }
    }
    return false;
  }

  // ---- places -------------------------------------------------------------------------------

  void place(const Node& node) {
    const Value first = node.first_output;
    switch (node.kind) {
      case NodeKind::input:
        place_of(first) = {new_block(Home::input, first, 0), 0,
                           c_strides(graph_.meta(first).shape)};
        return;
      case NodeKind::state:
        place_of(first) = {state_block(first), state_offset(first),
                           graph_.info(first).array.strides()};
        return;
      case NodeKind::constant:
        place_of(first) = {new_block(Home::constant, first, 0), 0,
                           c_strides(graph_.meta(first).shape)};
        return;
      case NodeKind::op: break;
    }
    if (sunk_[index(graph_.info(first).node)] == 0 && place_view(node)) return;
    for (int k = 0; k < node.num_outputs; ++k) {
      const Value output{first.id + k};
      place_of(output) = {new_block(Home::arena, output, bytes_of(graph_.meta(output))), 0,
                          strides_of(output)};
    }
  }

  // States in one storage are one block, so that a write of one is seen as a write of all.
  int32_t state_block(Value state) {
    const Storage* storage = graph_.info(state).array.storage().get();
    for (size_t i = 0; i < plan_.blocks.size(); ++i) {
      const Block& block = plan_.blocks[i];
      if (block.home == Home::state &&
          graph_.info(Value{block.owner}).array.storage().get() == storage) {
        return static_cast<int32_t>(i);
      }
    }
    return new_block(Home::state, state, 0);
  }

  // Offsets of states count from the block's first state.
  int64_t state_offset(Value state) {
    const Value owner{plan_.blocks[index(state_block(state))].owner};
    return static_cast<const char*>(graph_.info(state).array.data()) -
           static_cast<const char*>(graph_.info(owner).array.data());
  }

  bool place_view(const Node& node) {
    if ((node.op->traits & kView) == 0 || node.op->view == nullptr) return false;
    const Value input = node.inputs[0];
    const Place source = place_of(input);
    View from{reinterpret_cast<void*>(kProbe), graph_.meta(input).dtype, graph_.meta(input).shape,
              source.strides};
    View to;
    if (!node.op->view(from, node.attrs(), &to)) return false;
    const int64_t delta =
        static_cast<int64_t>(reinterpret_cast<uintptr_t>(to.data)) - static_cast<int64_t>(kProbe);
    place_of(node.first_output) = {source.block, source.offset + delta, to.strides};
    plan_.aliases.push_back(value_name(node.first_output) + ": " +
                            meta_text(graph_.meta(node.first_output)) + " = " + node.op->name +
                            " of " + value_name(input) + ", no copy");
    return true;
  }

  // ---- instructions -------------------------------------------------------------------------

  void list(const Node& node) {
    Instruction instruction;
    instruction.op = node.op;
    instruction.attrs = &node.attrs();
    for (const Value input : node.inputs) instruction.inputs.push_back(operand(input));
    if (reads_transposed(node)) instruction.inputs[0].place = transposed_[index(node.inputs[0])];
    for (int k = 0; k < node.num_outputs; ++k) {
      instruction.outputs.push_back(operand(Value{node.first_output.id + k}));
    }
    plan_.instructions.push_back(std::move(instruction));
  }

  void list_copy(const Operand& to, const Operand& from, const char* note) {
    Instruction instruction;
    instruction.op = &kCopy;
    instruction.attrs = &Attrs::none();
    instruction.inputs.push_back(from);
    instruction.outputs.push_back(to);
    instruction.note = note;
    plan_.instructions.push_back(std::move(instruction));
  }

  // A copy of `from` in the arena, in order c.
  Operand list_temporary(const Operand& from, const char* note) {
    Operand to = from;
    to.place = {new_block(Home::arena, from.value, bytes_of(from.meta)), 0,
                c_strides(from.meta.shape)};
    list_copy(to, from, note);
    return to;
  }

  bool is_view(const Node& node) {
    return (node.op->traits & kView) != 0 && !node.inputs.empty() &&
           place_of(node.first_output).block == place_of(node.inputs[0]).block;
  }

  // Lanes of a product run along the contiguous axis of its result. An input whose rows are to be
  // the lanes, few enough to be read in place, is given transposed.
  bool reads_transposed(const Node& node) {
    constexpr int64_t kMostRows = 64;
    if (node.op != &dense_op && node.op != &matmul_op) return false;
    const Value x = node.inputs[0], y = node.first_output;
    if (block_of(place_of(x)).home != Home::input || node.attrs().transpose_a) return false;
    const Meta& meta = graph_.meta(x);
    if (meta.shape.rank() != 2 || place_of(x).strides != c_strides(meta.shape)) return false;
    const int64_t rows = meta.shape[0], columns = meta.shape[1];
    return rows > 1 && rows <= kMostRows && columns > 1 && graph_.meta(y).shape.rank() == 2 &&
           graph_.meta(y).shape[1] > 1 && layout_.of(y) == Order::f;
  }

  void list_transposes() {
    transposed_.resize(static_cast<size_t>(graph_.num_values()));
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      const Node& node = graph_.node(i);
      if (live_[index(i)] == 0 || node.kind != NodeKind::op || !reads_transposed(node)) continue;
      const Value x = node.inputs[0];
      Place& place = transposed_[index(x)];
      if (place.block >= 0) continue;
      Operand to = operand(x);
      to.place =
          place = {new_block(Home::arena, x, bytes_of(to.meta)), 0, f_strides(to.meta.shape)};
      list_copy(to, operand(x), "transposed");
    }
    plan_.transposes = plan_.instructions.size();
  }

  void list_main() {
    list_transposes();
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      const Node& node = graph_.node(i);
      if (live_[index(i)] == 0 || node.kind != NodeKind::op || sunk_[index(i)] != 0) continue;
      if (!is_view(node)) list(node);
    }
  }

  void list_outputs_and_updates() {
    std::vector<char> written(plan_.blocks.size(), 0);
    for (const auto& update : graph_.updates()) {
      written[index(place_of(update.first).block)] = 1;
    }
    const auto old_state = [&](Value value) {
      const int32_t block = place_of(value).block;
      return written[index(block)] != 0 && !in_place_state_[index(value)].valid();
    };

    std::vector<Operand> sources;
    for (const auto& update : graph_.updates()) {
      const Value value = update.second;
      Operand source = operand(value);
      const bool stays = source.place == place_of(update.first);
      if (!stays && old_state(value)) source = list_temporary(source, "old state for an update");
      sources.push_back(source);
    }
    std::vector<Operand> results(static_cast<size_t>(graph_.num_values()));
    for (const Value value : graph_.outputs()) {
      Operand& result = results[index(value)];
      if (result.value.valid() || sunk_[index(graph_.info(value).node)] != 0) continue;
      result = operand(value);
      const bool ordered = is_c_contiguous(result.meta.shape, result.place.strides);
      if (old_state(value)) {
        result = list_temporary(result, "old state for an output");
      } else if (!ordered) {
        result = list_temporary(result, "output in order c");
      }
    }
    for (int32_t i = 0; i < graph_.num_nodes(); ++i) {
      if (sunk_[index(i)] != 0 && live_[index(i)] != 0) list(graph_.node(i));
    }
    for (size_t i = 0; i < sources.size(); ++i) {
      const Value state = graph_.updates()[i].first;
      if (sources[i].place == place_of(state)) continue;
      list_copy(operand(state), sources[i], "update");
    }
    for (const Value value : graph_.outputs()) {
      Operand& result = results[index(value)];
      if (!result.value.valid()) {
        result = operand(value);
        if (!is_c_contiguous(result.meta.shape, result.place.strides)) {
          result = list_temporary(result, "output in order c");
        }
      }
      plan_.outputs.push_back(result);
    }
  }

  // ---- lives and sharing --------------------------------------------------------------------

  void measure_lives() {
    for (size_t i = 0; i < plan_.instructions.size(); ++i) {
      const int32_t now = static_cast<int32_t>(i);
      const auto touch = [&](const Operand& operand) {
        Block& block = block_of(operand.place);
        if (block.first < 0) block.first = now;
        block.last = now;
      };
      for (const Operand& input : plan_.instructions[i].inputs) touch(input);
      for (const Operand& output : plan_.instructions[i].outputs) touch(output);
    }
    const int32_t end = static_cast<int32_t>(plan_.instructions.size());
    for (const Operand& output : plan_.outputs) block_of(output.place).last = end;
  }

  // Puts an output into its operand's block where that is allowed and the operand ends here.
  void share_in_place() {
    std::vector<int32_t> moved(plan_.blocks.size());
    std::iota(moved.begin(), moved.end(), 0);
    const auto follow = [&moved](Place* place) {
      while (moved[index(place->block)] != place->block) place->block = moved[index(place->block)];
    };
    for (size_t i = 0; i < plan_.instructions.size(); ++i) {
      Instruction& instruction = plan_.instructions[i];
      for (Operand& input : instruction.inputs) follow(&input.place);
      for (size_t k = 0; k < instruction.outputs.size(); ++k) {
        Operand& output = instruction.outputs[k];
        if (!may_share(instruction, k, static_cast<int32_t>(i))) {
          const bool state = in_place_state_[index(output.value)].valid();
          if (state && instruction.note.empty()) instruction.note = "in place";
          continue;
        }
        const int32_t from = output.place.block;
        const int32_t to = instruction.inputs[k].place.block;
        moved[index(from)] = to;
        plan_.blocks[index(to)].last = plan_.blocks[index(from)].last;
        plan_.blocks[index(from)].first = plan_.blocks[index(from)].last = -1;
        output.place.block = to;
        instruction.note = "in place";
      }
    }
    for (Operand& output : plan_.outputs) follow(&output.place);
  }

  bool may_share(const Instruction& instruction, size_t k, int32_t now) {
    if (k >= static_cast<size_t>(kMaxOutputs) || k >= instruction.inputs.size() ||
        (instruction.op->traits & (kInPlace0 << k)) == 0) {
      return false;
    }
    const Operand& output = instruction.outputs[k];
    const Operand& input = instruction.inputs[k];
    const Block& source = block_of(input.place);
    if (source.home != Home::arena || source.last != now || source.first == now) return false;
    if (block_of(output.place).home != Home::arena) return false;
    if (input.meta != output.meta || input.place.offset != 0 ||
        input.place.strides != output.place.strides ||
        source.bytes != block_of(output.place).bytes) {
      return false;
    }
    for (size_t j = 0; j < instruction.inputs.size(); ++j) {
      if (j == k || instruction.inputs[j].place.block != input.place.block) continue;
      const bool exact =
          instruction.inputs[j].place == input.place && instruction.inputs[j].meta == input.meta;
      if (!exact || (instruction.op->traits & kElementwise) == 0) return false;
    }
    for (size_t j = 0; j < instruction.outputs.size(); ++j) {
      if (j != k && instruction.outputs[j].place.block == input.place.block) return false;
    }
    return true;
  }

  // Gives large outputs memory of their own, so that a caller can keep them without a copy.
  void separate_outputs() {
    std::vector<int> uses(plan_.blocks.size(), 0);
    for (const Operand& output : plan_.outputs) ++uses[index(output.place.block)];
    for (const Operand& output : plan_.outputs) {
      Block& block = block_of(output.place);
      if (block.home == Home::arena && uses[index(output.place.block)] == 1 &&
          output.place.offset == 0 && block.bytes == bytes_of(output.meta) &&
          block.bytes >= kOwnOutputBytes) {
        block.home = Home::output;
      }
    }
  }

  // Greedy by size: the largest first, each at the lowest offset free during its life.
  void assign_offsets() {
    std::vector<int32_t> order;
    for (size_t i = 0; i < plan_.blocks.size(); ++i) {
      const Block& block = plan_.blocks[i];
      if (block.home == Home::arena && block.first >= 0 && block.bytes > 0) {
        order.push_back(static_cast<int32_t>(i));
      }
    }
    std::stable_sort(order.begin(), order.end(), [this](int32_t a, int32_t b) {
      return plan_.blocks[index(a)].bytes > plan_.blocks[index(b)].bytes;
    });
    std::vector<int32_t> placed;  // by offset
    for (const int32_t i : order) {
      Block& block = plan_.blocks[index(i)];
      const int64_t bytes = padded(block.bytes);
      int64_t offset = 0;
      for (const int32_t j : placed) {
        const Block& other = plan_.blocks[index(j)];
        if (other.last < block.first || block.last < other.first) continue;
        if (other.offset - offset >= bytes) break;
        offset = std::max(offset, other.offset + padded(other.bytes));
      }
      block.offset = offset;
      plan_.arena_bytes = std::max(plan_.arena_bytes, checked_add(offset, bytes));
      const auto position = std::upper_bound(
          placed.begin(), placed.end(), offset,
          [this](int64_t value, int32_t j) { return value < plan_.blocks[index(j)].offset; });
      placed.insert(position, i);
    }
  }

  static int64_t padded(int64_t bytes) {
    return checked_add(bytes, kAlignment - 1) / kAlignment * kAlignment;
  }

  const Graph& graph_;
  const Layout& layout_;
  const bool merge_;
  std::vector<char> live_;
  std::vector<Place> places_;
  std::vector<Value> in_place_state_;  // by value: the state that its op overwrites with it
  std::vector<char> sunk_;             // by node: waits until everything else is done
  std::vector<Place> transposed_;      // by input: its copy in order f, where a product reads one
  Plan plan_;
};

std::string place_text(const Plan& plan, const Operand& operand) {
  const Block& block = plan.blocks[static_cast<size_t>(operand.place.block)];
  const Value owner{block.owner};
  std::string text;
  switch (block.home) {
    case Home::arena: text = "@" + std::to_string(block.offset + operand.place.offset); break;
    case Home::input: text = "input " + value_name(owner); break;
    case Home::state: text = "state " + value_name(owner); break;
    case Home::constant: text = "constant " + value_name(owner); break;
    case Home::output: text = "own"; break;
  }
  return text;
}

std::string order_text(const Operand& operand) {
  if (operand.meta.shape.rank() != 2) return "";
  if (is_c_contiguous(operand.meta.shape, operand.place.strides)) return " C";
  return is_f_contiguous(operand.meta.shape, operand.place.strides) ? " F" : " strided";
}

}  // namespace

std::string Plan::text() const {
  std::string text = "arena: " + std::to_string(arena_bytes) + " bytes\n";
  for (size_t i = 0; i < instructions.size(); ++i) {
    const Instruction& instruction = instructions[i];
    text += std::to_string(i) + ": ";
    for (size_t k = 0; k < instruction.outputs.size(); ++k) {
      const Operand& output = instruction.outputs[k];
      if (k > 0) text += ", ";
      text += value_name(output.value) + " " + meta_text(output.meta) + order_text(output) + " " +
              place_text(*this, output) + " +" +
              std::to_string(num_elements(output.meta.shape) * itemsize(output.meta.dtype));
    }
    text += std::string(" = ") + instruction.op->name + "(";
    for (size_t k = 0; k < instruction.inputs.size(); ++k) {
      if (k > 0) text += ", ";
      text += value_name(instruction.inputs[k].value);
    }
    text += ")";
    if (!instruction.note.empty()) text += "   # " + instruction.note;
    text += "\n";
  }
  for (const std::string& line : aliases) text += "view " + line + "\n";
  for (size_t i = 0; i < outputs.size(); ++i) {
    text += "output " + std::to_string(i) + " = " + value_name(outputs[i].value) + " " +
            place_text(*this, outputs[i]) + "\n";
  }
  return text;
}

Plan make_plan(const Graph& graph, const Layout& layout, bool merge) {
  return Planner(graph, layout, merge).run();
}

}  // namespace fusegrad
