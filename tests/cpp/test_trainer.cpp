// The training loop over small programs whose results can be written down.
// Rows carry their own number, so that what was fed, in which order, shows in the outputs.
// Stops, sequential binding, odd layouts, types and every check of the specification.
#include <time.h>

#include <string>
#include <vector>

#include "check.h"
#include "fusegrad/error.h"
#include "fusegrad/parallel.h"
#include "fusegrad/random.h"
#include "fusegrad/trainer.h"

namespace fusegrad {
namespace {

// A program over a batch of x (float32, rows x 3) and y (int64, rows), with outputs
//   0: the sum of x   1: x doubled   2: y + 0, collected as integers   3: position, where asked
// and a state that counts batches.
struct Example {
  Array count = Array::scalar(0.0f);

  std::shared_ptr<Program> compile(int64_t rows, bool position = false,
                                   DType dtype = DType::float32) {
    Graph graph;
    const Value x = graph.input({dtype, Shape{rows, 3}}, "x");
    const Value y = graph.input({DType::int64, Shape{rows}}, "y");
    Attrs all;
    all.all_axes = true;
    graph.output(graph.emit(sum_op, {x}, all), "total");
    graph.output(graph.emit(multiply_op, {x, graph.constant(2.0, dtype)}), "doubled");
    graph.output(graph.emit(maximum_op, {y, graph.constant(Array::scalar(int64_t{-5}))}), "labels");
    if (position) {
      const Value place = graph.input({DType::int64, Shape{2}}, "position");
      Attrs cast;
      cast.dtype = DType::float64;
      graph.output(graph.emit(cast_op, {place}, cast), "position");
    }
    const Value state = graph.state(count, "count");
    graph.update(state, graph.emit(add_op, {state, graph.constant(1.0, DType::float32)}));
    return Program::compile(graph);
  }

  TrainerSpec spec(const Array& x, const Array& y, int64_t batch, bool position = false) {
    TrainerSpec result;
    const int64_t rows = x.shape()[0];
    if (rows >= batch) result.step = compile(batch, position);
    if (rows % batch != 0) result.last_step = compile(rows % batch, position);
    result.sources = {{x}, {y}};
    result.outputs = {OutputKind::accumulate, OutputKind::collect, OutputKind::collect};
    if (position) {
      result.outputs.push_back(OutputKind::accumulate);
      result.position_input = 2;
    }
    result.batch_size = batch;
    return result;
  }
};

// Element (r, c) is 10*r + c; labels are 7*r.
Array rows_of(DType dtype, int64_t rows) {
  const Array wide(DType::int64, Shape{rows, 3});
  for (int64_t i = 0; i < 3 * rows; ++i) wide.view().as<int64_t>()[i] = i / 3 * 10 + i % 3;
  return contiguous(wide, dtype);
}
Array labels_of(int64_t rows) {
  const Array labels(DType::int64, Shape{rows});
  for (int64_t i = 0; i < rows; ++i) labels.view().as<int64_t>()[i] = 7 * i;
  return labels;
}

double total_of(int64_t rows) {
  double total = 0;
  for (int64_t i = 0; i < 3 * rows; ++i) total += static_cast<double>(i / 3 * 10 + i % 3);
  return total;
}

// Every collected row lies at its sample's place.
void check_collected(const Trainer& trainer, int64_t rows, double scale, double offset) {
  const Array doubled = trainer.result(1), labels = trainer.result(2);
  CHECK_EQ(doubled.shape(), (Shape{rows, 3}));
  CHECK_EQ(labels.shape(), (Shape{rows}));
  bool right = true;
  for (int64_t i = 0; i < 3 * rows; ++i) {
    const float element = static_cast<float>(i / 3 * 10 + i % 3);
    const float scaled = element * static_cast<float>(scale);
    right = right && doubled.view().as<float>()[i] == 2 * (scaled + static_cast<float>(offset));
  }
  for (int64_t i = 0; i < rows; ++i) right = right && labels.view().as<int64_t>()[i] == 7 * i;
  CHECK(right);
}

}  // namespace

FUSEGRAD_TEST(trainer_epochs) {
  for (bool shuffle : {false, true}) {
    for (int64_t batch : {1, 4, 5, 7, 23, 40}) {
      Example example;
      constexpr int64_t kRows = 23;
      TrainerSpec spec = example.spec(rows_of(DType::float32, kRows), labels_of(kRows), batch);
      spec.shuffle = shuffle;
      Trainer trainer(spec);
      CHECK_EQ(trainer.num_rows(), kRows);
      CHECK_EQ(trainer.num_batches(), (kRows + batch - 1) / batch);
      for (int64_t epoch = 0; epoch < 3; ++epoch) {
        trainer.begin_epoch(epoch);
        CHECK_EQ(trainer.run(-1, Tick()), trainer.num_batches());
        CHECK_EQ(trainer.run(-1, Tick()), 0);
        CHECK_EQ(*trainer.result(0).view().as<double>(), total_of(kRows));
        check_collected(trainer, kRows, 1, 0);
      }
      CHECK_EQ(*example.count.view().as<float>(), static_cast<float>(3 * trainer.num_batches()));
    }
  }
}

// What the latest batch gave, which is shorter here; nothing of the batches before.
FUSEGRAD_TEST(trainer_latest_values) {
  Example example;
  TrainerSpec spec = example.spec(rows_of(DType::float32, 23), labels_of(23), 5);
  spec.outputs[0] = OutputKind::last;
  Trainer trainer(spec);
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    trainer.begin_epoch(epoch);
    CHECK_EQ(*trainer.result(0).view().as<double>(), 0.0);
    trainer.run(1, Tick());
    CHECK_EQ(*trainer.result(0).view().as<double>(), total_of(5));
    trainer.run(-1, Tick());
    CHECK_EQ(*trainer.result(0).view().as<double>(), total_of(23) - total_of(20));
    check_collected(trainer, 23, 1, 0);
  }
}

