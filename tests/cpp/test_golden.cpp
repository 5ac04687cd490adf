// Two training runs whose every bit is known: the numerics contract across machines.
//
// The expected hashes are an earlier output of this very test, which elsewhere would prove nothing.
// Here it is the point: what is right is tested in other files, this one tests that it is the same
// on each processor, at each instruction-set level and for each number of threads, so each of them
// compares with the one value below. A change that moves a bit on purpose (another order of
// summation, another polynomial) changes the values; then all levels must agree on the new ones.
// tests/test_golden.py trains the same networks through the layers and reads the values from here.
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "fusegrad/cpu.h"
#include "fusegrad/parallel.h"
#include "fusegrad/random.h"
#include "fusegrad/trainer.h"
#include "graph_support.h"

namespace fusegrad::test {
namespace {

constexpr uint64_t kMulticlassHash = 0x1a95c6f6efd881ae;
constexpr uint64_t kBinaryHash = 0x1df80a6242e3ca2d;

// FNV-1a with 64 bits (G. Fowler, L. C. Noll, P. Vo) over the elements in C order, each from its
// lowest byte to its highest. Of two runs that differ in one byte it never gives the same value.
class Hash {
 public:
  void add(const Array& array) {
    const Array plain = contiguous(array, array.dtype());
    const auto* const bytes = static_cast<const unsigned char*>(plain.data());
    const int64_t size = itemsize(plain.dtype());
    for (int64_t i = 0; i < plain.size(); ++i) add(bytes + i * size, size);
  }
  uint64_t value() const { return value_; }

 private:
  void add(const unsigned char* element, int64_t size) {
    uint64_t bits = 0;
    uint32_t half = 0;
    if (size == 8) {
      std::memcpy(&bits, element, 8);
    } else {
      std::memcpy(&half, element, 4);
      bits = half;
    }
    for (int64_t i = 0; i < size; ++i) value_ = (value_ ^ (bits >> (8 * i) & 0xff)) * 0x100000001b3;
  }

