// Updates in programs: many in one instruction, and products taken into them, against the same ops
// one by one.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "fusegrad/parallel.h"
#include "fusegrad/program.h"
#include "graph_support.h"

namespace fusegrad::test {

namespace {

bool contains(const Program& program, const char* text) {
  return program.text("plan").find(text) != std::string::npos;
}

// Variables of many sizes and orders, with gradients that are inputs and slots that are not zero.
struct Updates {
  Graph graph;
  std::vector<Array> gradients;
  std::vector<std::vector<Array>> states;  // of each variable: itself, then its slots
  Array rate = Array::scalar<double>(0.01);

  explicit Updates(const Optimizer& rule) {
    const Value step = graph.state(rate, "step");
    for (const Shape& shape : {Shape{300, 70}, Shape{70}, Shape{40, 1}, Shape{5, 3}, Shape{}}) {
      const bool f_order = states.size() % 2 == 0 && shape.rank() == 2;
      gradients.push_back(random_array<float>(shape));
      const Value gradient = graph.input({DType::float32, shape}, "gradient");
      std::vector<Value> values;
      states.emplace_back();
      for (size_t k = 0; k <= rule.slots().size(); ++k) {
        const Array state = random_array<float>(shape, f_order);
        float* data = state.view().as<float>();
        for (int64_t i = 0; k > 0 && i < state.size(); ++i) data[i] = 4.0F + data[i];
        states.back().push_back(state);
        values.push_back(graph.state(state, "state"));
      }
      const std::vector<Value> slots(values.begin() + 1, values.end());
      const std::vector<Value> updated = rule.update(graph, values[0], gradient, slots, step);
      for (size_t k = 0; k < values.size(); ++k) graph.update(values[k], updated[k]);
    }
  }