FUSEGRAD_TEST(trainer_types_scale_and_offset) {
  for (DType dtype : {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8}) {
    for (bool shuffle : {false, true}) {
      Example example;
      TrainerSpec spec = example.spec(rows_of(dtype, 20), labels_of(20), 8);
      spec.shuffle = shuffle;
      spec.sources[0].scale = 0.1;
      spec.sources[0].offset = -0.7;
      Trainer trainer(spec);
      trainer.begin_epoch(1);
      trainer.run(-1, Tick());
      check_collected(trainer, 20, 0.1, -0.7);
    }
  }
}

FUSEGRAD_TEST(trainer_odd_layouts) {
  // Rows last to first, columns far apart: the same elements under other strides.
  const Array plain = rows_of(DType::float32, 20);
  const Array base(DType::float32, Shape{3, 2, 20});
  View odd{base.view().as<float>() + 19, DType::float32, Shape{20, 3}, Strides{-1, 40}};
  copy_elements(odd, plain.view());
  for (bool shuffle : {false, true}) {
    Example example;
    TrainerSpec spec = example.spec(Array(base.storage(), odd), labels_of(20), 6);
    spec.shuffle = shuffle;
    Trainer trainer(spec);
    trainer.begin_epoch(0);
    trainer.run(-1, Tick());
    check_collected(trainer, 20, 1, 0);
  }
}

FUSEGRAD_TEST(trainer_visits_the_permutation) {
  // One row a batch, so that after k batches the rows seen are the first k of the permutation.
  constexpr int64_t kRows = 30;
  Example example;
  TrainerSpec spec = example.spec(rows_of(DType::float32, kRows), labels_of(kRows), 1);
  spec.shuffle = true;
  spec.seed = 99;
  Trainer trainer(spec);
  std::vector<int64_t> order(kRows);
  permutation(order.data(), kRows, 99, 6);
  trainer.begin_epoch(6);
  double total = 0;
  for (int64_t row : order) {
    CHECK_EQ(trainer.run(1, Tick()), 1);
    total += static_cast<double>(30 * row + 3);
    CHECK_EQ(*trainer.result(0).view().as<double>(), total);
  }
}

FUSEGRAD_TEST(trainer_position) {
  Example example;
  TrainerSpec spec = example.spec(rows_of(DType::float32, 10), labels_of(10), 4, true);
  Trainer trainer(spec);
  trainer.begin_epoch(5);
  const double epochs[] = {5, 10, 15}, firsts[] = {0, 4, 12};  // running sums
  for (int i = 0; i < 3; ++i) {
    trainer.run(1, Tick());
    CHECK_EQ(trainer.result(3).view().as<double>()[0], epochs[i]);
    CHECK_EQ(trainer.result(3).view().as<double>()[1], firsts[i]);
  }
}

