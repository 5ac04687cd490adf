// Program: a compiled Graph. Fixed operands in one arena, no dispatch by name when it runs, and no
// allocation but for large outputs whose last results are kept, and scratch memory of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fusegrad/api.h"
#include "fusegrad/graph.h"

namespace fusegrad {

struct CompileOptions {
  bool exact_rewrites = true;
  bool optimize = true;  // false: trace -> plan, for comparing the passes with nothing
};

// A mutex that raises std::logic_error where the thread that holds it locks it again, instead of
// waiting for itself for ever: a signal handler may start what it has interrupted.
class FUSEGRAD_API OwnedMutex {
 public:
  void lock();
  bool try_lock();
  void unlock();

 private:
  void refuse_owner() const;

  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};
};

// One thread at a time may bind, run and read outputs: whoever does holds mutex().
class FUSEGRAD_API Program {
 public:
  // Runs the passes (rewrite_exact, simplify, fuse, layout, plan) on a copy of `graph`.
  static std::shared_ptr<Program> compile(const Graph& graph, const CompileOptions& options = {});

  int num_inputs() const;
  int num_outputs() const;
  Meta input_meta(int i) const;
  Meta output_meta(int i) const;

  // The program's own buffer of input i (C order): the caller writes it before run().
  const View& input_buffer(int i) const;
  // Reads input i from `view` in the next runs, without copying where its strides allow. Elements
  // that lie in a state which a run writes are copied now.
  void bind_input(int i, const View& view);
  // Where input i lies in order f as well, for the products that read it so; no data where none
  // does. run() makes this copy, unless it is told that the caller has written it for this run.
  const View& input_transposed(int i) const;
  void set_transposed(int i);
  const View& output(int i) const;  // valid after run(), until the next
  // The same as an array that the caller may keep: a copy, or the memory of a large output, which
  // the next run then leaves alone. Memory that nobody kept is used again.
  Array result(int i) const;

  // One pass over the instructions; states named by update() get their new values at the end.
  void run();
  OwnedMutex& mutex();

  // The states that a run writes.
  const std::vector<Array>& written() const;

  int64_t arena_bytes() const;
  // Text of a stage: "trace", "rewrite", "simplify", "fuse", "layout", "plan".
  std::string text(const std::string& stage) const;
  const std::vector<std::string>& rewrites() const;

  ~Program();

 private:
  Program();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fusegrad