  // The new states of variable i by its own update alone.
  std::vector<Array> expected(size_t i) const {
    const auto& [first, update] = graph.updates()[i * states[i].size()];
    const Node& node = graph.producer(update);
    std::vector<const Array*> operands;
    for (const Array& state : states[i]) operands.push_back(&state);
    operands.push_back(&gradients[i]);
    operands.push_back(&rate);
    Attrs attrs = node.attrs();
    std::vector<Array> outputs(kMaxOutputs);
    outputs.resize(static_cast<size_t>(evaluate(
        *node.op, operands.data(), static_cast<int>(operands.size()), attrs, outputs.data())));
    return outputs;
  }
};

}  // namespace

FUSEGRAD_TEST(program_merges_updates) {
  Optimizer sgd, momentum, rmsprop, adam;
  sgd.rule = momentum.rule = Optimizer::Rule::sgd;
  momentum.momentum = 0.9;
  rmsprop.rule = Optimizer::Rule::rmsprop;
  rmsprop.momentum = 0.5;
  rmsprop.centered = true;
  adam.rule = Optimizer::Rule::adam;
  adam.amsgrad = true;
  for (const Optimizer& rule : {sgd, momentum, rmsprop, adam}) {
    for (int threads = 1; threads <= 4; ++threads) {
      set_num_threads(threads);
      const Updates updates(rule);
      const auto program = Program::compile(updates.graph);
      CHECK(contains(*program, "# in place, 5 variables"));
      std::vector<std::vector<Array>> expected;
      for (size_t i = 0; i < updates.states.size(); ++i) expected.push_back(updates.expected(i));
      for (size_t i = 0; i < updates.gradients.size(); ++i) {
        program->bind_input(static_cast<int>(i), updates.gradients[i].view());
      }
      program->run();
      for (size_t i = 0; i < expected.size(); ++i) {
        for (size_t k = 0; k < expected[i].size(); ++k) {
          CHECK(same_bits(updates.states[i][k].view(), expected[i][k].view()));
        }
      }
    }
  }
  set_num_threads(0);
}

// An update that reads what another writes keeps its turn, and so does one with another step size.
FUSEGRAD_TEST(program_keeps_updates_apart) {
  const auto sgd = [](Graph& graph, Value w, Value g, Value step) {
    graph.update(w, graph.emit(sgd_update_op, {w, g, step}));
  };
  const char* const merged = " variables";
  for (const bool crossed : {false, true}) {
    Graph graph;
    const Array a = vector_of({1, 2, 3}), b = vector_of({10, 20, 30});
    const Value first = graph.state(a, "a"), second = graph.state(b, "b");
    const Value half = graph.constant(0.5, DType::float64);
    sgd(graph, first, crossed ? second : graph.constant(vector_of({1, 1, 1})), half);
    sgd(graph, second, graph.constant(vector_of({2, 4, 6})), half);
    const auto program = Program::compile(graph);
    CHECK(contains(*program, merged) != crossed);
    program->run();
    const Array expected = crossed ? vector_of({-4, -8, -12}) : vector_of({0.5, 1.5, 2.5});
    CHECK(same_bits(a.view(), expected.view()));
    CHECK(same_bits(b.view(), vector_of({9, 18, 27}).view()));
  }
  Graph graph;
  const Array a = vector_of({1}), b = vector_of({10});
  const Value gradient = graph.constant(vector_of({2}));
  sgd(graph, graph.state(a, "a"), gradient, graph.constant(0.5, DType::float64));
  sgd(graph, graph.state(b, "b"), gradient, graph.constant(0.25, DType::float64));
  const auto program = Program::compile(graph);
  CHECK(!contains(*program, merged));
  program->run();
  CHECK(elements(a)[0] == 0.0);
  CHECK(elements(b)[0] == 9.5);
}

namespace {

float float_of(int64_t bits) {
  const auto pattern = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &pattern, sizeof value);
  return value;
}

// Values of all sizes, mostly positive, as second moments are: by turns a stretch with what has to
// be treated apart anywhere, and one without.
std::vector<float> hard_values(size_t count) {
  constexpr float edges[] = {0.0F,      -0.0F,    0x1p-149F, 0x1.fp-127F, 0x1p-126F,
                             0x1p-101F, INFINITY, -INFINITY, NAN,         -1.0F};
  constexpr int64_t kLeast = 0x0d800000, kInfinity = 0x7f800000;  // 2^-100 and infinity, as bits
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) {
    const auto kind = static_cast<size_t>(below(64));
    if (i % 512 < 256) {
      values.push_back(kind == 0 ? 0.0F : float_of(kLeast + below(kInfinity - kLeast)));
    } else {
      values.push_back(kind < std::size(edges) ? edges[kind] : float_of(below(kInfinity)));
    }
  }
  return values;
}

Array array_of(const std::vector<float>& values) {
  const Array result(DType::float32, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.view().as<float>());
  return result;
}

bool same(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

// Whether the updates of w and v are what plain scalar arithmetic gives. `m` is Adam's momentum or
// RMSprop's gradient; neither changes v where it is finite.
bool as_scalars(const std::vector<float>& w, const std::vector<float>& m,
                const std::vector<float>& v, float epsilon, bool adam) {
  const Array rate = Array::scalar<double>(0.75), zeros = array_of(std::vector<float>(v.size()));
  Attrs attrs;
  const Array weights = array_of(w), first = array_of(m), second = array_of(v);
  std::vector<const Array*> operands = {&weights, &second, &first, &rate};
  if (adam) {
    operands = {&weights, &first, &second, &zeros, &rate};
    attrs.scalars[0] = attrs.scalars[1] = 1.0;
  } else {
    attrs.scalars[0] = 1.0;
  }
  attrs.scalars[2] = static_cast<double>(epsilon);
  std::vector<Array> outputs(kMaxOutputs);
  evaluate(adam ? adam_update_op : rmsprop_update_op, operands.data(),
           static_cast<int>(operands.size()), attrs, outputs.data());
  const float* got = outputs[0].view().as<float>();
  for (size_t i = 0; i < v.size(); ++i) {
    const float m1 = adam ? m[i] + (0.0F - m[i]) * 0.0F : m[i];
    const float v1 = adam ? v[i] + (0.0F - v[i]) * 0.0F : v[i] + 0.0F * (m[i] * m[i]);
    const float under = adam ? std::sqrt(v1) + epsilon : std::sqrt(v1 + epsilon);
    if (!same(got[i], w[i] - 0.75F * m1 / under)) return false;
  }
  return true;
}

}  // namespace

