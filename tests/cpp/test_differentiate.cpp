// Differentiation: on a tape, without recording, into another builder, and over checkpoints.
#include <cmath>
#include <string>
#include <vector>

#include "fusegrad/tape.h"
#include "graph_support.h"

namespace fusegrad::test {

FUSEGRAD_TEST(graph_differentiate) {
  Tape tape;
  const Value x = tape.watch(vector_of({1, 2, 3}));
  const Value c = tape.watch(vector_of({5}));
  const Value unused = tape.watch(vector_of({7, 8}));
  const Value square = tape.emit(multiply_op, {x, x});
  const Value scaled = tape.emit(multiply_op, {square, c});  // stretched over c
  const Value y = tape.emit(sum_op, {scaled}, all());
  const Value one = tape.constant(1.0, DType::float64);
  const std::vector<Value> grads = differentiate(tape, y, one, {x, c, unused, square});
  CHECK(elements(tape.array(grads[0])) == (std::vector<double>{10, 20, 30}));
  CHECK(elements(tape.array(grads[1])) == (std::vector<double>{14}));
  CHECK(tape.meta(grads[1]).shape == Shape({1}));
  CHECK(elements(tape.array(grads[2])) == (std::vector<double>{0, 0}));
  CHECK(elements(tape.array(grads[3])) == (std::vector<double>{5, 5, 5}));

  // Twice: d/dx sum(dy/dx) = 2c.
  const Value total = tape.emit(sum_op, {grads[0]}, all());
  const std::vector<Value> second = differentiate(tape, total, one, {x});
  CHECK(elements(tape.array(second[0])) == (std::vector<double>{10, 10, 10}));

  // y itself, and an op with two outputs of which one is used.
  CHECK(elements(tape.array(differentiate(tape, y, one, {y})[0])) == std::vector<double>{1});
  Value two[kMaxOutputs];
  tape.emit(twice_op, &x, 1, Attrs(), two);
  for (int k = 0; k < 2; ++k) {
    const Value part = tape.emit(sum_op, {two[k]}, all());
    CHECK(elements(tape.array(differentiate(tape, part, one, {x})[0])) ==
          (std::vector<double>{1, 1, 1}));
  }

  const Value integers = tape.watch(Array(DType::int64, {3}));
  CHECK(raises([&] { differentiate(tape, y, one, {integers}); }));
  CHECK(raises([&] { differentiate(tape, integers, one, {x}); }));
  CHECK(raises([&] { differentiate(tape, square, one, {x}); }));

  // Not differentiable: a stop, hence zeros.
  const Value stopped = tape.emit(noise_op, {x});
  const Value through = tape.emit(sum_op, {stopped}, all());
  CHECK(elements(tape.array(differentiate(tape, through, one, {x})[0])) ==
        (std::vector<double>{0, 0, 0}));
}

FUSEGRAD_TEST(tape_last_gradients) {
  for (const bool last : {false, true}) {
    Tape tape;
    const Value x = tape.watch(vector_of({1, 2, 3}));
    const Value c = tape.watch(vector_of({5}));
    const Value unused = tape.watch(vector_of({7, 8}));
    const Value square = tape.emit(multiply_op, {x, x});
    // The cotangent of `square` is a sum of three; that of `both` goes to two operands unchanged.
    const Value both = tape.emit(add_op, {square, square});
    const Value scaled = tape.emit(multiply_op, {tape.emit(add_op, {both, square}), c});
    const Value y = tape.emit(sum_op, {scaled}, all());
    const Value one = tape.constant(1.0, DType::float64);
    const std::vector<Value> asked{x, c, unused, square, both, x};
    std::vector<Array> grads;
    const int32_t nodes = tape.num_nodes(), values = tape.num_values();
    if (last) {
      CHECK(raises([&] { tape.last_gradients(square, one, {x}); }));
      CHECK(tape.scratch() == nullptr);
      grads = tape.last_gradients(y, one, asked);
      CHECK(tape.num_nodes() == nodes && tape.num_values() == values);
    } else {
      for (const Value value : differentiate(tape, y, one, asked)) {
        grads.push_back(tape.array(value));
      }
    }
    CHECK(elements(grads[0]) == (std::vector<double>{30, 60, 90}));
    CHECK(elements(grads[1]) == (std::vector<double>{42}));
    CHECK(elements(grads[2]) == (std::vector<double>{0, 0}));
    CHECK(elements(grads[3]) == (std::vector<double>{15, 15, 15}));
    CHECK(elements(grads[4]) == (std::vector<double>{5, 5, 5}));
    CHECK(elements(grads[5]) == elements(grads[0]));
  }
}

FUSEGRAD_TEST(graph_unbroadcast) {
  Tape tape;
  const Value a = tape.watch(random_array<double>({2, 1, 3}));
  const Value b = tape.watch(random_array<double>({4, 1}));
  const Value y = tape.emit(sum_op, {tape.emit(multiply_op, {a, b})}, all());
  const std::vector<Value> grads =
      differentiate(tape, y, tape.constant(1.0, DType::float64), {a, b});
  CHECK(tape.meta(grads[0]).shape == Shape({2, 1, 3}));
  CHECK(tape.meta(grads[1]).shape == Shape({4, 1}));
  double expected = 0.0, total = 0.0;
  for (const double e : elements(tape.array(a))) expected += e;
  total = elements(tape.array(grads[1]))[2];
  CHECK(total - expected < 1e-12 && expected - total < 1e-12);
}

// The gradients of a tape that is not touched, on another builder.
FUSEGRAD_TEST(differentiate_into_another_builder) {
  Tape from;
  const Value x = from.watch(vector_of({1, 2, 3}));
  const Value c = from.watch(vector_of({5}));
  const Value unused = from.watch(vector_of({7}));
  const int32_t first = from.num_nodes();
  const Value square = from.emit(multiply_op, {x, x});
  const int32_t end = from.num_nodes();
  const Value y = from.emit(multiply_op, {square, c});
  const int32_t nodes = from.num_nodes(), values = from.num_values();

  Tape into;
  const Value seed = into.watch(vector_of({1, 10, 100}));
  const std::vector<Value> grads =
      differentiate(into, from, {y, square}, {seed, seed}, {x, c, unused}, {});
  CHECK(from.num_nodes() == nodes && from.num_values() == values);
  CHECK(elements(into.array(grads[0])) == (std::vector<double>{12, 240, 3600}));
  CHECK(elements(into.array(grads[1])) == std::vector<double>{941});
  CHECK(!grads[2].valid());
  // The gradients depend on the seed: d(sum(dx)) / d(seed) = 12 x.
  const Value total = into.emit(sum_op, {grads[0]}, all());
  const Value one = into.constant(1.0, DType::float64);
  CHECK(elements(into.array(differentiate(into, total, one, {seed})[0])) ==
        (std::vector<double>{12, 24, 36}));

  // Nodes beyond the range are constants.
  const std::vector<Value> part =
      differentiate(into, from, {y, square}, {seed, seed}, {x}, {{first, end}});
  CHECK(elements(into.array(part[0])) == (std::vector<double>{2, 40, 600}));
  CHECK(raises([&] { differentiate(into, from, {y}, {one}, {x}, {}); }));
  CHECK(raises([&] { differentiate(into, from, {Value{99}}, {seed}, {x}, {}); }));

  Graph graph;  // the same as a computation to come
  const Value weight = graph.input(from.meta(y), "seed");
  const std::vector<Value> traced = differentiate(graph, from, {y}, {weight}, {x}, {});
  CHECK(traced[0].valid() && graph.meta(traced[0]) == from.meta(x));
  CHECK(raises([&] { differentiate(graph, graph, {weight}, {Value{99}}, {weight}, {}); }));
}

// ---- checkpoints

// y = sum(sin(cos(h) h)), h = sin(x): one checkpoint gives cos(h) and forgets h, and another one
// reads h nevertheless.
struct Forgetful {
  Tape tape;
  Value x, h, y;

