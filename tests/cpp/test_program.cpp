// Programs: outputs, states and a whole training step, against plain runs and the eager tape.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "fusegrad/program.h"
#include "fusegrad/tape.h"
#include "graph_support.h"

namespace fusegrad::test {

// ---- programs -----------------------------------------------------------------------------------

FUSEGRAD_TEST(program_outputs) {
  Graph graph;
  const Value x = graph.input(kMatrix, "x");
  const Value none = graph.input({DType::float32, {0, 3}}, "none");
  const Value scalar = graph.input({DType::float64, {}}, "scalar");
  const Value sum = graph.emit(add_op, {x, x});
  const Value constant = graph.constant(random_array<float>({2, 2}));
  graph.output(x, "x");
  graph.output(sum, "sum");
  graph.output(sum, "again");
  graph.output(constant, "constant");
  graph.output(graph.emit(transpose_op, {sum}, with_axes({1, 0})), "transposed");
  graph.output(graph.emit(exp_op, {none}), "none");
  graph.output(graph.emit(negative_op, {scalar}), "negative");
  graph.output(graph.emit(broadcast_to_op, {scalar}, with_shape({2, 3})), "stretched");
  for (const bool optimize : {false, true}) {
    const auto program = Program::compile(graph, {true, optimize});
    const Array rows = random_array<float>({4, 3});
    copy_elements(program->input_buffer(0), rows.view());
    program->input_buffer(1);
    *program->input_buffer(2).as<double>() = 2.5;
    program->run();
    CHECK(same_bits(program->output(0), rows.view()));
    CHECK(elements(program->output(1))[4] == 2.0 * elements(rows)[4]);
    CHECK(same_bits(program->output(1), program->output(2)));
    CHECK(elements(program->output(4))[1] == 2.0 * elements(rows)[3]);
    CHECK(program->output(5).size() == 0);
    CHECK(elements(program->output(6)) == std::vector<double>{-2.5});
    CHECK(elements(program->output(7)) == std::vector<double>(6, 2.5));
    for (int i = 0; i < program->num_outputs(); ++i) CHECK(program->output(i).c_contiguous());

    // Other memory: bound where it is in order c, copied where it is not, then our own again.
    const Array other = random_array<float>({4, 3});
    program->bind_input(0, other.view());
    program->run();
    CHECK(program->output(0).data == other.data());
    CHECK(elements(program->output(1))[7] == 2.0 * elements(other)[7]);
    const Array turned = random_array<float>({4, 3}, true);
    program->bind_input(0, turned.view());
    program->run();
    CHECK(same_bits(program->output(0), turned.view()));
    CHECK(elements(program->output(1))[7] == 2.0 * elements(turned)[7]);
    CHECK(raises([&] { program->bind_input(0, random_array<float>({3, 4}).view()); }));
    CHECK(raises([&] { program->bind_input(9, other.view()); }));
    CHECK(raises([&] { program->output(99); }));
    CHECK(raises([&] { program->text("nothing"); }));
    for (const char* stage : {"trace", "rewrite", "simplify", "fuse", "layout", "plan"}) {
      CHECK(!program->text(stage).empty());
    }
  }
}

FUSEGRAD_TEST(program_states) {
  for (const bool optimize : {false, true}) {
    const Array a = random_array<float>({3, 2}, true), b = random_array<float>({3, 2});
    const Array c = random_array<float>({3, 2}), d = random_array<float>({3, 2}, true);
    const Array counter = Array::scalar<int64_t>(4);
    const Array a0 = clone(a), b0 = clone(b), c0 = clone(c), d0 = clone(d);
    Graph graph;
    const Value va = graph.state(a, "a"), vb = graph.state(b, "b");
    const Value vc = graph.state(c, "c"), vd = graph.state(d, "d");
    const Value steps = graph.state(counter, "steps");
    graph.update(va, vb);  // swapped
    graph.update(vb, va);
    // Both read the old values of both.
    const Value sum = graph.emit(add_op, {vc, vd});
    const Value difference = graph.emit(subtract_op, {vd, vc});
    graph.update(vc, sum);
    graph.update(vd, difference);
    graph.update(steps, graph.emit(add_op, {steps, graph.constant(1.0, DType::int64)}));
    graph.output(va, "old a");
    graph.output(graph.emit(transpose_op, {vd}, with_axes({1, 0})), "old d");
    graph.output(sum, "new c");
    const auto program = Program::compile(graph, {true, optimize});
    program->run();
    CHECK(same_bits(a.view(), b0.view()) && same_bits(b.view(), a0.view()));
    for (size_t i = 0; i < 6; ++i) {
      const float x = static_cast<float>(elements(c0)[i]), y = static_cast<float>(elements(d0)[i]);
      CHECK(elements(c)[i] == static_cast<double>(x + y));
      CHECK(elements(d)[i] == static_cast<double>(y - x));
    }
    CHECK(*counter.view().as<int64_t>() == 5);
    CHECK(same_bits(program->output(0), a0.view()));
    CHECK(elements(program->output(1))[1] == elements(d0)[2]);
    CHECK(same_bits(program->output(2), c.view()));
  }

  // A constant, an input, a view of itself; and an error before any of them is written.
  const Array a = random_array<float>({2, 2}), b = random_array<float>({2, 2});
  const Array c = random_array<float>({2, 2});
  const Array c0 = clone(c);
  Graph graph;
  const Value x = graph.input({DType::float32, {2, 2}}, "x");
  const Value va = graph.state(a, "a"), vb = graph.state(b, "b"), vc = graph.state(c, "c");
  const Array seven = random_array<float>({2, 2});
  graph.update(va, graph.constant(seven));
  graph.update(vb, x);
  graph.update(vc, graph.emit(transpose_op, {vc}, with_axes({1, 0})));
  Graph failing = graph;
  const auto program = Program::compile(graph);
  const Array rows = random_array<float>({2, 2});
  program->bind_input(0, rows.view());
  program->run();
  CHECK(same_bits(a.view(), seven.view()) && same_bits(b.view(), rows.view()));
  CHECK(elements(c)[1] == elements(c0)[2] && elements(c)[2] == elements(c0)[1]);

  failing.output(failing.emit(fails_op, {x}), "never");
  const auto bad = Program::compile(failing);
  const Array before = clone(c);
  CHECK(raises([&] { bad->run(); }));
  CHECK(same_bits(c.view(), before.view()));
}

namespace {

// The notes' network with Adam: every pass at work.
struct Network {
  Graph graph;
  std::vector<Array> states;
};

Network network(int64_t batch, bool f_order) {
  Network result;
  Graph& graph = result.graph;
  const Value x = graph.input({DType::float32, {batch, 64}}, "x");
  const Value labels = graph.input({DType::int64, {batch}}, "labels");
  const auto state = [&](const Array& array, const char* name) {
    result.states.push_back(array);
    return graph.state(array, name);
  };
  const int64_t sizes[] = {64, 25, 15, 10};
  std::vector<Value> variables;
  Value h = x;
  for (int layer = 0; layer < 3; ++layer) {
    const Value w = state(random_array<float>({sizes[layer], sizes[layer + 1]}, f_order), "w");
    const Value b = state(random_array<float>({sizes[layer + 1]}), "b");
    variables.push_back(w);
    variables.push_back(b);
    h = graph.emit(add_op, {graph.emit(matmul_op, {h, w}), b});
    if (layer < 2) h = graph.emit(relu_op, {h});
  }
  const Value p = graph.emit(softmax_op, {h}, with_axes({-1}));
  const Value losses = graph.emit(sparse_categorical_cross_entropy_op, {p, labels});
  const Value loss = graph.emit(mean_op, {losses}, all());
  rewrite_exact(graph);
  Optimizer adam;
  adam.rule = Optimizer::Rule::adam;
  const std::vector<Array> slots = zero_slots(adam, result.states);
  const Array rate = Array::scalar<double>(0.001), iterations = Array::scalar<int64_t>(0);
  minimise(graph, loss, variables, adam, slots, rate, iterations);
  result.states.push_back(iterations);
  result.states.insert(result.states.end(), slots.begin(), slots.end());
  graph.output(loss, "loss");
  graph.output(h, "logits");
  return result;
}

}  // namespace

FUSEGRAD_TEST(program_training) {
  const Array rows = random_array<float>({32, 64});
  Array labels(DType::int64, {32});
  for (int64_t i = 0; i < 32; ++i) labels.view().as<int64_t>()[i] = below(10);
  std::vector<std::vector<Array>> finals;
  std::vector<Array> losses;
  for (const bool f_order : {false, true}) {
    for (const bool optimize : {false, true}) {
      random_state = 99;
      Network net = network(32, f_order);
      CHECK(net.graph.rewrites().size() == 1);
      const auto program = Program::compile(net.graph, {true, optimize});
      if (optimize && f_order) {
        CHECK(program->text("fuse").find("activation=relu") != std::string::npos);
        CHECK(program->text("layout").find("[32, 25] F = dense") != std::string::npos);
        CHECK(program->text("plan").find("update\n") == std::string::npos);  // all in place
      }
      program->bind_input(0, rows.view());
      program->bind_input(1, labels.view());
      for (int step = 0; step < 3; ++step) program->run();
      finals.push_back(net.states);
      Array loss(DType::float32, {});
      copy_elements(loss.view(), program->output(0));
      losses.push_back(loss);
    }
  }
  for (size_t variant = 1; variant < finals.size(); ++variant) {
    CHECK(same_bits(losses[variant].view(), losses[0].view()));
    for (size_t i = 0; i < finals[variant].size(); ++i) {
      CHECK(same_bits(finals[variant][i].view(), finals[0][i].view()));
    }
  }
}

// ---- random graphs: tape against programs, bit for bit ------------------------------------------

namespace {

void compare_random_graph(uint64_t seed) {
  random_state = seed;
  const Shape shape{4, 4};
  Graph graph;
  Tape tape;
  std::vector<Value> on_graph, on_tape, states;
  std::vector<Array> initial, arrays, inputs;
  const auto drop = [&](int count) {  // all but the last of what was emitted
    on_graph.erase(on_graph.end() - 1 - count, on_graph.end() - 1);
    on_tape.erase(on_tape.end() - 1 - count, on_tape.end() - 1);
  };
  const auto both = [&](const OpDef& op, std::initializer_list<size_t> operands,
                        const Attrs& attrs) {
    std::vector<Value> left, right;
    for (const size_t i : operands) {
      left.push_back(on_graph[i]);
      right.push_back(on_tape[i]);
    }
    Value outputs[kMaxOutputs];
    graph.emit(op, left.data(), static_cast<int>(left.size()), attrs, outputs);
    const Value first = outputs[0];
    for (int k = 0; k < op.num_outputs; ++k) on_graph.push_back(Value{first.id + k});
    tape.emit(op, right.data(), static_cast<int>(right.size()), attrs, outputs);
    for (int k = 0; k < op.num_outputs; ++k) on_tape.push_back(outputs[k]);
  };
  for (int i = 0; i < 2; ++i) {
    inputs.push_back(random_array<float>(shape));
    on_graph.push_back(graph.input({DType::float32, shape}, "x"));
    on_tape.push_back(tape.watch(inputs.back()));
  }
  for (int i = 0; i < 3; ++i) {
    arrays.push_back(random_array<float>(shape, i % 2 == 1));
    initial.push_back(clone(arrays.back()));
    states.push_back(graph.state(arrays.back(), "s"));
    on_graph.push_back(states.back());
    on_tape.push_back(tape.watch(initial.back()));
  }
  const Array number = random_array<float>({});
  on_graph.push_back(graph.emit(broadcast_to_op, {graph.constant(number)}, with_shape(shape)));
  on_tape.push_back(tape.emit(broadcast_to_op, {tape.constant(number)}, with_shape(shape)));

  const OpDef* const unary[] = {&negative_op, &tanh_op, &relu_op, &sigmoid_op, &identity_op};
  const OpDef* const binary[] = {&add_op,     &subtract_op, &multiply_op,
                                 &maximum_op, &matmul_op,   &relu_grad_op};
  Attrs backwards;
  backwards.start = {3, 0};
  backwards.step = {-1, 1};
  backwards.shape = shape;
  Attrs corner;
  corner.start = {0, 1};
  corner.step = {1, 1};
  corner.shape = {4, 1};
  Attrs to_double;
  to_double.dtype = DType::float64;
  Attrs momentum;
  momentum.scalars[0] = 0.5;
  for (int i = 0; i < 25; ++i) {
    const size_t a = static_cast<size_t>(below(static_cast<int64_t>(on_graph.size())));
    const size_t b = static_cast<size_t>(below(static_cast<int64_t>(on_graph.size())));
    const size_t last = on_graph.size();
    switch (below(10)) {
      case 0: both(*unary[below(5)], {a}, Attrs()); break;
      case 1:
      case 2: both(*binary[below(6)], {a, b}, Attrs()); break;
      case 3: both(transpose_op, {a}, with_axes({1, 0})); break;
      case 4:
        both(reshape_op, {a}, with_shape({2, 8}));
        both(reshape_op, {last}, with_shape(shape));
        drop(1);
        break;
      case 5:
        both(sum_op, {a}, with_axes({below(2)}, true));
        both(tanh_op, {last}, Attrs());
        both(add_op, {last + 1, b}, Attrs());
        drop(2);
        break;
      case 6: both(slice_op, {a}, backwards); break;
      case 7:
        both(slice_op, {a}, corner);
        both(broadcast_to_op, {last}, with_shape(shape));
        drop(1);
        break;
      case 8: both(softmax_op, {a}, with_axes({below(2)})); break;
      default:
        both(slice_op, {a}, corner);
        both(max_op, {last}, all());
        both(cast_op, {last + 1}, to_double);
        both(momentum_update_op, {2, 3, b, last + 2}, momentum);
        drop(4);
        on_graph.push_back(Value{on_graph.back().id - 1});
        on_tape.push_back(Value{on_tape.back().id - 1});
        break;
    }
  }
  std::vector<Value> expected_outputs, expected_states;
  for (int i = 0; i < 4; ++i) {
    const size_t a = static_cast<size_t>(below(static_cast<int64_t>(on_graph.size())));
    graph.output(on_graph[a], "y");
    expected_outputs.push_back(on_tape[a]);
  }
  for (const Value state : states) {
    const size_t a = static_cast<size_t>(below(static_cast<int64_t>(on_graph.size())));
    graph.update(state, on_graph[a]);
    expected_states.push_back(on_tape[a]);
  }
  for (const bool optimize : {false, true}) {
    for (size_t i = 0; i < arrays.size(); ++i) copy_elements(arrays[i].view(), initial[i].view());
    const auto program = Program::compile(graph, {false, optimize});
    for (int i = 0; i < 2; ++i) program->bind_input(i, inputs[static_cast<size_t>(i)].view());
    program->run();
    bool same = true;
    for (int i = 0; i < program->num_outputs(); ++i) {
      same = same && same_bits(program->output(i),
                               tape.array(expected_outputs[static_cast<size_t>(i)]).view());
    }
    for (size_t i = 0; i < arrays.size(); ++i) {
      same = same && same_bits(arrays[i].view(), tape.array(expected_states[i]).view());
    }
    CHECK(same);
    if (!same) {
      std::fprintf(stderr, "seed %llu, optimize %d\n%s%s", static_cast<unsigned long long>(seed),
                   optimize ? 1 : 0, program->text("layout").c_str(),
                   program->text("plan").c_str());
      return;
    }
  }
}

}  // namespace

FUSEGRAD_TEST(program_layout_of_plain_products) {
  Graph graph;
  const Value a = graph.input({DType::float32, {64, 48}}, "a");
  const Value b = graph.input({DType::float32, {48, 32}}, "b");
  graph.output(graph.emit(matmul_op, {a, b}), "c");
  const auto program = Program::compile(graph);
  CHECK(program->text("layout").find(" F") == std::string::npos);
  CHECK(program->text("plan").find("copy") == std::string::npos);
}

FUSEGRAD_TEST(program_random_graphs) {
  for (uint64_t seed = 1; seed <= 300; ++seed) compare_random_graph(seed);
}

}  // namespace fusegrad::test