  uint64_t value_ = 0xcbf29ce484222325;
};

// Numbers of the generator in [low, high).
Array uniform(DType dtype, const Shape& shape, uint64_t seed, double low, double high) {
  const Array array(dtype, shape);
  fill_uniform(array.view(), seed, kUserStream, low, high);
  return array;
}

// Integers from 0 to bound - 1.
Array integers(const Shape& shape, uint64_t seed, double bound) {
  return contiguous(uniform(DType::float64, shape, seed, 0.0, bound), DType::int64);
}

// A network of dense layers, and how it is trained.
struct Training {
  const char* name = "";
  DType dtype = DType::float32;
  std::vector<int64_t> sizes;
  uint64_t first_seed = 0;  // of the first kernel; the others follow
  Value (*loss)(Graph& graph, Value x, Value y, Value position,
                const std::vector<Value>& weights) = nullptr;
  int64_t epochs = 1;
  double rate = 0.01;
  Optimizer rule;
  TrainerSpec spec;  // but for its programs
};

// Glorot's uniform kernels, small biases.
std::vector<Array> initial_weights(const Training& t) {
  std::vector<Array> weights;
  for (size_t i = 0; i + 1 < t.sizes.size(); ++i) {
    const int64_t in = t.sizes[i], out = t.sizes[i + 1];
    const double limit = std::sqrt(6.0 / static_cast<double>(in + out));
    weights.push_back(uniform(t.dtype, {in, out}, t.first_seed + 2 * i, -limit, limit));
    weights.push_back(uniform(t.dtype, {out}, t.first_seed + 2 * i + 1, -0.125, 0.125));
  }
  return weights;
}

std::shared_ptr<Program> compile(const Training& t, int64_t rows, const std::vector<Array>& weights,
                                 const std::vector<Array>& slots, const Array& rate,
                                 const Array& iterations, bool optimize) {
  Graph graph;
  const Value x = graph.input({t.dtype, {rows, t.sizes.front()}}, "x");
  const Array& targets = t.spec.sources[1].rows;
  Shape y_shape = targets.shape();
  y_shape[0] = rows;
  const Value y = graph.input({targets.dtype(), y_shape}, "y");
  Value position;
  if (t.spec.position_input >= 0) position = graph.input({DType::int64, {2}}, "position");
  std::vector<Value> variables;
  for (const Array& weight : weights) variables.push_back(graph.state(weight, "weight"));
  const Value loss = t.loss(graph, x, y, position, variables);
  minimise(graph, loss, variables, t.rule, slots, rate, iterations);
  Attrs wide;
  wide.dtype = DType::float64;
  const Value number = graph.constant(static_cast<double>(rows), DType::float64);
  graph.output(graph.emit(multiply_op, {graph.emit(cast_op, {loss}, wide), number}), "loss");
  return Program::compile(graph, {true, optimize});
}

// Trains; returns the hash of weights, slots and the loss of each epoch, in this order.
uint64_t trained_hash(const Training& t, int threads, bool optimize) {
  set_num_threads(threads);
  set_split_all(true);  // however small the loops
  const std::vector<Array> weights = initial_weights(t);
  const std::vector<Array> slots = zero_slots(t.rule, weights);
  const Array rate = Array::scalar(t.rate), iterations = Array::scalar<int64_t>(0);
  TrainerSpec spec = t.spec;
  const auto program = [&](int64_t rows) {
    return compile(t, rows, weights, slots, rate, iterations, optimize);
  };
  const int64_t rows = spec.sources[0].rows.shape()[0];
  spec.step = program(spec.batch_size);
  spec.last_step = program(rows % spec.batch_size);
  Trainer trainer(spec);
  Array losses(DType::float64, {t.epochs});
  for (int64_t epoch = 0; epoch < t.epochs; ++epoch) {
    trainer.begin_epoch(epoch);
    trainer.run(-1, Tick());
    const double total = *trainer.result(0).view().as<double>();
    losses.view().as<double>()[epoch] = total / static_cast<double>(rows);
  }
  set_split_all(false);
  set_num_threads(0);
  CHECK_EQ(*iterations.view().as<int64_t>(), t.epochs * trainer.num_batches());
  CHECK(elements(losses).back() < 0.7 * elements(losses).front());  // it learns, and no NaN
  Hash hash;
  for (const Array& weight : weights) hash.add(weight);
  for (const Array& slot : slots) hash.add(slot);
  hash.add(losses);
  return hash.value();
}

void check_hash(const Training& t, uint64_t expected) {
  for (int threads = 1; threads <= 4; ++threads) {
    for (const bool optimize : {true, false}) {
      if (!optimize && threads > 1) continue;  // the passes that keep bits: once is enough
      const uint64_t got = trained_hash(t, threads, optimize);
      CHECK_EQ(got, expected);
      if (got == expected) continue;
      std::printf("%s, %s, %d threads%s: got 0x%016" PRIx64 ", expected 0x%016" PRIx64 "\n", t.name,
                  isa_level_name(isa_level()), threads, optimize ? "" : ", no passes", got,
                  expected);
    }
  }
}

Value linear(Graph& graph, Value x, const std::vector<Value>& weights, size_t layer) {
  const Value product = graph.emit(matmul_op, {x, weights[2 * layer]});
  return graph.emit(add_op, {product, weights[2 * layer + 1]});
}

// relu, dropout, tanh, softmax with cross-entropy
Value multiclass_loss(Graph& graph, Value x, Value y, Value position,
                      const std::vector<Value>& weights) {
  Attrs dropout;
  dropout.scalars[0] = 0.1;
  dropout.seed = 21;
  dropout.stream = 3;
  Value h = graph.emit(relu_op, {linear(graph, x, weights, 0)});
  h = graph.emit(dropout_op, {h, position}, dropout);
  h = graph.emit(tanh_op, {linear(graph, h, weights, 1)});
  h = linear(graph, h, weights, 2);
  return graph.emit(mean_op, {graph.emit(sparse_softmax_cross_entropy_op, {h, y})}, all());
}

// sigmoid, sigmoid, sigmoid with cross-entropy
Value binary_loss(Graph& graph, Value x, Value y, Value, const std::vector<Value>& weights) {
  Value h = graph.emit(sigmoid_op, {linear(graph, x, weights, 0)});
  h = graph.emit(sigmoid_op, {linear(graph, h, weights, 1)});
  h = graph.emit(sigmoid_cross_entropy_op, {linear(graph, h, weights, 2), y});
  return graph.emit(mean_op, {graph.emit(mean_op, {h}, with_axes({-1}))}, all());
}

}  // namespace

// Pictures of bytes, each the pattern of its class under noise; float32 and Adam. A batch has more
// rows than one block of a sum of products, and enough work for four threads.
FUSEGRAD_TEST(golden_multiclass) {
  constexpr int64_t kRows = 1700, kPixels = 64;
  const Array labels = integers({kRows}, 1, 10.0), patterns = integers({10, kPixels}, 2, 128.0);
  const Array noise = integers({kRows, kPixels}, 3, 128.0);
  const Array x(DType::uint8, {kRows, kPixels});
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t label = labels.view().as<int64_t>()[i / kPixels];
    x.view().as<uint8_t>()[i] =
        static_cast<uint8_t>(patterns.view().as<int64_t>()[label * kPixels + i % kPixels] +
                             noise.view().as<int64_t>()[i]);
  }
  Training t;
  t.name = "multiclass";
  t.dtype = DType::float32;
  t.sizes = {kPixels, 25, 15, 10};
  t.first_seed = 10;
  t.loss = multiclass_loss;
  t.epochs = 6;
  t.rate = 0.02;
  t.rule.rule = Optimizer::Rule::adam;
  t.spec.sources = {{x, 1.0 / 255.0}, {labels}};
  t.spec.position_input = 2;
  t.spec.outputs = {OutputKind::accumulate};
  t.spec.batch_size = 700;
  t.spec.shuffle = true;
  t.spec.seed = 5;
  check_hash(t, kMulticlassHash);
}

// Which of two numbers is larger; float64, and descent with momentum. Sizes that no vector fits.
FUSEGRAD_TEST(golden_binary) {
  constexpr int64_t kRows = 500, kFeatures = 11;
  const Array x = uniform(DType::float64, {kRows, kFeatures}, 4, -1.0, 1.0);
  const Array y(DType::float64, {kRows, 1});
  for (int64_t i = 0; i < kRows; ++i) {
    const double* row = x.view().as<double>() + i * kFeatures;
    y.view().as<double>()[i] = row[0] > row[1] ? 1.0 : 0.0;
  }
  Training t;
  t.name = "binary";
  t.dtype = DType::float64;
  t.sizes = {kFeatures, 25, 15, 1};
  t.first_seed = 30;
  t.loss = binary_loss;
  t.epochs = 20;
  t.rate = 0.5;
  t.rule.momentum = 0.9;
  t.spec.sources = {{x}, {y}};
  t.spec.outputs = {OutputKind::accumulate};
  t.spec.batch_size = 97;
  t.spec.shuffle = true;
  t.spec.seed = 6;
  check_hash(t, kBinaryHash);
}

}  // namespace fusegrad::test