  explicit Forgetful(bool forget) {
    x = tape.watch(vector_of({0.3, 0.7}));
    const int32_t first = tape.num_nodes();
    h = tape.emit(sin_op, {x});
    const Value cosine = tape.emit(cos_op, {h});
    const int32_t second = tape.num_nodes();
    if (forget) tape.checkpoint({first, second}, {cosine});
    const Array again = forget ? sine() : tape.array(h);
    tape.remember(h, again);  // as a caller does that uses the value again
    const Value last = tape.emit(sin_op, {tape.emit(multiply_op, {cosine, h})});
    if (forget) tape.checkpoint({second, tape.num_nodes()}, {last});
    y = tape.emit(sum_op, {last}, all());
  }
  Array sine() const {
    Tape other;
    return other.array(other.emit(sin_op, {other.watch(tape.array(x))}));
  }
};

FUSEGRAD_TEST(checkpoint_forgets) {
  Tape tape;
  const Value x = tape.watch(vector_of({1, 2}));
  const int32_t first = tape.num_nodes();
  const Value inner = tape.emit(exp_op, {x});
  const Value kept = tape.emit(log_op, {inner});
  tape.checkpoint({first, tape.num_nodes()}, {kept});
  CHECK(!tape.array(inner).defined() && tape.array(kept).defined());
  CHECK(tape.info(inner).recomputed && !tape.info(kept).recomputed);
  // One around it takes its place; a range that is none does nothing.
  tape.emit(negative_op, {kept});
  tape.checkpoint({first, tape.num_nodes()}, {kept});
  tape.checkpoint({first, first}, {});
  tape.checkpoint({first, 99}, {});
  CHECK(tape.checkpoints().size() == 1 && tape.checkpoints()[0].end == tape.num_nodes());
}

FUSEGRAD_TEST(checkpoint_gradients) {
  std::vector<std::vector<double>> first, second, last;
  for (const bool forget : {false, true}) {
    Forgetful f(forget);
    Tape& tape = f.tape;
    const Value one = tape.constant(1.0, DType::float64);
    const Value grad = differentiate(tape, f.y, one, {f.x})[0];
    first.push_back(elements(tape.array(grad)));
    // A second order reads what the first made again, and forgot.
    const Value total = tape.emit(sum_op, {tape.emit(multiply_op, {grad, grad})}, all());
    second.push_back(elements(tape.array(differentiate(tape, total, one, {f.x})[0])));

    Forgetful g(forget);
    const Value unit = g.tape.constant(1.0, DType::float64);
    last.push_back(elements(g.tape.last_gradients(g.y, unit, {g.x})[0]));
  }
  CHECK(first[0] == first[1] && second[0] == second[1]);
  CHECK(last[0] == first[0] && last[1] == first[0]);
}

// An exponent that is made again is on no node where nothing is recorded.
FUSEGRAD_TEST(checkpoint_power) {
  std::vector<std::vector<double>> grads;
  for (const bool forget : {false, true}) {
    Tape tape;
    const Value x = tape.watch(vector_of({0.5, 2.0}));
    const int32_t first = tape.num_nodes();
    const Value y = tape.emit(power_op, {x, tape.emit(exp_op, {x})});
    if (forget) tape.checkpoint({first, tape.num_nodes()}, {y});
    const Value total = tape.emit(sum_op, {y}, all());
    const Value one = tape.constant(1.0, DType::float64);
    grads.push_back(elements(tape.last_gradients(total, one, {x})[0]));
  }
  CHECK(grads[0] == grads[1]);
}

// Of two outputs of one op, one is kept.
FUSEGRAD_TEST(checkpoint_keeps_one_of_two) {
  Tape tape;
  const Value x = tape.watch(vector_of({1, 2, 3}));
  const int32_t first = tape.num_nodes();
  Value two[kMaxOutputs];
  tape.emit(twice_op, &x, 1, Attrs(), two);
  const Value square = tape.emit(multiply_op, {two[1], two[1]});
  tape.checkpoint({first, tape.num_nodes()}, {two[1], square});
  const Value y = tape.emit(sum_op, {square}, all());
  const Value one = tape.constant(1.0, DType::float64);
  CHECK(elements(tape.array(differentiate(tape, y, one, {x})[0])) ==
        (std::vector<double>{2, 4, 6}));
}

}  // namespace fusegrad::test
