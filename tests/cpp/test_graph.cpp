// The graph layer: recording, differentiation on the tape, and the passes one by one.
#include <string>
#include <vector>

#include "fusegrad/tape.h"
#include "graph_support.h"

namespace fusegrad::test {

// ---- recording ----------------------------------------------------------------------------------

FUSEGRAD_TEST(graph_emit) {
  Tape tape;
  const Value a = tape.watch(random_array<float>({3, 4}));
  const Value b = tape.watch(random_array<float>({5, 2}));
  const int32_t nodes = tape.num_nodes(), values = tape.num_values();
  CHECK(raises([&] { tape.emit(add_op, {a, b}); }));
  CHECK(raises([&] { tape.emit(add_op, {a}); }));
  CHECK(raises([&] { tape.emit(add_op, {a, Value{99}}); }));
  CHECK(raises([&] { tape.emit(add_op, {a, Value()}); }));
  CHECK(raises([&] { tape.emit(fails_op, {a}); }));
  CHECK(tape.num_nodes() == nodes && tape.num_values() == values);
  const Value sum = tape.emit(add_op, {a, a});
  CHECK(elements(tape.array(sum))[5] == 2.0 * elements(tape.array(a))[5]);

  Graph graph;
  const Value x = graph.input(kMatrix, "x");
  const Value s = graph.state(random_array<float>({4, 3}), "s");
  CHECK(raises([&] { graph.update(x, s); }));
  CHECK(raises([&] { graph.update(s, graph.constant(1.0, DType::float32)); }));
  CHECK(raises([&] { graph.output(Value{77}, "y"); }));
  graph.update(s, x);
  CHECK(raises([&] { graph.update(s, x); }));
}

FUSEGRAD_TEST(stable_list) {
  StableList<std::string> list;
  std::vector<const std::string*> places;
  for (int i = 0; i < 1000; ++i) places.push_back(&list.emplace_back(std::to_string(i)));
  const StableList<std::string> copy = list;
  for (int i = 0; i < 600; ++i) list.pop_back();
  CHECK(list.size() == 400 && list.back() == "399" && copy.size() == 1000 && copy[999] == "999");
  CHECK(&list.emplace_back("again") == places[400] && *places[399] == "399");
  StableList<std::string> moved = std::move(list);
  CHECK(moved.size() == 401 && moved[400] == "again");
  moved = copy;
  CHECK(moved.size() == 1000 && moved[400] == "400");
}

// ---- rewrites -----------------------------------------------------------------------------------

FUSEGRAD_TEST(graph_rewrites) {
  Graph graph;
  const Value z = graph.input(kMatrix, "z");
  const Value labels = graph.input({DType::int64, {4}}, "labels");
  const Value targets = graph.input(kMatrix, "targets");
  const Value one = graph.constant(1.0, DType::float32);
  const Value ones = graph.emit(broadcast_to_op, {one}, with_shape({4, 3}));
  const Value softmax = graph.emit(softmax_op, {z}, with_axes({-1}));
  const Value sigmoid = graph.emit(sigmoid_op, {z});
  const Value exp = graph.emit(exp_op, {z});
  const Value exp_minus = graph.emit(exp_op, {graph.emit(negative_op, {z})});
  const Value minus_one = graph.constant(-1.0, DType::float32);
  const Value exp_times = graph.emit(exp_op, {graph.emit(multiply_op, {minus_one, z})});
  const auto log = [&](Value u) { return graph.emit(log_op, {u}); };
  struct Case {
    Value value;
    const OpDef* op;
  };
  const std::vector<Case> cases = {
      {log(softmax), &log_softmax_op},
      {log(sigmoid), &log_sigmoid_op},
      {log(graph.emit(subtract_op, {one, sigmoid})), &log_sigmoid_op},
      {log(graph.emit(add_op, {graph.emit(negative_op, {sigmoid}), ones})), &log_sigmoid_op},
      {log(graph.emit(add_op, {one, exp})), &softplus_op},
      {log(graph.emit(add_op, {exp, ones})), &softplus_op},
      {graph.emit(log1p_op, {exp}), &softplus_op},
      {graph.emit(divide_op, {one, graph.emit(add_op, {one, exp_minus})}), &sigmoid_op},
      {graph.emit(reciprocal_op, {graph.emit(add_op, {exp_times, one})}), &sigmoid_op},
      {graph.emit(sparse_categorical_cross_entropy_op, {softmax, labels}),
       &sparse_softmax_cross_entropy_op},
      {graph.emit(categorical_cross_entropy_op, {softmax, targets}), &softmax_cross_entropy_op},
      {graph.emit(binary_cross_entropy_op, {sigmoid, targets}), &sigmoid_cross_entropy_op},
  };
  // Left alone: identity between, a constant that stretches, another number.
  const Value opaque = log(graph.emit(identity_op, {softmax}));
  const Value stretch = graph.constant(Array(random_array<float>({2, 1, 1})));
  const Value stretched = log(graph.emit(add_op, {stretch, exp}));
  const Value two = log(graph.emit(add_op, {graph.constant(2.0, DType::float32), exp}));
  rewrite_exact(graph);
  for (const Case& item : cases) CHECK(op_of(graph, item.value) == item.op);
  CHECK(graph.producer(cases[2].value).attrs().flag && graph.producer(cases[3].value).attrs().flag);
  CHECK(op_of(graph, opaque) == &log_op && op_of(graph, stretched) == &log_op);
  CHECK(op_of(graph, two) == &log_op);
  CHECK(graph.rewrites().size() == cases.size());
  rewrite_exact(graph);
  CHECK(graph.rewrites().size() == cases.size());
  CHECK(graph.text().find("rewrites, by") != std::string::npos);

  // A rewritten operand is seen: log(1/(1 + exp(-z))).
  Graph nested;
  const Value u = nested.input(kMatrix, "u");
  const Value unit = nested.constant(1.0, DType::float32);
  const Value denominator =
      nested.emit(add_op, {unit, nested.emit(exp_op, {nested.emit(negative_op, {u})})});
  const Value logistic = nested.emit(log_op, {nested.emit(divide_op, {unit, denominator})});
  rewrite_exact(nested);
  CHECK(op_of(nested, logistic) == &log_sigmoid_op);
}

// ---- simplify and fuse --------------------------------------------------------------------------

FUSEGRAD_TEST(graph_simplify) {
  Graph graph;
  const Value x = graph.input(kMatrix, "x");
  graph.input({DType::int64, {}}, "unused");
  graph.state(random_array<float>({2}), "idle");
  const Value a = graph.emit(exp_op, {x});
  const Value b = graph.emit(exp_op, {x});
  graph.emit(log_op, {x});  // dead
  const Value sum = graph.emit(add_op, {a, b});
  const Value same = graph.emit(reshape_op, {sum}, with_shape({4, 3}));
  const Value flipped = graph.emit(transpose_op, {same}, with_axes({1, 0}));
  const Value back = graph.emit(transpose_op, {flipped}, with_axes({1, 0}));
  const Value two = graph.emit(
      add_op, {graph.constant(1.0, DType::float32), graph.constant(1.0, DType::float32)});
  const Value scaled = graph.emit(multiply_op, {back, two});
  const Value zero = graph.emit(multiply_op, {scaled, graph.constant(0.0, DType::float32)});
  const Value once = graph.emit(multiply_op, {zero, graph.constant(1.0, DType::float32)});
  graph.output(once, "y");
  graph.output(graph.emit(identity_op, {x}), "x");
  graph.output(graph.emit(add_op, {graph.emit(noise_op, {x}), graph.emit(noise_op, {x})}), "n");
  const Graph small = simplify(graph);
  CHECK(small.inputs().size() == 2 && small.states().size() == 1);
  CHECK(count_ops(small, exp_op) == 1 && count_ops(small, log_op) == 0);
  CHECK(count_ops(small, reshape_op) == 0 && count_ops(small, transpose_op) == 0);
  CHECK(count_ops(small, add_op) == 2);       // the constants are added
  CHECK(count_ops(small, multiply_op) == 2);  // x*0 stays
  CHECK(count_ops(small, noise_op) == 2);     // random ops are not merged
  CHECK(small.outputs()[1] == small.inputs()[0]);

  // -0 and 0 differ; what cannot be computed waits for the run.
  Graph signs;
  const Value v = signs.input(kMatrix, "v");
  signs.output(signs.emit(add_op, {v, signs.constant(0.0, DType::float32)}), "plus");
  signs.output(signs.emit(add_op, {v, signs.constant(-0.0, DType::float32)}), "minus");
  signs.output(signs.emit(fails_op, {signs.constant(1.0, DType::float32)}), "fails");
  const Graph kept = simplify(signs);
  CHECK(count_ops(kept, add_op) == 2 && count_ops(kept, fails_op) == 1);
}

FUSEGRAD_TEST(graph_fuse) {
  Graph graph;
  const Value x = graph.input({DType::float32, {8, 5}}, "x");
  const Value w = graph.state(random_array<float>({5, 6}, true), "w");
  const Value b = graph.state(random_array<float>({6}), "b");
  const Value hidden =
      graph.emit(relu_op, {graph.emit(add_op, {b, graph.emit(matmul_op, {x, w})})});
  const Value w2 = graph.state(random_array<float>({6, 2}, true), "w2");
  const Value product = graph.emit(matmul_op, {hidden, w2});
  graph.output(graph.emit(tanh_op, {product}), "tanh");
  const Graph fused = fuse(simplify(graph));
  CHECK(count_ops(fused, dense_op) == 2 && count_ops(fused, matmul_op) == 0);
  CHECK(count_ops(fused, relu_op) == 0 && count_ops(fused, tanh_op) == 0);

  graph.output(product, "product");  // now it has a second reader
  const Graph half = fuse(simplify(graph));
  CHECK(count_ops(half, dense_op) == 1 && count_ops(half, matmul_op) == 1);
  CHECK(count_ops(half, tanh_op) == 1);
}

FUSEGRAD_TEST(graph_fuse_loss_and_gradient) {
  Graph graph;
  const Value x = graph.input({DType::float32, {8, 5}}, "x");
  const Value y = graph.input({DType::int64, {8}}, "y");
  const Value g = graph.input({DType::float32, {8}}, "g");
  const Value loss = graph.emit(sparse_softmax_cross_entropy_op, {x, y});
  const Value scale = graph.emit(exp_op, {g});  // is needed earlier than it is listed
  const Value grad = graph.emit(sparse_softmax_cross_entropy_grad_op, {x, y, scale});
  graph.output(graph.emit(tanh_op, {loss}), "loss");
  graph.output(grad, "grad");
  const Graph fused = fuse(simplify(graph));
  CHECK(count_ops(fused, sparse_softmax_cross_entropy_with_grad_op) == 1);
  CHECK(count_ops(fused, sparse_softmax_cross_entropy_op) == 0);
  CHECK(count_ops(fused, sparse_softmax_cross_entropy_grad_op) == 0);

  Graph dependent;  // the gradient's cotangent is made of the loss itself
  const Value x2 = dependent.input({DType::float32, {8, 5}}, "x");
  const Value y2 = dependent.input({DType::int64, {8}}, "y");
  const Value loss2 = dependent.emit(sparse_softmax_cross_entropy_op, {x2, y2});
  const Value scale2 = dependent.emit(exp_op, {loss2});
  dependent.output(dependent.emit(sparse_softmax_cross_entropy_grad_op, {x2, y2, scale2}), "grad");
  dependent.output(loss2, "loss");
  const Graph kept = fuse(simplify(dependent));
  CHECK(count_ops(kept, sparse_softmax_cross_entropy_with_grad_op) == 0);
}

}  // namespace fusegrad::test
