// Program: the passes in order, then one block of memory and a flat list of calls with fixed
// operands.
#include "fusegrad/program.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "fusegrad/error.h"
#include "fusegrad/float_environment.h"
#include "fusegrad/parallel.h"
#include "graph/layout.h"
#include "graph/plan.h"
#include "graph/print.h"

// The symbol by the version that older C libraries have as well (manylinux_2_28).
#if defined(__GLIBC__) && defined(__x86_64__)
__asm__(".symver pthread_mutex_trylock, pthread_mutex_trylock@GLIBC_2.2.5");
#elif defined(__GLIBC__) && defined(__aarch64__)
__asm__(".symver pthread_mutex_trylock, pthread_mutex_trylock@GLIBC_2.17");
#endif

namespace fusegrad {

namespace {

struct Call {
  void (*eval)(const EvalContext& context);
  EvalContext context;
};

// A pointer that moves when an input is bound to other memory.
struct Fixup {
  View* view;
  int64_t offset;
};

// Memory of one output, which results share.
struct OwnOutput {
  int64_t bytes;
  StoragePtr memory;
  std::vector<Fixup> fixups;
};

char* advance(void* data, int64_t offset) { return static_cast<char*>(data) + offset; }

}  // namespace

struct Program::Impl {
  Impl(const Graph& source, const CompileOptions& options) : traced(source), rewritten(source) {
    if (options.exact_rewrites) rewrite_exact(rewritten);
    if (options.optimize) {
      simplified = simplify(rewritten);
      fused = fuse(simplified);
      layout = choose_layout(fused);
    } else {
      simplified = rewritten;
      fused = rewritten;
      layout = plain_layout(fused);
    }
    plan = make_plan(fused, layout, options.optimize);
    arena = StoragePtr(Storage::allocate(std::max(plan.arena_bytes, kAlignment)));
    own_constants();
    link();
    for (const auto& update : fused.updates()) written.push_back(fused.info(update.first).array);
  }

  // Copies, so that later writes to an array that was captured do not reach the program.
  void own_constants() {
    for (const Block& block : plan.blocks) {
      Array copy;
      if (block.home == Home::constant) {
        const Array& array = fused.info(Value{block.owner}).array;
        copy = Array(array.dtype(), array.shape());
        copy_elements(copy.view(), array.view());
      }
      constants.push_back(std::move(copy));
    }
  }

  void link() {
    const size_t num_inputs = fused.inputs().size();
    input_of_value.assign(static_cast<size_t>(fused.num_values()), -1);
    for (size_t i = 0; i < num_inputs; ++i) {
      input_of_value[static_cast<size_t>(fused.inputs()[i].id)] = static_cast<int>(i);
    }
    buffers.resize(num_inputs);
    bound.assign(num_inputs, false);
    transposes.assign(num_inputs, -1);
    fixups.resize(num_inputs);

    own_output_of_block.assign(plan.blocks.size(), -1);
    for (size_t i = 0; i < plan.blocks.size(); ++i) {
      if (plan.blocks[i].home != Home::output) continue;
      own_output_of_block[i] = static_cast<int>(own_outputs.size());
      own_outputs.push_back({plan.blocks[i].bytes, StoragePtr(), {}});
    }

    size_t num_views = plan.outputs.size();
    for (const Instruction& instruction : plan.instructions) {
      num_views += instruction.inputs.size() + instruction.outputs.size();
    }
    views.reserve(num_views);  // calls keep pointers into it
    for (const Instruction& instruction : plan.instructions) {
      const View* inputs = views.data() + views.size();
      for (const Operand& input : instruction.inputs) add_view(input);
      const View* outputs = views.data() + views.size();
      for (const Operand& output : instruction.outputs) add_view(output);
      calls.push_back({instruction.op->eval,
                       {inputs, static_cast<int>(instruction.inputs.size()), outputs,
                        static_cast<int>(instruction.outputs.size()), instruction.attrs}});
    }
    for (size_t i = 0; i < plan.transposes; ++i) {
      const Value read = plan.instructions[i].inputs[0].value;
      const int input = input_of_value[static_cast<size_t>(read.id)];
      if (input >= 0)
        transposes[static_cast<size_t>(input)] = static_cast<int>(i);  // no view of one
    }
    transposed.assign(plan.transposes, false);
    first_output = views.size();
    for (const Operand& output : plan.outputs) add_view(output);
  }

