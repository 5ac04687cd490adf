// Print: graphs, layouts and their parts as readable text.
#pragma once

#include <string>

#include "fusegrad/graph.h"
#include "graph/layout.h"

namespace fusegrad {

std::string meta_text(const Meta& meta);  // "float32[32, 25]"

// "%5"
std::string value_name(Value value);

// "matmul(%0, %1)", with the attributes that differ from their defaults; "input", "state",
// "constant(1)".
std::string describe_node(const Graph& graph, const Node& node);

// One line a node, then outputs, updates and rewrites; orders are shown where `layout` is given.
std::string print_graph(const Graph& graph, const Layout* layout);

}  // namespace fusegrad
