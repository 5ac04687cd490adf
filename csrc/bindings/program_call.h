// One run of a program on arrays that lie anywhere: what a call from Python comes to. Included by
// the generated _tensor source, and by bind_program.cpp.
#pragma once

#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fusegrad/program.h"

namespace fusegrad {
namespace binding {

class ProgramCall {
 public:
  // Bounds: the least and the largest value of each input, for takes_data().
  ProgramCall(std::shared_ptr<Program> program, std::vector<std::pair<double, double>> bounds)
      : program_(std::move(program)), bounds_(std::move(bounds)) {
    int64_t bytes = program_->arena_bytes();
    for (int i = 0; i < program_->num_inputs(); ++i) {
      inputs_.push_back(program_->input_meta(i));
      const int64_t input = bytes_of(inputs_.back());
      if (input > kFewBytes) large_inputs_.push_back(i);
      bytes += input;
    }
    for (int i = 0; i < program_->num_outputs(); ++i) outputs_.push_back(program_->output_meta(i));
    brief_ = bytes <= kFewBytes;
  }

  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  // The states that a run writes.
  const std::vector<Array>& written() const { return program_->written(); }
  // Whether a view is just what input i is.
  bool takes(int i, const View& view) const {
    const Meta& meta = inputs_[static_cast<size_t>(i)];
    return view.dtype == meta.dtype && view.shape == meta.shape;
  }
  // Whether rows of data that lie in C order can be copied into input i, and are within its bounds.
  bool takes_data(int i, const View& view) const {
    const Meta& meta = inputs_[static_cast<size_t>(i)];
    const bool converts =
        is_floating(meta.dtype) ? view.dtype != DType::uint8 : !is_floating(view.dtype);
    if (!view.c_contiguous() || !converts || !same_rows(view.shape, meta.shape)) return false;
    if (bounds_.empty()) return true;
    const auto [low, high] = bounds_[static_cast<size_t>(i)];
    return all_within(view, low, high);
  }
  // Whether a run is over so soon that other Python threads may wait for it.
  bool brief() const { return brief_; }

  // Inputs that it takes; outputs are fresh. False, and nothing is done, where another thread is
  // running the program and `wait` is not set: it may need the interpreter that the caller holds.
  bool run(const std::vector<View>& inputs, std::vector<Array>& outputs, bool wait) {
    std::unique_lock<OwnedMutex> lock(program_->mutex(), std::defer_lock);
    if (wait) {
      lock.lock();
    } else if (!lock.try_lock()) {
      return false;
    }
    const Release bound(*program_, large_inputs_);
    for (int i = 0; i < num_inputs(); ++i) feed(i, inputs[static_cast<size_t>(i)]);
    program_->run();
    outputs.reserve(outputs_.size());
    for (const Meta& meta : outputs_) {
      const int i = static_cast<int>(outputs.size());
      if (bytes_of(meta) > kFewBytes) {
        outputs.push_back(program_->result(i));
      } else {
        outputs.emplace_back(meta.dtype, meta.shape);
        copy(outputs.back().view(), program_->output(i));
      }
    }
    return true;
  }

 private:
  static constexpr int64_t kFewBytes = 1 << 16;

  // Puts the program's own buffers back when a run ends: what it was bound to may be gone by the
  // next.
  class Release {
   public:
    Release(Program& program, const std::vector<int>& inputs)
        : program_(program), inputs_(inputs) {}
    ~Release() {
      for (const int i : inputs_) program_.bind_input(i, program_.input_buffer(i));
    }
    Release(const Release&) = delete;
    Release& operator=(const Release&) = delete;

   private:
    Program& program_;
    const std::vector<int>& inputs_;
  };

  static int64_t bytes_of(const Meta& meta) {
    return num_elements(meta.shape) * itemsize(meta.dtype);
  }

  // (n,) and (n, 1) stand for each other.
  static bool same_rows(const Shape& a, const Shape& b) {
    if (a == b) return true;
    const Shape& wide = a.rank() == 2 ? a : b;
    return a.rank() + b.rank() == 3 && wide[1] == 1 && a[0] == b[0];
  }

  static void copy(const View& to, const View& from) {
    if (to.dtype == from.dtype && from.c_contiguous() && to.c_contiguous()) {
      const int64_t bytes = to.size() * itemsize(to.dtype);
      if (bytes > 0) std::memcpy(to.data, from.data, static_cast<size_t>(bytes));
    } else {
      copy_elements(to, from);
    }
  }

  // A few bytes are sooner copied than bound.
  void feed(int i, View view) {
    const View& own = program_->input_buffer(i);
    if (view.shape != own.shape) {  // a trailing axis of one element more or less
      view.shape = own.shape;
      view.strides = c_strides(own.shape);
    }
    if (view.dtype == own.dtype && own.size() * itemsize(own.dtype) > kFewBytes) {
      program_->bind_input(i, view);
    } else {
      copy(own, view);
    }
  }

  std::shared_ptr<Program> program_;
  std::vector<std::pair<double, double>> bounds_;
  std::vector<Meta> inputs_, outputs_;
  std::vector<int> large_inputs_;  // that are bound, not copied
  bool brief_ = false;
};

}  // namespace binding
}  // namespace fusegrad
