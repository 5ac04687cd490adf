// Batch: a graph of one example, run for all of them, against the examples one by one.
#include "fusegrad/batch.h"

#include <vector>

#include "fusegrad/tape.h"
#include "graph_support.h"

namespace fusegrad::test {

// Example i along an axis.
static Array example_of(const Array& all, int axis, int64_t i) {
  View view = all.view();
  view.data = static_cast<char*>(view.data) + i * view.strides[axis] * itemsize(view.dtype);
  view.shape.erase(axis);
  view.strides.erase(axis);
  Array result(all.dtype(), view.shape);
  copy_elements(result.view(), view);
  return result;
}

FUSEGRAD_TEST(batch_examples) {
  const int64_t size = 4;
  const Array examples = random_array<double>({3, size, 2});  // axis 1 counts them
  const Array weight = random_array<double>({3});
  Graph graph;
  const Value x = graph.input({DType::float64, {3, 2}}, "x");
  const Value w = graph.input(weight.meta(), "w");
  const Value sums = graph.emit(sum_op, {graph.emit(multiply_op, {x, x})}, with_axes({-1}));
  const Value shared = graph.emit(exp_op, {w});
  const Value y = graph.emit(multiply_op, {sums, shared});
  graph.emit(log_op, {x});  // dead: not run
  const std::vector<Array> results =
      evaluate_batch(graph, size, {{examples, 1}, {weight, kUnbatched}}, {y, shared, shared, x},
                     {1, kUnbatched, 0, 0});
  CHECK(results[0].shape() == Shape({3, size}) && results[1].shape() == Shape({3}));
  CHECK(results[2].shape() == Shape({size, 3}) && results[3].shape() == Shape({size, 3, 2}));
  for (int64_t i = 0; i < size; ++i) {
    Tape one;
    const Value xi = one.watch(example_of(examples, 1, i));
    const Value squares = one.emit(multiply_op, {xi, xi});
    const Value total = one.emit(sum_op, {squares}, with_axes({-1}));
    const Value factor = one.emit(exp_op, {one.watch(weight)});
    const Array expected = one.array(one.emit(multiply_op, {total, factor}));
    CHECK(same_bits(example_of(results[0], 1, i).view(), expected.view()));
    CHECK(same_bits(results[1].view(), one.array(factor).view()));
    CHECK(same_bits(example_of(results[2], 0, i).view(), one.array(factor).view()));
    CHECK(same_bits(example_of(results[3], 0, i).view(), one.array(xi).view()));
  }

  // Recorded, it can be differentiated: dy/dx = 2 x exp(w).
  Tape tape;
  const Value all_x = tape.watch(examples);
  const Value all_w = tape.watch(weight);
  const std::vector<Value> recorded =
      batch(graph, size, {{all_x, 1}, {all_w, kUnbatched}}, {y}, {1}, tape);
  CHECK(same_bits(tape.array(recorded[0]).view(), results[0].view()));
  const Value total = tape.emit(sum_op, {recorded[0]}, all());
  const Value unit = tape.constant(1.0, DType::float64);
  const Array dx = tape.array(differentiate(tape, total, unit, {all_x})[0]);
  for (int64_t i = 0; i < size; ++i) {
    const std::vector<double> got = elements(example_of(dx, 1, i));
    const std::vector<double> at = elements(example_of(examples, 1, i));
    const std::vector<double> factor = elements(results[1]);
    for (size_t k = 0; k < got.size(); ++k) CHECK(got[k] == factor[k / 2] * at[k] * 2.0);
  }

  // No examples at all.
  const Array none(DType::float64, {3, 0, 2});
  CHECK(evaluate_batch(graph, 0, {{none, 1}, {weight, kUnbatched}}, {y}, {0})[0].shape() ==
        Shape({0, 3}));
}

FUSEGRAD_TEST(batch_refuses) {
  Graph graph;
  const Value x = graph.input({DType::float64, {2}}, "x");
  const Value plain = graph.input({DType::float64, {2}}, "plain");
  const Value noise = graph.emit(noise_op, {x});
  const Array array = random_array<double>({3, 2});
  const Array one = random_array<double>({2});
  CHECK(raises([&] { evaluate_batch(graph, 3, {{array, 0}, {one, kUnbatched}}, {noise}, {0}); }));
  BatchedSet batched;
  batched.add(x);
  CHECK(batched.contains(x) && !batched.contains(plain));
  CHECK(raises([&] { batched.follow(graph); }));

  // An op without a rule is one for all examples where no operand is batched.
  Graph shared;
  const Value u = shared.input({DType::float64, {2}}, "u");
  const Value v = shared.input({DType::float64, {2}}, "v");
  const Value quiet = shared.emit(noise_op, {v});
  const Value sum = shared.emit(add_op, {u, quiet});
  BatchedSet some;
  some.add(u);
  some.follow(shared);
  CHECK(some.contains(sum) && !some.contains(quiet));
  const std::vector<Array> results =
      evaluate_batch(shared, 3, {{array, 0}, {one, kUnbatched}}, {sum, quiet}, {0, kUnbatched});
  CHECK(elements(results[0])[5] == elements(array)[5] + elements(one)[1]);
  CHECK(same_bits(results[1].view(), one.view()));
}

}  // namespace fusegrad::test
