// The fork-join thread pool: static partition of an index range over the threads.
//
// Workers start with the first loop that is worth it, spin for a bounded time, then park. The pool
// is rebuilt after fork. Nested calls run in the calling thread. What is computed must not depend
// on the partition.
#pragma once

#include <cstdint>

#include "fusegrad/api.h"

namespace fusegrad {

FUSEGRAD_API int num_threads();
// 1 <= count <= kMaxThreads, else ArgumentError. 0 restores the default: the least of CPU affinity,
// cgroup quota and FUSEGRAD_NUM_THREADS (or OMP_NUM_THREADS).
FUSEGRAD_API void set_num_threads(int count);
constexpr int kMaxThreads = 256;

// Calls body(context, begin, end) over a partition of [0, n) into parts of at least `grain`: items
// that are worth a thread that is awake (runtime/cost.h). Where the workers sleep and no
// ThreadsAwake lives, it takes kWakeGrains times as many. There are at most as many parts as CPUs
// that this process may use. What a part raises is raised here when all have ended; other parts may
// have run.
FUSEGRAD_API void parallel_for(int64_t n, int64_t grain,
                               void (*body)(void* context, int64_t begin, int64_t end),
                               void* context);

// For tests: splits every loop over all threads, whatever its work and whatever CPUs there are.
FUSEGRAD_API void set_split_all(bool all);
FUSEGRAD_API bool splits_all();

// Whether parallel_for may split so many items at all. Asked first, it saves preparing for that.
inline bool worth_threads(int64_t n, int64_t grain) { return n / 2 >= grain || splits_all(); }

template <typename Body>
void parallel_for(int64_t n, int64_t grain, const Body& body) {
  parallel_for(
      n, grain,
      [](void* context, int64_t begin, int64_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

constexpr int64_t kWakeGrains = 8;

// While one lives, workers that have been woken stay awake for 200 microseconds between loops
// instead of 50 microseconds, and loops of this thread wake them for less work. For long runs of
// short loops.
class FUSEGRAD_API ThreadsAwake {
 public:
  ThreadsAwake();
  ~ThreadsAwake();
  ThreadsAwake(const ThreadsAwake&) = delete;
  ThreadsAwake& operator=(const ThreadsAwake&) = delete;
};

// Parks the workers now instead of after their spin time.
FUSEGRAD_API void park_threads();

}  // namespace fusegrad
