// The fork-join thread pool: static partition of an index range over the threads.
//
// Workers spin for a bounded time, then park. The pool is rebuilt after fork. Nested calls run in
// the calling thread. What is computed must not depend on the partition.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

FUSEGRAD_API int num_threads();
// 1 <= count <= kMaxThreads, else ArgumentError. 0 restores the default: the least of CPU affinity,
// cgroup quota and FUSEGRAD_NUM_THREADS (or OMP_NUM_THREADS).
FUSEGRAD_API void set_num_threads(int count);
constexpr int kMaxThreads = 256;

// Calls body(context, begin, end) over a partition of [0, n) into chunks of at least `grain`. What
// a chunk raises is raised here when all have ended; other chunks may have run.
FUSEGRAD_API void parallel_for(int64_t n, int64_t grain,
                               void (*body)(void* context, int64_t begin, int64_t end),
                               void* context);

template <typename Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  parallel_for(
      n, grain,
      [](void* context, int64_t begin, int64_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Parks the workers now instead of after their spin time.
FUSEGRAD_API void park_threads();

// Sets the floating-point environment of the numerics contract (round to nearest, subnormals kept,
// no traps) and restores the caller's.
class FUSEGRAD_API FloatEnvironment {
 public:
  FloatEnvironment();
  ~FloatEnvironment();
  FloatEnvironment(const FloatEnvironment&) = delete;
  FloatEnvironment& operator=(const FloatEnvironment&) = delete;

 private:
  uint64_t saved_;
};

// Scratch of this thread, at least `bytes`, 64-byte aligned; grows and is kept. Contents are lost
// at the next call from this thread.
FUSEGRAD_API void* thread_workspace(int64_t bytes);

}  // namespace fusegrad