FUSEGRAD_TEST(trainer_programs_forget_their_rows) {
  // After a sequential run the program reads its own buffer again, not rows that may be gone.
  Example example;
  const Array x = rows_of(DType::float32, 8);
  TrainerSpec spec = example.spec(x, labels_of(8), 8);
  Trainer trainer(spec);
  trainer.run(-1, Tick());
  const View buffer = spec.step->input_buffer(0);
  for (int64_t i = 0; i < 24; ++i) buffer.as<float>()[i] = 1;
  spec.step->run();
  CHECK_EQ(*spec.step->output(0).as<float>(), 24.0f);
  CHECK_EQ(x.view().as<float>()[23], 72.0f);
}

FUSEGRAD_TEST(trainer_ticks_and_stops) {
  Example example;
  constexpr int64_t kRows = 40000;
  Trainer trainer(example.spec(rows_of(DType::float32, kRows), labels_of(kRows), 1));
  struct Calls {
    int count = 0, stop_at = 0;
    int64_t last = 0, longest = 0;
  } calls;
  const Tick tick{[](void* context) {
                    auto& c = *static_cast<Calls*>(context);
                    return ++c.count == c.stop_at;
                  },
                  &calls};
  timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  int64_t epoch = 0;
  double seconds = 0;
  do {
    trainer.begin_epoch(epoch++);
    CHECK_EQ(trainer.run(-1, tick), kRows);
    CHECK(!trainer.stopped());
    clock_gettime(CLOCK_MONOTONIC, &after);
    seconds = static_cast<double>(after.tv_sec - before.tv_sec) +
              1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
  } while (seconds < 0.4);
  // Every 45 to 50 ms; a busy machine may miss many.
  CHECK(calls.count >= 1 && calls.count <= static_cast<int>(seconds / 0.04) + 1);
  calls.stop_at = calls.count + 1;
  int64_t ran = 0, whole = 0;
  for (int tries = 0; tries < 1000 && !trainer.stopped(); ++tries, ++whole) {
    trainer.begin_epoch(epoch++);
    ran = trainer.run(-1, tick);
  }
  CHECK(trainer.stopped());
  CHECK_EQ(trainer.batches_done(), ran);
  trainer.run(-1, Tick());  // what was stopped can go on
  CHECK_EQ(trainer.batches_done(), kRows);
  check_collected(trainer, kRows, 1, 0);
}

FUSEGRAD_TEST(trainer_checks_its_specification) {
  Example example;
  const Array x = rows_of(DType::float32, 10), y = labels_of(10);
  const TrainerSpec good = example.spec(x, y, 4);
  const auto with = [&](void (*change)(TrainerSpec&)) {
    TrainerSpec spec = good;
    change(spec);
    Trainer trainer(spec);
    trainer.run(-1, Tick());
  };
  CHECK_THROWS(with([](TrainerSpec& s) { s.sources.clear(); }), ArgumentError,
               "Trainer(): argument 'sources': expected at least one array, got none");
  CHECK_THROWS(with([](TrainerSpec& s) { s.batch_size = 0; }), ArgumentError,
               "Trainer(): argument 'batch_size': expected at least 1, got 0");
  CHECK_THROWS(with([](TrainerSpec& s) { s.step = nullptr; }), ArgumentError,
               "Trainer(): argument 'step': expected a program, got none");
  CHECK_THROWS(with([](TrainerSpec& s) { s.last_step = nullptr; }), ArgumentError,
               "Trainer(): argument 'last_step': expected a program for 2 rows, got none");
  CHECK_THROWS(with([](TrainerSpec& s) { s.last_step = s.step; }), ArgumentError,
               "Trainer(): argument 'last_step': expected input 0 with 2 rows, got float32(4, 3)");
  CHECK_THROWS(with([](TrainerSpec& s) { s.sources[1].rows = labels_of(11); }), ArgumentError,
               "Trainer(): argument 'sources[1]': expected 10 rows as in sources[0], got 11");
  CHECK_THROWS(with([](TrainerSpec& s) { s.sources[0].rows = labels_of(10); }), ArgumentError,
               "Trainer(): argument 'sources[0]': expected rows that fit batches of shape (4, 3), "
               "got int64 array of shape (10,)");
  CHECK_THROWS(with([](TrainerSpec& s) {
                 s.sources[1].rows = contiguous(s.sources[1].rows, DType::float32);
               }),
               ArgumentError,
               "Trainer(): argument 'sources[1]': expected elements that int64 holds, "
               "got float32 array of shape (10,)");
  CHECK_THROWS(with([](TrainerSpec& s) { s.sources.pop_back(); }), ArgumentError,
               "Trainer(): argument 'step': expected a program with 1 inputs, got 2");
  CHECK_THROWS(with([](TrainerSpec& s) { s.outputs.pop_back(); }), ArgumentError,
               "Trainer(): argument 'outputs': expected one for each of the program's 3, got 2");
  CHECK_THROWS(with([](TrainerSpec& s) { s.outputs[0] = OutputKind::collect; }), ArgumentError,
               "Trainer(): argument 'outputs[0]': expected collected outputs to have 4 rows, "
               "got float32()");
  CHECK_THROWS(with([](TrainerSpec& s) { s.position_input = 0; }), ArgumentError,
               "Trainer(): argument 'position_input': expected the input after the sources, 2, "
               "got 0");
  CHECK_THROWS(with([](TrainerSpec& s) { s.sources[0].rows = Array(DType::float32, Shape{0, 3}); }),
               ArgumentError, "Trainer(): argument 'sources[0]': expected at least 1 row, got 0");
}

