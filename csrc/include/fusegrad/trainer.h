// Trainer: runs whole epochs of a compiled step over data in memory: permutation, batch gather,
// step, accumulation of metrics in double. Also evaluation and prediction: the same loop without
// updates.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/array.h"
#include "fusegrad/program.h"

namespace fusegrad {

// Rows (axis 0) that feed one graph input; converted while a batch is gathered.
// value = element * scale + offset in the input's dtype, each operation rounded.
struct BatchSource {
  Array rows;
  double scale = 1.0;
  double offset = 0.0;
};

enum class OutputKind : uint8_t {
  accumulate,  // totals[i] += output i, in double, batch by batch
  collect,     // output i holds a row per sample; stored at the sample's place
  last,        // output i of the latest batch, in double
};

// Returns true to stop after the current batch. Called by the clock, at most every 50 ms.
struct Tick {
  bool (*call)(void* context) = nullptr;
  void* context = nullptr;
};

struct TrainerSpec {
  std::shared_ptr<Program> step;       // compiled for `batch_size` rows
  std::shared_ptr<Program> last_step;  // compiled for rows % batch_size rows; null if that is 0
  std::vector<BatchSource> sources;    // feed inputs 0 .. sources.size() of the program, in order
  int position_input = -1;             // int64[2] input that gets {epoch, first row}; -1: none
  std::vector<OutputKind> outputs;     // one for each output of the program
  int64_t batch_size = 32;
  bool shuffle = false;
  uint64_t seed = 0;
};

// All may be called from several threads, and while run() is under way; runs wait for each other.
class FUSEGRAD_API Trainer {
 public:
  explicit Trainer(TrainerSpec spec);  // checks the spec against the programs; raises ArgumentError
  ~Trainer();

  int64_t num_rows() const;
  int64_t num_batches() const;
  int num_outputs() const;
  std::vector<const Program*> programs() const;

  // Starts epoch `epoch`: new permutation, totals zero.
  void begin_epoch(int64_t epoch);
  // Runs up to `max_batches` further batches of the epoch (all that are left when negative).
  // Returns the number run; fewer than asked for at the end of the epoch or when the tick said
  // stop.
  int64_t run(int64_t max_batches, Tick tick);
  int64_t batches_done() const;
  bool stopped() const;  // the tick said stop

  // Totals or latest values (float64, shape of output i) or collected rows of output i. Raises
  // ArgumentError before the first epoch.
  Array result(int i) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fusegrad