  void add_view(const Operand& operand) {
    const Block& block = plan.blocks[static_cast<size_t>(operand.place.block)];
    View view{nullptr, operand.meta.dtype, operand.meta.shape, operand.place.strides};
    const int64_t offset = operand.place.offset;
    const Value owner{block.owner};
    switch (block.home) {
      case Home::arena: view.data = advance(arena.get()->data(), block.offset + offset); break;
      case Home::state: view.data = advance(fused.info(owner).array.data(), offset); break;
      case Home::constant:
        view.data = advance(constants[static_cast<size_t>(operand.place.block)].data(), offset);
        break;
      case Home::input:
      case Home::output: break;
    }
    views.push_back(view);
    if (block.home == Home::output) {
      own_output(operand)->fixups.push_back({&views.back(), offset});
    }
    if (block.home == Home::input) {
      const int input = input_of_value[static_cast<size_t>(owner.id)];
      fixups[static_cast<size_t>(input)].push_back({&views.back(), offset});
    }
  }

  // Null for an output in the arena or elsewhere.
  OwnOutput* own_output(const Operand& operand) {
    const int i = own_output_of_block[static_cast<size_t>(operand.place.block)];
    return i < 0 ? nullptr : &own_outputs[static_cast<size_t>(i)];
  }

  // New memory for the outputs whose last results are kept.
  void renew_outputs() {
    for (OwnOutput& output : own_outputs) {
      if (output.memory && !output.memory.get()->shared()) continue;
      output.memory = StoragePtr();
      output.memory = StoragePtr(Storage::allocate(output.bytes));
      for (const Fixup& fixup : output.fixups) {
        fixup.view->data = advance(output.memory.get()->data(), fixup.offset);
      }
    }
  }

  size_t checked_input(int i, const char* where) const {
    if (i < 0 || static_cast<size_t>(i) >= buffers.size()) {
      throw ArgumentError(where, "i", "an input in [0, " + std::to_string(buffers.size()) + ")",
                          std::to_string(i));
    }
    return static_cast<size_t>(i);
  }

  size_t checked_output(int i, const char* where) const {
    if (i < 0 || static_cast<size_t>(i) >= plan.outputs.size()) {
      throw ArgumentError(where, "i",
                          "an output in [0, " + std::to_string(plan.outputs.size()) + ")",
                          std::to_string(i));
    }
    return static_cast<size_t>(i);
  }

  // Whether a run writes a state that shares memory with `view`.
  bool writes(const View& view) const {
    return std::any_of(fused.updates().begin(), fused.updates().end(), [&](const auto& update) {
      return may_overlap(fused.info(update.first).array.view(), view);
    });
  }

  void point(size_t input, void* data) {
    for (const Fixup& fixup : fixups[input]) fixup.view->data = advance(data, fixup.offset);
    bound[input] = true;
  }

  // Made at the first use: an input that is always bound elsewhere needs none.
  const View& buffer(size_t input) {
    Array& array = buffers[input];
    if (!array.defined()) {
      const Meta& meta = fused.meta(fused.inputs()[input]);
      array = Array(meta.dtype, meta.shape);
    }
    if (!bound[input]) point(input, array.data());
    return array.view();
  }

  const Graph traced;
  Graph rewritten, simplified, fused;
  Layout layout;
  Plan plan;
  StoragePtr arena;
  std::vector<Array> constants;  // by block
  std::vector<Array> written;
  std::vector<int> input_of_value;
  std::vector<Array> buffers;
  std::vector<bool> bound;
  std::vector<int> transposes;   // by input: the call that copies it into order f, or -1
  std::vector<bool> transposed;  // by such call: already done for the next run
  std::vector<std::vector<Fixup>> fixups;
  std::vector<int> own_output_of_block;
  std::vector<OwnOutput> own_outputs;
  std::vector<View> views;
  std::vector<Call> calls;
  size_t first_output = 0;
  OwnedMutex mutex;
};

void OwnedMutex::refuse_owner() const {
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    throw std::logic_error("a program cannot be run from within its own run");
  }
}

