// Plan: a graph as a list of instructions over blocks of memory.
//
// Blocks of the arena are shared by values whose lives do not meet. Views are resolved to places
// inside their operand's block. Nothing writes a state before the last instruction that may raise,
// but that an update with a product in it takes scratch memory, and other updates may come before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fusegrad/graph.h"
#include "graph/layout.h"

namespace fusegrad {

enum class Home : uint8_t { arena, input, state, constant, output };

struct Block {
  Home home = Home::arena;  // output: memory of its own, which a caller may keep
  int32_t owner = -1;       // the value that lives here first
  int64_t bytes = 0;        // arena, output: size; else unused
  int64_t offset = 0;       // arena: where, a multiple of kAlignment
  int32_t first = -1;       // arena: the instructions between which the contents matter
  int32_t last = -1;
};

// Where the elements of one value lie: `offset` bytes into the block.
struct Place {
  int32_t block = -1;
  int64_t offset = 0;
  Strides strides;

  bool operator==(const Place& other) const {
    return block == other.block && offset == other.offset && strides == other.strides;
  }
};

struct Operand {
  Value value;
  Meta meta;
  Place place;
};

struct Instruction {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;  // in the graph, which must outlive the plan
  std::vector<Operand> inputs, outputs;
  std::string note;  // "in place", "view refused", why a copy is made
};

struct Plan {
  std::vector<Block> blocks;
  // The first `transposes` of them copy an input into order f for the products that read it so;
  // whoever fills the input may do that on the way.
  std::vector<Instruction> instructions;
  size_t transposes = 0;
  std::vector<Operand> outputs;      // of the program, all in order c
  std::vector<std::string> aliases;  // "%6 = reshape of %5"
  int64_t arena_bytes = 0;

  std::string text() const;
};

// `merge`: with the passes below.
Plan make_plan(const Graph& graph, const Layout& layout, bool merge);

// Passes over the instructions, before their operands get places in the arena. Each keeps every
// bit.

// relu_grad of a product that nothing else reads becomes part of the product.
void merge_relu_gradients(Plan* plan);
// A product that is the gradient of a large variable's update, and nothing else, becomes part of
// the update, where the factors are still there.
void merge_products(Plan* plan);
// Updates by one rule with one step size become one instruction, where none of them reads what
// another writes.
void merge_updates(Plan* plan);

}  // namespace fusegrad
