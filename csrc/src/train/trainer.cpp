// The epoch loop: order, gather, run, keep; between batches, the clock.
//
// Everything is checked when the Trainer is made, so that an epoch can fail only where the program
// itself refuses an element (a label out of range), and then at a batch boundary.
#include "fusegrad/trainer.h"

#include <time.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/parallel.h"
#include "runtime/prefetch.h"
#include "train/gather.h"
#include "train/metrics.h"
#include "train/shuffle.h"

namespace fusegrad {
namespace {

constexpr int64_t kTickNanoseconds = 45'000'000;  // and the coarse clock's step: below 50 ms

// A clock that costs a few nanoseconds and steps every few milliseconds, where there is one.
int64_t coarse_nanoseconds() {
#if defined(CLOCK_MONOTONIC_COARSE)
  constexpr clockid_t kClock = CLOCK_MONOTONIC_COARSE;
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec time;
  clock_gettime(kClock, &time);
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

[[noreturn]] void refuse(const std::string& argument, const std::string& expected,
                         const std::string& got) {
  throw ArgumentError("Trainer", argument, expected, got);
}

std::string describe(const Meta& meta) {
  return std::string(name(meta.dtype)) + to_string(meta.shape);
}

}  // namespace

struct Trainer::Impl {
  // One of the two programs, with a gather for each source.
  struct Stage {
    std::shared_ptr<Program> program;
    int64_t batch = 0;
    std::vector<Gather> gathers;
    int position_input = -1;

    Stage(std::shared_ptr<Program> compiled, int64_t rows, const TrainerSpec& spec,
          const char* argument);
    void prepare(const TrainerSpec& spec);
    void feed(const RowOrder& order, int64_t epoch, int64_t first);
    void run(const RowOrder& order, int64_t next, int64_t count);
    void release(const RowOrder& order);
  };

  explicit Impl(TrainerSpec given);
  void begin_epoch(int64_t number);
  void run_batch();
  bool tick_says_stop(Tick tick);