// Roots and quotients are those of scalar instructions, whichever instructions make them: for all
// roots of two binades, with a sum that shows each bit of the root, and for values of all sizes.
FUSEGRAD_TEST(updates_round_correctly) {
  constexpr int kBlock = 1 << 16;
  std::vector<float> zeros(kBlock), ones(kBlock, 1.0F), values(kBlock);
  for (int32_t first = 0x3f800000; first < 0x40800000; first += kBlock) {
    for (int i = 0; i < kBlock; ++i) values[static_cast<size_t>(i)] = float_of(first + i);
    CHECK(as_scalars(zeros, ones, values, -1.0F, true));
  }
  for (const float epsilon : {1e-7F, 0x1p-25F, 0x1.fffffep-26F, 1e-12F, 1.0F, 0.0F}) {
    for (const bool adam : {true, false}) {
      const std::vector<float> hard = hard_values(100'003);
      CHECK(as_scalars(hard_values(100'003), hard_values(100'003), hard, epsilon, adam));
      CHECK(as_scalars(std::vector<float>(100'003), std::vector<float>(100'003, 1.0F), hard,
                       epsilon, adam));
    }
  }
}

// A gradient that is also a slot, which the program overwrites with the new one.
FUSEGRAD_TEST(updates_read_before_they_write) {
  const Array x = random_array<float>({8, 13}), w = random_array<float>({8, 13});
  const Array rate = Array::scalar<double>(0.5);
  const auto emit_update = [&](Graph& graph, bool adam, Value weights, Value slope) {
    Attrs attrs;
    for (const int k : {0, 1, 2}) attrs.scalars[k] = !adam && k == 1 ? 0.0 : 0.5;
    const Value step = graph.constant(rate);
    return adam ? graph.emit(adam_update_op, {weights, slope, slope, slope, step}, attrs)
                : graph.emit(rmsprop_update_op, {weights, slope, slope, step}, attrs);
  };
  for (const bool adam : {true, false}) {
    Graph graph, apart;
    const Value slope = graph.emit(exp_op, {graph.input(x.meta(), "x")});
    const Array* const values[] = {&x};
    Attrs none;
    Array slopes;
    evaluate(exp_op, values, 1, none, &slopes);
    const Value updated = emit_update(graph, adam, graph.input(w.meta(), "w"), slope);
    const Value expected =
        emit_update(apart, adam, apart.constant(w), apart.input(slopes.meta(), "t"));
    for (int k = 0; k < (adam ? 3 : 2); ++k) {
      graph.output(Value{updated.id + k}, "new");
      apart.output(Value{expected.id + k}, "new");
    }
    const auto together = Program::compile(graph), plain = Program::compile(apart);
    together->bind_input(0, x.view());
    together->bind_input(1, w.view());
    plain->bind_input(0, slopes.view());
    together->run();
    plain->run();
    for (int k = 0; k < together->num_outputs(); ++k) {
      CHECK(same_bits(together->output(k), plain->output(k)));
    }
  }
}

namespace {

// One step of `rule` on a matrix w whose gradient is x^T d: large enough that the product becomes
// part of the update. Rows of F-ordered x are not contiguous.
struct ProductUpdate {
  Graph graph;
  Array x, d;
  std::vector<Array> states;  // w, then its slots

  ProductUpdate(const Optimizer& rule, const Shape& shape, bool f_order, bool f_rows)
      : x(random_array<double>({3, shape[0]}, f_rows)),
        d(random_array<double>({3, shape[1]}, f_rows)) {
    const Value rows = graph.state(x, "x"), errors = graph.state(d, "d");
    Attrs transposed;
    transposed.transpose_a = true;
    const Value gradient = graph.emit(matmul_op, {rows, errors}, transposed);
    std::vector<Value> values;
    for (size_t k = 0; k <= rule.slots().size(); ++k) {
      states.push_back(random_array<double>(shape, f_order));
      double* data = states.back().view().as<double>();
      for (int64_t i = 0; k > 0 && i < states.back().size(); ++i) data[i] += 4.0;
      values.push_back(graph.state(states.back(), "state"));
    }
    const std::vector<Value> slots(values.begin() + 1, values.end());
    const Value step = graph.constant(0.01, DType::float64);
    const std::vector<Value> updated = rule.update(graph, values[0], gradient, slots, step);
    for (size_t k = 0; k < values.size(); ++k) graph.update(values[k], updated[k]);
  }
};

}  // namespace

FUSEGRAD_TEST(program_updates_from_products) {
  std::vector<Optimizer> rules(4);
  rules[1].momentum = 0.9;
  rules[2].rule = Optimizer::Rule::rmsprop;
  rules[3].rule = Optimizer::Rule::adam;
  for (const Optimizer& rule : rules) {
    for (const bool f_order : {false, true}) {
      for (const bool f_rows : {false, true}) {
        std::vector<std::vector<Array>> finals;
        for (int threads = 0; threads <= 3; ++threads) {
          random_state = 7;
          set_num_threads(threads);
          const ProductUpdate one(rule, {731, 719}, f_order, f_rows);
          const bool optimize = threads > 0;
          const auto program = Program::compile(one.graph, {true, optimize});
          CHECK(contains(*program, "in place, matmul + ") == optimize);
          program->run();
          finals.push_back(one.states);
        }
        for (const std::vector<Array>& states : finals) {
          for (size_t k = 0; k < states.size(); ++k) {
            CHECK(same_bits(states[k].view(), finals[0][k].view()));
          }
        }
      }
    }
  }
  set_num_threads(0);
}

// A product stays where it is when it is small, when its result is needed elsewhere, and when a
// factor has changed by the time of the update.
FUSEGRAD_TEST(program_keeps_products) {
  const char* const merged = "matmul + sgd_update";
  const Shape large{731, 719};
  const Optimizer sgd;
  CHECK(!contains(*Program::compile(ProductUpdate(sgd, {73, 71}, true, true).graph), merged));
  ProductUpdate shown(sgd, large, true, true);
  const Value gradient = shown.graph.node(shown.graph.num_nodes() - 1).inputs[1];
  shown.graph.output(gradient, "gradient");
  CHECK(!contains(*Program::compile(shown.graph), merged));
  ProductUpdate read(sgd, large, true, true);
  read.graph.output(read.graph.emit(sum_op, {gradient}, all()), "sum");
  CHECK(!contains(*Program::compile(read.graph), merged));

  // x and d change too, x before w does.
  std::vector<Array> finals;
  for (const bool optimize : {false, true}) {
    random_state = 11;
    Graph graph;
    const Array x = random_array<double>({3, 731}), w = random_array<double>(large);
    const Value rows = graph.state(x, "x"), matrix = graph.state(w, "w");
    const Value errors = graph.constant(random_array<double>({3, 719}));
    const Value step = graph.constant(0.5, DType::float64);
    Attrs transposed;
    transposed.transpose_a = true;
    const Value product = graph.emit(matmul_op, {rows, errors}, transposed);
    graph.update(rows, graph.emit(sgd_update_op, {rows, graph.emit(tanh_op, {rows}), step}));
    graph.update(matrix, graph.emit(sgd_update_op, {matrix, product, step}));
    const auto program = Program::compile(graph, {true, optimize});
    CHECK(!contains(*program, merged));
    program->run();
    finals.push_back(w);
  }
  CHECK(same_bits(finals[0].view(), finals[1].view()));
}

}  // namespace fusegrad::test