namespace {

// Two products of a batch, whose rows the optimized program reads transposed.
std::shared_ptr<Program> products(int64_t rows, int64_t columns, const Array& w, const Array& v,
                                  bool optimize) {
  Graph graph;
  const Value x = graph.input({w.dtype(), Shape{rows, columns}}, "x");
  Attrs transposed;
  transposed.transpose_b = true;
  const Value hidden = graph.emit(matmul_op, {x, graph.state(w, "w")}, transposed);
  const Value output = graph.emit(matmul_op, {hidden, graph.state(v, "v")}, transposed);
  Attrs all;
  all.all_axes = true;
  graph.output(graph.emit(sum_op, {output}, all), "total");
  CompileOptions options;
  options.optimize = optimize;
  return Program::compile(graph, options);
}

void check_transposed(DType from, DType to, int64_t rows, int64_t columns, int64_t batch) {
  const Array data(DType::float32, Shape{rows, columns});
  fill_uniform(data.view(), 1, 0, 0.0, 255.0);
  const Array w(to, Shape{25, columns}), v(to, Shape{15, 25});
  fill_uniform(w.view(), 2, 0, -1.0, 1.0);
  fill_uniform(v.view(), 3, 0, -1.0, 1.0);
  std::vector<double> totals;
  for (const bool optimize : {true, false}) {
    TrainerSpec spec;
    spec.step = products(batch, columns, w, v, optimize);
    CHECK_EQ(spec.step->input_transposed(0).data != nullptr, optimize);
    if (rows % batch != 0) spec.last_step = products(rows % batch, columns, w, v, optimize);
    spec.sources = {{contiguous(data, from), from == DType::uint8 ? 1.0 / 255.0 : 1.0, 0.0}};
    spec.outputs = {OutputKind::accumulate};
    spec.batch_size = batch;
    spec.shuffle = true;
    Trainer trainer(spec);
    trainer.begin_epoch(1);
    trainer.run(-1, {});
    totals.push_back(*trainer.result(0).view().as<double>());
  }
  CHECK_EQ(totals[0], totals[1]);
  CHECK(totals[0] != 0.0);
}

}  // namespace

// Gathered in both orders by the kernels (whole squares of 16 rows) or transposed afterwards; the
// larger data are fetched ahead of their use.
FUSEGRAD_TEST(trainer_transposed_inputs) {
  for (const int64_t batch : {32, 31}) {
    check_transposed(DType::float32, DType::float32, 300, 784, batch);
    check_transposed(DType::float32, DType::float32, 70, 67, batch);
    check_transposed(DType::uint8, DType::float32, 1000, 784, batch);
    check_transposed(DType::uint8, DType::float32, 70, 67, batch);
    check_transposed(DType::float64, DType::float64, 100, 131, batch);
    check_transposed(DType::float32, DType::float64, 100, 131, batch);
  }
}

FUSEGRAD_TEST(trainer_rows_without_elements) {
  Graph graph;
  const Value x = graph.input({DType::float32, Shape{4, 0}}, "x");
  Attrs all;
  all.all_axes = true;
  graph.output(graph.emit(sum_op, {x}, all), "total");
  TrainerSpec spec;
  spec.step = Program::compile(graph);
  spec.sources = {{Array(DType::float32, Shape{8, 0})}};
  spec.outputs = {OutputKind::accumulate};
  spec.batch_size = 4;
  spec.shuffle = true;
  Trainer trainer(spec);
  CHECK_EQ(trainer.run(-1, {}), 2);
  CHECK_EQ(*trainer.result(0).view().as<double>(), 0.0);
}

}  // namespace fusegrad