  TrainerSpec spec;
  int64_t rows = 0, batches = 0, full_batches = 0;
  std::vector<Stage> stages;  // the step for full batches where there are any, then the last one
  std::vector<OutputSink> sinks;
  RowOrder order;
  int64_t epoch = 0, done = 0;
  bool prepared = false, started = false, stopped = false;
  int64_t last_tick;
  // Held for a batch at most and never while the tick runs: other threads, and the tick, may look.
  mutable std::mutex state;
};

Trainer::Impl::Stage::Stage(std::shared_ptr<Program> compiled, int64_t rows_per_batch,
                            const TrainerSpec& spec, const char* argument)
    : program(std::move(compiled)), batch(rows_per_batch), position_input(spec.position_input) {
  const int num_sources = static_cast<int>(spec.sources.size());
  const int num_inputs = program->num_inputs();
  const int fed = num_sources + (position_input >= 0 ? 1 : 0);
  if (num_inputs != fed) {
    refuse(argument, "a program with " + std::to_string(fed) + " inputs",
           std::to_string(num_inputs));
  }
  if (position_input >= 0) {
    const Meta meta = program->input_meta(position_input);
    if (meta.dtype != DType::int64 || meta.shape != Shape{2}) {
      refuse("position_input", "an input int64(2,)", describe(meta));
    }
  }
  gathers.reserve(spec.sources.size());
  for (int i = 0; i < num_sources; ++i) {
    const Meta meta = program->input_meta(i);
    if (meta.shape.rank() == 0 || meta.shape[0] != batch) {
      refuse(argument, "input " + std::to_string(i) + " with " + std::to_string(batch) + " rows",
             describe(meta));
    }
    gathers.emplace_back(spec.sources[static_cast<size_t>(i)], meta, i);
  }
  if (program->num_outputs() != static_cast<int>(spec.outputs.size())) {
    refuse("outputs", "one for each of the program's " + std::to_string(program->num_outputs()),
           std::to_string(spec.outputs.size()));
  }
  for (int i = 0; i < program->num_outputs(); ++i) {
    const Meta meta = program->output_meta(i);
    if (spec.outputs[static_cast<size_t>(i)] == OutputKind::collect &&
        (meta.shape.rank() == 0 || meta.shape[0] != batch)) {
      refuse("outputs[" + std::to_string(i) + "]",
             "collected outputs to have " + std::to_string(batch) + " rows", describe(meta));
    }
  }
}

// Makes the input buffers, so that nothing later allocates, and sees that no gather would write
// into its own source. Not in the constructor: the program's mutex is held here.
void Trainer::Impl::Stage::prepare(const TrainerSpec& spec) {
  for (int input = 0; input < program->num_inputs(); ++input) {
    const View& buffer = program->input_buffer(input);
    for (size_t i = 0; i < spec.sources.size(); ++i) {
      if (!may_overlap(spec.sources[i].rows.view(), buffer)) continue;
      refuse("sources[" + std::to_string(i) + "]", "an array apart from the program's buffers",
             "one that overlaps input " + std::to_string(input));
    }
  }
}

// Puts the batch that begins at position `first` of the epoch into the program's inputs.
void Trainer::Impl::Stage::feed(const RowOrder& order, int64_t epoch, int64_t first) {
  for (size_t i = 0; i < gathers.size(); ++i) {
    const int input = static_cast<int>(i);
    if (!order.shuffled() && gathers[i].direct()) {
      program->bind_input(input, gathers[i].view(first, batch));
    } else {
      const bool transposed =
          gathers[i].copy(program->input_buffer(input).data, program->input_transposed(input).data,
                          order.rows(first), first, batch);
      if (transposed) program->set_transposed(input);
    }
  }
  if (position_input >= 0) {
    int64_t* position = program->input_buffer(position_input).as<int64_t>();
    position[0] = epoch;
    position[1] = first;
  }
}

// Runs the program, and has the `count` rows from position `next` on fetched meanwhile.
void Trainer::Impl::Stage::run(const RowOrder& order, int64_t next, int64_t count) {
  if (!order.shuffled() || count == 0) return program->run();
  PrefetchQueue queue = gathers.front().prefetch(order.rows(next), count);
  struct Clear {
    ~Clear() { set_thread_prefetch(nullptr); }
  } const clear;
  set_thread_prefetch(&queue);
  program->run();
}

// The program forgets rows that it was bound to: they may be gone when it runs next.
void Trainer::Impl::Stage::release(const RowOrder& order) {
  for (int i = 0; i < static_cast<int>(gathers.size()); ++i) {
    if (!order.shuffled() && gathers[static_cast<size_t>(i)].direct()) {
      program->bind_input(i, program->input_buffer(i));
    }
  }
}

namespace {

int64_t checked_rows(const TrainerSpec& spec) {
  if (spec.sources.empty()) refuse("sources", "at least one array", "none");
  if (spec.batch_size < 1) {
    refuse("batch_size", "at least 1", std::to_string(spec.batch_size));
  }
  int64_t rows = -1;
  for (size_t i = 0; i < spec.sources.size(); ++i) {
    const Array& array = spec.sources[i].rows;
    const std::string argument = "sources[" + std::to_string(i) + "]";
    if (!array.defined() || array.rank() == 0) refuse(argument, "rows along axis 0", "none");
    const int64_t count = array.shape()[0];
    if (i == 0) rows = count;
    if (count == 0 || count != rows) {
      refuse(argument, i == 0 ? "at least 1 row" : std::to_string(rows) + " rows as in sources[0]",
             std::to_string(count));
    }
  }
  const int position = spec.position_input;
  if (position >= 0 && position != static_cast<int>(spec.sources.size())) {
    refuse("position_input", "the input after the sources, " + std::to_string(spec.sources.size()),
           std::to_string(position));
  }
  return rows;
}

}  // namespace

Trainer::Impl::Impl(TrainerSpec given)
    : spec(std::move(given)),
      rows(checked_rows(spec)),
      full_batches(rows / spec.batch_size),
      order(rows, spec.shuffle, spec.seed),
      last_tick(coarse_nanoseconds()) {
  const int64_t rest = rows % spec.batch_size;
  batches = full_batches + (rest > 0 ? 1 : 0);
  stages.reserve(2);
  if (full_batches > 0) {
    if (spec.step == nullptr) refuse("step", "a program", "none");
    stages.emplace_back(spec.step, spec.batch_size, spec, "step");
  }
  if (rest > 0) {
    if (spec.last_step == nullptr) {
      refuse("last_step", "a program for " + std::to_string(rest) + " rows", "none");
    }
    stages.emplace_back(spec.last_step, rest, spec, "last_step");
  }
  for (int i = 0; i < static_cast<int>(spec.outputs.size()); ++i) {
    const OutputKind kind = spec.outputs[static_cast<size_t>(i)];
    const Meta meta = stages.front().program->output_meta(i);
    Meta other = stages.back().program->output_meta(i);
    if (kind == OutputKind::collect) other.shape[0] = meta.shape[0];
    if (other.dtype != meta.dtype || other.shape != meta.shape) {
      refuse("last_step", "output " + std::to_string(i) + " like step's " + describe(meta),
             describe(stages.back().program->output_meta(i)));
    }
    sinks.emplace_back(kind, meta, rows);
  }
}

void Trainer::Impl::begin_epoch(int64_t number) {
  started = false;
  order.begin_epoch(number);
  for (OutputSink& sink : sinks) sink.begin_epoch();
  epoch = number;
  done = 0;
  started = true;
  stopped = false;
}

void Trainer::Impl::run_batch() {
  Stage& stage = done < full_batches ? stages.front() : stages.back();
  const int64_t first = done * spec.batch_size;
  stage.feed(order, epoch, first);
  const int64_t next = first + stage.batch;
  stage.run(order, next, std::min(spec.batch_size, rows - next));
  for (size_t i = 0; i < sinks.size(); ++i) {
    sinks[i].add(stage.program->output(static_cast<int>(i)), order.rows(first), first, stage.batch);
  }
  ++done;
}

bool Trainer::Impl::tick_says_stop(Tick tick) {
  if (tick.call == nullptr || coarse_nanoseconds() - last_tick < kTickNanoseconds) return false;
  const bool stop = tick.call(tick.context);
  last_tick = coarse_nanoseconds();
  return stop;
}

Trainer::Trainer(TrainerSpec spec) : impl_(std::make_unique<Impl>(std::move(spec))) {}

Trainer::~Trainer() = default;

int64_t Trainer::num_rows() const { return impl_->rows; }

std::vector<const Program*> Trainer::programs() const {
  std::vector<const Program*> programs;
  for (const Impl::Stage& stage : impl_->stages) programs.push_back(stage.program.get());
  return programs;
}

int64_t Trainer::num_batches() const { return impl_->batches; }

int Trainer::num_outputs() const { return static_cast<int>(impl_->sinks.size()); }

void Trainer::begin_epoch(int64_t epoch) {
  const std::lock_guard<std::mutex> lock(impl_->state);
  impl_->begin_epoch(epoch);
}

int64_t Trainer::run(int64_t max_batches, Tick tick) {
  Impl& impl = *impl_;
  const FloatEnvironment environment;
  // Both programs, in the order of their addresses, so that two trainers cannot wait for each
  // other.
  Program* low = impl.stages.front().program.get();
  Program* high = impl.stages.back().program.get();
  if (std::less<Program*>()(high, low)) std::swap(low, high);
  const std::unique_lock<OwnedMutex> first(low->mutex());
  const std::unique_lock<OwnedMutex> second =
      low == high ? std::unique_lock<OwnedMutex>() : std::unique_lock<OwnedMutex>(high->mutex());
  if (!impl.prepared) {
    for (Impl::Stage& stage : impl.stages) stage.prepare(impl.spec);
    impl.prepared = true;
  }
  struct Release {
    Impl& impl;
    ~Release() {
      for (Impl::Stage& stage : impl.stages) stage.release(impl.order);
    }
  } const release{impl};

  // Waking the workers takes as long as some short batches save.
  constexpr int64_t kLongRun = 16;
  std::optional<ThreadsAwake> awake;
  {
    const std::lock_guard<std::mutex> lock(impl.state);
    if (!impl.started) impl.begin_epoch(0);
    impl.stopped = false;
    const int64_t left = impl.batches - impl.done;
    if ((max_batches < 0 ? left : std::min(left, max_batches)) >= kLongRun) awake.emplace();
  }
  int64_t count = 0;
  for (bool more = true; more && (max_batches < 0 || count < max_batches);) {
    {
      const std::lock_guard<std::mutex> lock(impl.state);
      if (impl.done == impl.batches) break;
      impl.run_batch();
      more = impl.done < impl.batches;
    }
    ++count;
    if (impl.tick_says_stop(tick)) {
      const std::lock_guard<std::mutex> lock(impl.state);
      impl.stopped = true;
      break;
    }
  }
  return count;
}

int64_t Trainer::batches_done() const {
  const std::lock_guard<std::mutex> lock(impl_->state);
  return impl_->done;
}

bool Trainer::stopped() const {
  const std::lock_guard<std::mutex> lock(impl_->state);
  return impl_->stopped;
}

Array Trainer::result(int i) const {
  if (i < 0 || i >= static_cast<int>(impl_->sinks.size())) {
    throw ArgumentError("Trainer.result", "i", "0 <= i < " + std::to_string(impl_->sinks.size()),
                        std::to_string(i));
  }
  const std::lock_guard<std::mutex> lock(impl_->state);
  if (!impl_->started) {
    throw ArgumentError("Trainer.result", "i", "an output of an epoch that has begun",
                        "no epoch yet");
  }
  return impl_->sinks[static_cast<size_t>(i)].result();
}

}  // namespace fusegrad
