// Layout: which of the two orders each matrix of a graph has in memory.
//
// Order c is [rows][columns], order f is [columns][rows]; values of another rank are always c.
// The choice changes speed only, never a bit.
#pragma once

#include <cstdint>
#include <vector>

#include "fusegrad/graph.h"

namespace fusegrad {

enum class Order : uint8_t { c, f };

struct Layout {
  std::vector<Order> order;  // by value id

  Order of(Value value) const { return order[static_cast<size_t>(value.id)]; }
};

// A state keeps the order that it is stored in.
Order stored_order(const Array& array);

// Order c for everything but states.
Layout plain_layout(const Graph& graph);

// The cheapest orders by a model of what the kernels do: lanes along the contiguous axis of a
// product, a packing pass where the operand of the lanes is not contiguous along it, slow paths
// where elementwise operands disagree.
Layout choose_layout(const Graph& graph);

}  // namespace fusegrad