void OwnedMutex::lock() {
  refuse_owner();
  mutex_.lock();
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

bool OwnedMutex::try_lock() {
  refuse_owner();
  if (!mutex_.try_lock()) return false;
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  return true;
}

void OwnedMutex::unlock() {
  owner_.store(std::thread::id(), std::memory_order_relaxed);
  mutex_.unlock();
}

Program::Program() = default;
Program::~Program() = default;

std::shared_ptr<Program> Program::compile(const Graph& graph, const CompileOptions& options) {
  std::shared_ptr<Program> program(new Program());
  program->impl_ = std::make_unique<Impl>(graph, options);
  return program;
}

int Program::num_inputs() const { return static_cast<int>(impl_->buffers.size()); }
int Program::num_outputs() const { return static_cast<int>(impl_->plan.outputs.size()); }

Meta Program::input_meta(int i) const {
  return impl_->fused.meta(impl_->fused.inputs()[impl_->checked_input(i, "input_meta()")]);
}

Meta Program::output_meta(int i) const {
  return impl_->plan.outputs[impl_->checked_output(i, "output_meta()")].meta;
}

const View& Program::input_buffer(int i) const {
  return impl_->buffer(impl_->checked_input(i, "input_buffer()"));
}

void Program::bind_input(int i, const View& view) {
  const size_t input = impl_->checked_input(i, "bind_input()");
  const Meta& meta = impl_->fused.meta(impl_->fused.inputs()[input]);
  if (view.dtype != meta.dtype || view.shape != meta.shape) {
    throw ArgumentError("bind_input()", "view", meta_text(meta),
                        meta_text({view.dtype, view.shape}));
  }
  if (view.c_contiguous() && !impl_->writes(view)) {
    impl_->point(input, view.data);
    return;
  }
  const View& own = impl_->buffer(input);
  copy_elements(own, view);
  impl_->point(input, own.data);
}

const View& Program::input_transposed(int i) const {
  const int call = impl_->transposes[impl_->checked_input(i, "input_transposed()")];
  static const View kNone;
  return call < 0 ? kNone : impl_->calls[static_cast<size_t>(call)].context.outputs[0];
}

void Program::set_transposed(int i) {
  const int call = impl_->transposes[impl_->checked_input(i, "set_transposed()")];
  if (call >= 0) impl_->transposed[static_cast<size_t>(call)] = true;
}

const View& Program::output(int i) const {
  return impl_->views[impl_->first_output + impl_->checked_output(i, "output()")];
}

Array Program::result(int i) const {
  const View& view = output(i);
  const OwnOutput* own = impl_->own_output(impl_->plan.outputs[static_cast<size_t>(i)]);
  if (own != nullptr && own->memory) return Array(own->memory, view);
  Array copy(view.dtype, view.shape);
  copy_elements(copy.view(), view);
  return copy;
}

void Program::run() {
  impl_->renew_outputs();
  for (size_t i = 0; i < impl_->bound.size(); ++i) {
    if (!impl_->bound[i]) impl_->buffer(i);
  }
  const FloatEnvironment environment;
  const std::vector<Call>& calls = impl_->calls;
  const size_t transposes = impl_->transposed.size();
  for (size_t i = 0; i < transposes; ++i) {
    if (!impl_->transposed[i]) calls[i].eval(calls[i].context);
    impl_->transposed[i] = false;
  }
  for (size_t i = transposes; i < calls.size(); ++i) calls[i].eval(calls[i].context);
}

OwnedMutex& Program::mutex() { return impl_->mutex; }

const std::vector<Array>& Program::written() const { return impl_->written; }

int64_t Program::arena_bytes() const { return impl_->plan.arena_bytes; }

std::string Program::text(const std::string& stage) const {
  if (stage == "trace") return impl_->traced.text();
  if (stage == "rewrite") return impl_->rewritten.text();
  if (stage == "simplify") return impl_->simplified.text();
  if (stage == "fuse") return impl_->fused.text();
  if (stage == "layout") return print_graph(impl_->fused, &impl_->layout);
  if (stage == "plan") return impl_->plan.text();
  throw ArgumentError("text()", "stage",
                      "\"trace\", \"rewrite\", \"simplify\", \"fuse\", \"layout\" or \"plan\"",
                      "\"" + stage + "\"");
}

const std::vector<std::string>& Program::rewrites() const { return impl_->fused.rewrites(); }

}  // namespace fusegrad
